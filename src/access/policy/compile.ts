import { isRequestKey, isResourceKey } from "../further-keys.ts";
import { accessLimits } from "../limits.ts";
import { createLru } from "../lru.ts";
import {
  parsePolicyDocument,
  type Condition,
  type PolicyKind,
  type PolicyDocument,
  type Statement,
} from "./document.ts";
import { compileValue, isNegated } from "./operators.ts";
import { compileArnPattern, compilePattern, type Context, type Pattern } from "./pattern.ts";

/** A policy ready to be matched. */
export interface CompiledPolicy {
  readonly statements: readonly CompiledStatement[];
  /** Whether one of them looks further. */
  readonly looksFurther?: boolean;
  /** Those whose actions are this one, remembered for the actions that were asked for. Absent: all of them have to be asked. */
  statementsFor?(action: string): readonly CompiledStatement[];
}

export interface CompiledStatement {
  /** `Sid`, or the place in the document counted from 1. */
  readonly name: string;
  readonly effect: "Allow" | "Deny";
  readonly principals: Statement["principals"];
  /** The condition keys it looks at, as variables too; lower case. */
  readonly conditionKeys: readonly string[];
  /** Whether such keys tell of more than every request has: of what the service's request says, of the resource. */
  readonly looksFurther: { readonly atRequest: boolean; readonly atResource: boolean };
  /** Action, resource and conditions; the principal is for the evaluator to judge. */
  matches(action: string, resource: string, context: Context): boolean;
  /** Whether its actions are this one. */
  isAbout(action: string): boolean;
  /** The rest of it, for a statement whose actions are known to be the one that is asked for. */
  applies(resource: string, context: Context): boolean;
}

/** Compiles documents, remembering the latest by their text. Throws `PolicyGrammarError`. */
export type PolicyCompiler = (text: string, kind: PolicyKind) => CompiledPolicy;

export function createPolicyCompiler(): PolicyCompiler {
  const known = createLru<CompiledPolicy>(accessLimits.compiledPoliciesMax);
  return (text, kind) => {
    const name = `${kind}\n${text}`;
    const found = known.get(name);
    if (found) return found;
    const compiled = compilePolicy(parsePolicyDocument(text, kind));
    known.set(name, compiled);
    return compiled;
  };
}

export function compilePolicy(document: PolicyDocument): CompiledPolicy {
  // Variables came with this version of the language: `${…}` in an older document means itself.
  const variables = document.version === "2012-10-17";
  const statements = document.statements.map((statement, index) => compileStatement(statement, index, variables));
  const byAction = new Map<string, readonly CompiledStatement[]>();
  return {
    statements,
    looksFurther: statements.some(({ looksFurther }) => looksFurther.atRequest || looksFurther.atResource),
    statementsFor: (action) => {
      const known = byAction.get(action);
      if (known) return known;
      const found = statements.filter((statement) => statement.isAbout(action));
      // Services ask for few actions; whoever simulates may ask for any.
      if (byAction.size >= accessLimits.actionsPerPolicyMax) byAction.clear();
      byAction.set(action, found);
      return found;
    },
  };
}

function compileStatement(statement: Statement, index: number, variables: boolean): CompiledStatement {
  const actions = statement.actions.patterns.map((text) =>
    compilePattern(text, { variables: false, ignoreCase: true }),
  );
  const resources = statement.resources?.patterns.map((text) => compileArnPattern(text, { variables }));
  const conditions = statement.conditions.map((condition) => compileCondition(condition, variables));
  const keys = conditionKeysOf(statement, variables);
  const notAction = statement.actions.not;
  const notResource = statement.resources?.not ?? false;
  const none: Context = new Map();
  // Variables mean nothing in actions.
  const isAbout = (action: string) => matchesAny(actions, action, none) !== notAction;
  const applies = (resource: string, context: Context) =>
    (resources === undefined || matchesAny(resources, resource, context) !== notResource) &&
    conditions.every((holds) => holds(context));
  return {
    name: statement.sid || String(index + 1),
    effect: statement.effect,
    principals: statement.principals,
    conditionKeys: keys,
    looksFurther: { atRequest: keys.some(isRequestKey), atResource: keys.some(isResourceKey) },
    isAbout,
    applies,
    matches: (action, resource, context) => isAbout(action) && applies(resource, context),
  };
}

function conditionKeysOf({ conditions, resources }: Statement, variables: boolean): readonly string[] {
  const texts = variables ? [...(resources?.patterns ?? []), ...conditions.flatMap(({ values }) => values)] : [];
  const named = texts.flatMap((text) => [...text.matchAll(/\$\{([^}*?$,\s]+)/g)].map(([, name = ""]) => name));
  return [...new Set([...conditions.map(({ key }) => key), ...named.map((name) => name.toLowerCase())])];
}

function matchesAny(patterns: readonly Pattern[], text: string, context: Context): boolean {
  return patterns.some((pattern) => pattern.matches(text, context));
}

/** Source: "IAM JSON policy elements: Condition operators", "Set operators for multi-valued context keys". */
function compileCondition(condition: Condition, variables: boolean): (context: Context) => boolean {
  const { operator, quantifier, ifExists, key, values } = condition;
  if (operator === "Null") {
    return (context) => values.some((value) => (value.toLowerCase() === "true") === !context.get(key)?.length);
  }
  const tests = values.map((value) => compileValue(operator, value, variables));
  const negated = isNegated(operator);
  // One value of the context against all the policy's: a positive operator wants any, a negated none of them.
  const holdsFor = (given: string, context: Context) => tests.some((test) => test(given, context)) !== negated;
  return (context) => {
    const given = context.get(key);
    if (!given || given.length === 0) return ifExists || quantifier === "ForAllValues" || (negated && !quantifier);
    if (quantifier === "ForAllValues") return given.every((value) => holdsFor(value, context));
    if (quantifier === "ForAnyValue" || !negated) return given.some((value) => holdsFor(value, context));
    return given.every((value) => holdsFor(value, context));
  };
}
