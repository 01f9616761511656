import { formatError } from "./formats.ts";
import { validationLimits as limits } from "./limits.ts";
import { compilePattern, type Pattern } from "./patterns.ts";

/** What one validation has found and may still cost. */
export interface Report {
  readonly messages: string[];
  /** Also counts what is not kept of the messages. */
  failures: number;
  checksLeft: number;
  depth: number;
}

/** Looks at a value and says what is wrong with it. */
export type Check = (value: unknown, report: Report) => void;

export interface Compiler {
  schema(schema: unknown): Check;
  reference(reference: string): Check;
  /** The error of a schema that cannot be one. */
  invalid(message: string): Error;
}

/** What is said of a value that would cost too much to look at. */
export const tooLarge = "the instance is too large or too deep to be validated";

type Members = Readonly<Record<string, unknown>>;

/**
 * A schema's keywords as checks of values. Messages are those of AWS's validator. As there, what a value contains is looked at
 * when the value itself is as it should be.
 */
export function compileKeywords(schema: unknown, compiler: Compiler): Check {
  const members = membersOf(schema);
  if (members === undefined) throw compiler.invalid("Invalid model schema specified. A schema must be an object");
  const reference = members["$ref"];
  if (typeof reference === "string") return bounded([compiler.reference(reference)], []);
  const own: Check[] = [];
  for (const [keyword, compile] of Object.entries(keywords)) {
    const argument = members[keyword];
    const check = argument === undefined ? undefined : compile(argument, members, compiler);
    if (check !== undefined) own.push(check);
  }
  return bounded(
    own,
    [compileMembers(members, compiler), compileElements(members, compiler)].flatMap((check) => check ?? []),
  );
}

function bounded(own: readonly Check[], inner: readonly Check[]): Check {
  return (value, report) => {
    report.checksLeft -= 1 + own.length;
    if (report.checksLeft < 0 || report.depth >= limits.depthMax) {
      fail(report, tooLarge);
      return;
    }
    report.depth++;
    const before = report.failures;
    for (const check of own) check(value, report);
    if (report.failures === before) for (const check of inner) check(value, report);
    report.depth--;
  };
}

type Keyword = (argument: unknown, schema: Members, compiler: Compiler) => Check | undefined;

const keywords: Readonly<Record<string, Keyword>> = {
  type: (argument, _schema, compiler) => {
    const allowed = (Array.isArray(argument) ? argument : [argument]).map(String);
    const unknown = allowed.find((type) => !types.has(type));
    if (unknown !== undefined) throw compiler.invalid(`Invalid model schema specified. Unknown type ${unknown}`);
    const shown = JSON.stringify(
      allowed.includes("number") ? [...new Set([...allowed, "integer"])].toSorted() : allowed.toSorted(),
    );
    return (value, report) => {
      const type = typeOf(value);
      if (allowed.includes(type) || (type === "integer" && allowed.includes("number"))) return;
      fail(report, `instance type (${type}) does not match any allowed primitive type (allowed: ${shown})`);
    };
  },
  enum: (argument, _schema, compiler) => {
    if (!Array.isArray(argument)) throw compiler.invalid("Invalid model schema specified. enum must be an array");
    const allowed = new Set(argument.map(canonical));
    const shown = JSON.stringify(argument);
    return (value, report) => {
      const text = canonical(value);
      if (!allowed.has(text)) fail(report, `instance value (${text}) not found in enum (possible values: ${shown})`);
    };
  },
  required: (argument, _schema, compiler) => {
    // In draft 3, a member of a property; API Gateway takes it and it does nothing.
    if (typeof argument === "boolean") return undefined;
    const names = textsOf(argument, "required", compiler);
    return onObject((value, report) => {
      const missing = names.filter((name) => !Object.hasOwn(value, name));
      if (missing.length > 0)
        fail(report, `object has missing required properties (${JSON.stringify(missing.toSorted())})`);
    });
  },
  additionalProperties: (argument, schema, compiler) => {
    if (argument !== false) return undefined;
    const known = membersOf(schema["properties"]) ?? {};
    const patterns = Object.keys(membersOf(schema["patternProperties"]) ?? {}).map((source) =>
      patternOf(source, compiler),
    );
    return onObject((value, report) => {
      const more = Object.keys(value).filter(
        (name) => !Object.hasOwn(known, name) && !patterns.some((pattern) => pattern(name) === true),
      );
      if (more.length === 0) return;
      fail(
        report,
        `object instance has properties which are not allowed by the schema: ${JSON.stringify(more.toSorted())}`,
      );
    });
  },
  minProperties: (argument, _schema, compiler) =>
    onCount(argument, "minProperties", compiler, (least) =>
      onObject((value, report) => {
        const found = Object.keys(value).length;
        if (found < least)
          fail(report, `object has too few properties (found ${found} but schema requires at least ${least})`);
      }),
    ),
  maxProperties: (argument, _schema, compiler) =>
    onCount(argument, "maxProperties", compiler, (most) =>
      onObject((value, report) => {
        const found = Object.keys(value).length;
        if (found > most)
          fail(report, `object has too many properties (found ${found} but schema requires at most ${most})`);
      }),
    ),
  dependencies: (argument, _schema, compiler) => {
    const dependencies = Object.entries(membersOf(argument) ?? {}).map(([name, needed]) =>
      Array.isArray(needed)
        ? { name, needed: textsOf(needed, "dependencies", compiler) }
        : { name, check: compiler.schema(needed) },
    );
    return onObject((value, report) => {
      for (const { name, needed, check } of dependencies) {
        if (!Object.hasOwn(value, name)) continue;
        check?.(value, report);
        const missing = (needed ?? []).filter((other) => !Object.hasOwn(value, other));
        if (missing.length === 0) continue;
        fail(
          report,
          `property ${JSON.stringify(name)} of object has missing property dependencies (schema requires ${JSON.stringify(needed)}; missing: ${JSON.stringify(missing)})`,
        );
      }
    });
  },
  minItems: (argument, _schema, compiler) =>
    onCount(argument, "minItems", compiler, (least) =>
      onArray((value, report) => {
        if (value.length < least)
          fail(
            report,
            `array is too short: must have at least ${least} elements but instance has ${value.length} elements`,
          );
      }),
    ),
  maxItems: (argument, _schema, compiler) =>
    onCount(argument, "maxItems", compiler, (most) =>
      onArray((value, report) => {
        if (value.length > most)
          fail(
            report,
            `array is too long: must have at most ${most} elements but instance has ${value.length} elements`,
          );
      }),
    ),
  uniqueItems: (argument) => {
    if (argument !== true) return undefined;
    return onArray((value, report) => {
      report.checksLeft -= value.length;
      const seen = new Set<string>();
      for (const item of value) seen.add(canonical(item));
      if (seen.size < value.length) fail(report, "array must not contain duplicate elements");
    });
  },
  additionalItems: (argument, schema) => {
    const items = schema["items"];
    if (argument !== false || !Array.isArray(items)) return undefined;
    return onArray((value, report) => {
      if (value.length > items.length)
        fail(report, `array only allows ${items.length} elements but instance has ${value.length} elements`);
    });
  },
  minLength: (argument, _schema, compiler) =>
    onCount(argument, "minLength", compiler, (least) =>
      onText((value, report) => {
        const length = codePoints(value);
        if (length < least)
          fail(report, `string ${JSON.stringify(value)} is too short (length: ${length}, required minimum: ${least})`);
      }),
    ),
  maxLength: (argument, _schema, compiler) =>
    onCount(argument, "maxLength", compiler, (most) =>
      onText((value, report) => {
        const length = codePoints(value);
        if (length > most)
          fail(report, `string ${JSON.stringify(value)} is too long (length: ${length}, maximum allowed: ${most})`);
      }),
    ),
  pattern: (argument, _schema, compiler) => {
    const pattern = patternOf(argument, compiler);
    return onText((value, report) => {
      if (pattern(value) !== true)
        fail(report, `ECMA 262 regex "${String(argument)}" does not match input string ${JSON.stringify(value)}`);
    });
  },
  format: (argument) =>
    onText((value, report) => {
      const error = formatError(String(argument), value);
      if (error !== undefined) fail(report, error);
    }),
  minimum: (argument, schema, compiler) => {
    const least = numberOf(argument, "minimum", compiler);
    const isExclusive = schema["exclusiveMinimum"] === true;
    return onNumber((value, report) => {
      if (isExclusive && value === least)
        fail(report, `numeric instance is not strictly greater than the required minimum ${least}`);
      if (value < least)
        fail(report, `numeric instance is lower than the required minimum (minimum: ${least}, found: ${value})`);
    });
  },
  maximum: (argument, schema, compiler) => {
    const most = numberOf(argument, "maximum", compiler);
    const isExclusive = schema["exclusiveMaximum"] === true;
    return onNumber((value, report) => {
      if (isExclusive && value === most)
        fail(report, `numeric instance is not strictly lower than the required maximum ${most}`);
      if (value > most)
        fail(report, `numeric instance is greater than the required maximum (maximum: ${most}, found: ${value})`);
    });
  },
  multipleOf: (argument, _schema, compiler) => {
    const divisor = numberOf(argument, "multipleOf", compiler);
    if (divisor <= 0) throw compiler.invalid("Invalid model schema specified. multipleOf must be greater than 0");
    return onNumber((value, report) => {
      const quotient = value / divisor;
      if (Math.abs(quotient - Math.round(quotient)) > 1e-9 * Math.max(1, Math.abs(quotient)))
        fail(report, `remainder of division is not zero (${value} / ${divisor})`);
    });
  },
  allOf: (argument, _schema, compiler) =>
    onSchemas(argument, "allOf", compiler, (matched, all) =>
      matched === all
        ? undefined
        : `instance failed to match all required schemas (matched only ${matched} out of ${all})`,
    ),
  anyOf: (argument, _schema, compiler) =>
    onSchemas(argument, "anyOf", compiler, (matched, all) =>
      matched > 0 ? undefined : `instance failed to match at least one required schema among ${all}`,
    ),
  oneOf: (argument, _schema, compiler) =>
    onSchemas(argument, "oneOf", compiler, (matched, all) =>
      matched === 1 ? undefined : `instance failed to match exactly one schema (matched ${matched} out of ${all})`,
    ),
  not: (argument, _schema, compiler) => {
    const check = compiler.schema(argument);
    return (value, report) => {
      if (matches(check, value, report)) fail(report, "instance matched a schema which it should not have");
    };
  },
};

function compileMembers(schema: Members, compiler: Compiler): Check | undefined {
  const properties = new Map(
    Object.entries(membersOf(schema["properties"]) ?? {}).map(([name, child]) => [name, compiler.schema(child)]),
  );
  const patterns = Object.entries(membersOf(schema["patternProperties"]) ?? {}).map(([source, child]) => ({
    pattern: patternOf(source, compiler),
    check: compiler.schema(child),
  }));
  const additional = schema["additionalProperties"];
  const others = membersOf(additional) === undefined ? undefined : compiler.schema(additional);
  if (properties.size === 0 && patterns.length === 0 && others === undefined) return undefined;
  return onObject((value, report) => {
    for (const [name, child] of Object.entries(value)) {
      const own = properties.get(name);
      own?.(child, report);
      let isKnown = own !== undefined;
      for (const { pattern, check } of patterns) {
        if (pattern(name) !== true) continue;
        isKnown = true;
        check(child, report);
      }
      if (!isKnown) others?.(child, report);
    }
  });
}

function compileElements(schema: Members, compiler: Compiler): Check | undefined {
  const items = schema["items"];
  if (items === undefined) return undefined;
  if (!Array.isArray(items)) {
    const check = compiler.schema(items);
    return onArray((value, report) => {
      for (const item of value) check(item, report);
    });
  }
  const checks = items.map((item) => compiler.schema(item));
  const additional = schema["additionalItems"];
  const others = membersOf(additional) === undefined ? undefined : compiler.schema(additional);
  return onArray((value, report) => {
    for (const [index, item] of value.entries()) (checks[index] ?? others)?.(item, report);
  });
}

const types = new Set(["array", "boolean", "integer", "null", "number", "object", "string"]);

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function fail(report: Report, message: string): void {
  report.failures++;
  if (report.messages.length < limits.messagesMax) report.messages.push(message);
}

function matches(check: Check, value: unknown, report: Report): boolean {
  const { messages, failures } = report;
  const kept = messages.length;
  check(value, report);
  const isMatch = report.failures === failures;
  messages.length = kept;
  // What costs too much is not forgiven by an alternative.
  if (report.checksLeft >= 0) report.failures = failures;
  return isMatch;
}

function onSchemas(
  argument: unknown,
  keyword: string,
  compiler: Compiler,
  judge: (matched: number, all: number) => string | undefined,
): Check {
  if (!Array.isArray(argument) || argument.length === 0)
    throw compiler.invalid(`Invalid model schema specified. ${keyword} must be an array of schemas`);
  const checks = argument.map((schema) => compiler.schema(schema));
  return (value, report) => {
    let matched = 0;
    for (const check of checks) if (matches(check, value, report)) matched++;
    const message = judge(matched, checks.length);
    if (message !== undefined) fail(report, message);
  };
}

function onObject(check: (value: object, report: Report) => void): Check {
  return (value, report) => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) check(value, report);
  };
}

function onArray(check: (value: readonly unknown[], report: Report) => void): Check {
  return (value, report) => {
    if (Array.isArray(value)) check(value, report);
  };
}

function onText(check: (value: string, report: Report) => void): Check {
  return (value, report) => {
    if (typeof value === "string") check(value, report);
  };
}

function onNumber(check: (value: number, report: Report) => void): Check {
  return (value, report) => {
    if (typeof value === "number") check(value, report);
  };
}

function onCount(argument: unknown, keyword: string, compiler: Compiler, make: (count: number) => Check): Check {
  const count = numberOf(argument, keyword, compiler);
  if (!Number.isInteger(count) || count < 0)
    throw compiler.invalid(`Invalid model schema specified. ${keyword} must be a count`);
  return make(count);
}

function numberOf(argument: unknown, keyword: string, compiler: Compiler): number {
  if (typeof argument === "number") return argument;
  throw compiler.invalid(`Invalid model schema specified. ${keyword} must be a number`);
}

function textsOf(argument: unknown, keyword: string, compiler: Compiler): string[] {
  if (Array.isArray(argument) && argument.every((item) => typeof item === "string")) return argument;
  throw compiler.invalid(`Invalid model schema specified. ${keyword} must be an array of names`);
}

function patternOf(source: unknown, compiler: Compiler): Pattern {
  try {
    return compilePattern(String(source));
  } catch {
    throw compiler.invalid(`Invalid model schema specified. ${String(source)} is not a valid regular expression`);
  }
}

function membersOf(value: unknown): Members | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

/** Equal values have equal texts, whatever the order of their members. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, child: unknown) =>
    typeof child === "object" && child !== null && !Array.isArray(child)
      ? Object.fromEntries(Object.entries(child).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : child,
  );
}

function codePoints(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd8_00 && unit < 0xdc_00 && index + 1 < text.length) {
      const next = text.charCodeAt(index + 1);
      if (next >= 0xdc_00 && next < 0xe0_00) count--;
    }
  }
  return count;
}
