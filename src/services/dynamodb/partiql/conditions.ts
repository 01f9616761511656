import { validation } from "../errors.ts";
import type { Comparator, Condition, Operand, Path } from "../expressions/ast.ts";
import { bindCondition, type BoundCondition } from "../expressions/condition.ts";
import { ExpressionError } from "../expressions/parser.ts";
import type { Placeholders } from "../expressions/placeholders.ts";
import { dynamoLimits } from "../limits.ts";
import type { AttributeValue } from "../values/attribute-value.ts";
import type { Expression, PathExpression } from "./ast.ts";
import { typesOfIs } from "./keywords.ts";
import { toValue, type Parameters } from "./literals.ts";
import { refusedAt } from "./malformed.ts";

/** Turns expressions of a statement into those of the item operations, and keeps what they stand for. */
export interface Translation {
  readonly placeholders: Placeholders;
  path(path: PathExpression): Path;
  value(value: AttributeValue): Operand;
}

export function createTranslation(): Translation {
  const values: AttributeValue[] = [];
  return {
    placeholders: {
      path: (path) =>
        path.map((step) => (typeof step === "number" ? step : "name" in step ? step.name : step.placeholder)),
      value: (name) => {
        const value = values[Number(name)];
        if (!value) throw new TypeError(`There is no value ${name}`);
        return value;
      },
      assertUsed: () => {},
    },
    // Names are placeholders, for no word is reserved among them.
    path: ({ steps }) => steps.map((step) => (typeof step === "number" ? step : { placeholder: step })),
    value: (value) => ({ kind: "value", name: String(values.push(value) - 1) }),
  };
}

/** Runs what binds expressions; its refusals name no parameter of a request here. */
export function bind<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof ExpressionError ? validation(error.message) : error;
  }
}

/** A WHERE clause as the condition that it is. @throws {ValidationException} */
export function toCondition(where: Expression, parameters: Parameters): BoundCondition {
  const translation = createTranslation();
  const condition = translate(where, { ...translation, parameters, twice: { left: truthsMax } });
  return bind(() => bindCondition(condition, translation.placeholders));
}

type Needs = Translation & { readonly parameters: Parameters; readonly twice: { left: number } };

/** Ours: comparisons of conditions with each other in one statement. */
const truthsMax = 5;

const conditionFunctions: ReadonlySet<string> = new Set([
  "attribute_exists",
  "attribute_not_exists",
  "attribute_type",
  "begins_with",
  "contains",
]);
const comparators: Readonly<Record<string, Comparator>> = {
  "=": "=",
  "<>": "<>",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
};

/** Whether the expression says something that holds or does not. */
function isCondition(expression: Expression): boolean {
  switch (expression.kind) {
    case "and":
    case "or":
    case "not":
    case "between":
    case "in":
    case "is":
      return true;
    case "binary":
      return comparators[expression.operator] !== undefined || expression.operator === "LIKE";
    case "call":
      return expression.name.toLowerCase() !== "size";
    default:
      return false;
  }
}

function translate(expression: Expression, needs: Needs): Condition {
  switch (expression.kind) {
    case "and":
    case "or": {
      const { kind, left, right } = expression;
      if (!isCondition(left) || !isCondition(right)) throw validation("The arguments to AND/OR must be Expressions");
      return { kind, left: translate(left, needs), right: translate(right, needs) };
    }
    case "not":
      if (!isCondition(expression.of)) throw validation("The argument to NOT must be a Type or Expression");
      return { kind: "not", of: translate(expression.of, needs) };
    case "binary":
      return translateComparison(expression, needs);
    case "between": {
      const [of, low, high] = [expression.of, expression.low, expression.high].map((each) => toOperand(each, needs));
      if (!of || !low || !high) throw new TypeError("BETWEEN has three operands");
      return { kind: "between", of, low, high };
    }
    case "in":
      return translateIn(expression, needs);
    case "is":
      return translateIs(expression, needs);
    case "call": {
      const name = expression.name.toLowerCase();
      if (!conditionFunctions.has(name)) throw refusedAt(`Unrecognized function: ${expression.name}`, expression.place);
      return { kind: "call", name, args: expression.args.map((each) => toOperand(each, needs)) };
    }
    default:
      throw validation("WHERE clause must contain an expression that resolves to a boolean");
  }
}

function translateComparison(expression: Expression & { readonly kind: "binary" }, needs: Needs): Condition {
  const { operator, left, right } = expression;
  const comparator = comparators[operator];
  if (comparator === undefined) throw unsupported(operator);
  if (isCondition(left)) return compareTruth(comparator, left, right, needs);
  if (isCondition(right)) return compareTruth(comparator, right, left, needs);
  return { kind: "compare", comparator, left: toOperand(left, needs), right: toOperand(right, needs) };
}

/** AWS: what a condition comes to may be compared with a boolean. */
function compareTruth(comparator: Comparator, condition: Expression, other: Expression, needs: Needs): Condition {
  if (comparator !== "=" && comparator !== "<>") {
    throw validation(
      `Incorrect operand type for operator or function; operator or function: ${comparator}, operand type: BOOL`,
    );
  }
  const negated = comparator === "<>";
  const holds = translate(condition, needs);
  if (!isCondition(other) && other.kind !== "path") {
    const value = toValue(other, needs.parameters);
    const isBoolean = "BOOL" in value;
    const same: Condition = isBoolean
      ? truth(holds, value.BOOL)
      : { kind: "compare", comparator: "=", left: needs.value(value), right: needs.value({ BOOL: true }) };
    return truth(same, !negated);
  }
  // Both sides stand twice in what comes of it: few of them fit into each other.
  needs.twice.left -= 1;
  if (needs.twice.left < 0) throw validation("The expression contains too many nested operations");
  const is = (value: boolean): Condition =>
    isCondition(other)
      ? truth(translate(other, needs), value)
      : { kind: "compare", comparator: "=", left: toOperand(other, needs), right: needs.value({ BOOL: value }) };
  const same: Condition = {
    kind: "or",
    left: { kind: "and", left: holds, right: is(true) },
    right: { kind: "and", left: truth(holds, false), right: is(false) },
  };
  return truth(same, !negated);
}

function truth(of: Condition, value: boolean): Condition {
  return value ? of : { kind: "not", of };
}

function translateIn({ of, among }: Expression & { readonly kind: "in" }, needs: Needs): Condition {
  const members = among.kind === "list" || among.kind === "bag" ? among.members : [];
  if (members.length === 0 || !(of.kind === "path" || isSize(of) || isCondition(of))) {
    throw validation(
      "IN operator must have a left hand argument of type Variable Reference and right hand argument of type Seq with at least one member",
    );
  }
  if (members.length > dynamoLimits.inOperandsMax) {
    throw validation(`The IN operator is provided with too many operands; number of operands: ${members.length}`);
  }
  if (isCondition(of)) {
    return members
      .map((each) => compareTruth("=", of, each, needs))
      .reduce((left, right) => ({ kind: "or", left, right }));
  }
  return { kind: "in", of: toOperand(of, needs), among: members.map((each) => toOperand(each, needs)) };
}

function translateIs({ of, type }: Expression & { readonly kind: "is" }, needs: Needs): Condition {
  if (of.kind !== "path") {
    throw validation("The left hand side argument to IS must be a Variable Reference, Literal, or Path");
  }
  const path: Operand = { kind: "path", path: needs.path(of) };
  if (type === "missing") return { kind: "call", name: "attribute_not_exists", args: [path] };
  const wanted = Object.hasOwn(typesOfIs, type) ? typesOfIs[type] : undefined;
  if (wanted === undefined) {
    throw validation(
      `Unsupported data type for IS operator: ${type.toUpperCase()}. Supported data types are [MISSING, NULL, BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST]`,
    );
  }
  return { kind: "call", name: "attribute_type", args: [path, needs.value({ S: wanted })] };
}

function isSize(expression: Expression): boolean {
  return expression.kind === "call" && expression.name.toLowerCase() === "size";
}

function toOperand(expression: Expression, needs: Needs): Operand {
  switch (expression.kind) {
    case "path":
      return { kind: "path", path: needs.path(expression) };
    case "call":
      if (!isSize(expression)) throw refusedAt(`Unrecognized function: ${expression.name}`, expression.place);
      return { kind: "call", name: "size", args: expression.args.map((each) => toOperand(each, needs)) };
    case "binary":
    case "sign":
      throw unsupported(expression.operator);
    case "and":
    case "or":
    case "not":
    case "between":
    case "in":
    case "is":
      throw unsupported(expression.kind.toUpperCase());
    default:
      return needs.value(toValue(expression, needs.parameters));
  }
}

function unsupported(operator: string) {
  return validation(`Unsupported operator in Condition Expression. Operator: ${operator}`);
}
