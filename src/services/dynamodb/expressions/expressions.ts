import { createLru, type Lru } from "../../../access/lru.ts";
import { dynamoLimits } from "../limits.ts";
import type { Condition, Path, UpdateAction } from "./ast.ts";
import { bindCondition, checkCondition, type BoundCondition } from "./condition.ts";
import { ExpressionError, invalidExpression, parseCondition, parseProjection, parseUpdate } from "./parser.ts";
import type { Placeholders } from "./placeholders.ts";
import { bindProjection, checkProjection, type Projection } from "./projection.ts";
import { bindUpdate, checkUpdate, type BoundUpdate } from "./update.ts";

/** Expressions of requests, each text parsed once. All throw the ValidationException that names the parameter. */
export interface Expressions {
  condition(parameter: string, text: string, placeholders: Placeholders): BoundCondition;
  update(text: string, placeholders: Placeholders): readonly BoundUpdate[];
  projection(text: string, placeholders: Placeholders): Projection;
}

export function createExpressions(): Expressions {
  const conditions = createCache((text): Condition => {
    const { condition, redundant } = parseCondition(text);
    if (redundant) throw new ExpressionError("The expression has redundant parentheses;");
    checkCondition(condition);
    return condition;
  });
  const updates = createCache((text): readonly UpdateAction[] => {
    const { actions, repeated } = parseUpdate(text);
    checkUpdate(actions, repeated);
    return actions;
  });
  const projections = createCache((text): readonly Path[] => {
    const paths = parseProjection(text);
    checkProjection(paths);
    return paths;
  });
  return {
    condition: (parameter, text, placeholders) => named(parameter, () => bindCondition(conditions(text), placeholders)),
    update: (text, placeholders) => named("UpdateExpression", () => bindUpdate(updates(text), placeholders)),
    projection: (text, placeholders) =>
      named("ProjectionExpression", () => bindProjection(projections(text), placeholders)),
  };
}

function createCache<T>(parse: (text: string) => T): (text: string) => T {
  const kept: Lru<{ readonly parsed: T }> = createLru(dynamoLimits.expressionsKept);
  return (text) => {
    const known = kept.get(text);
    if (known) return known.parsed;
    const parsed = parse(text);
    kept.set(text, { parsed });
    return parsed;
  };
}

function named<T>(parameter: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof ExpressionError ? invalidExpression(parameter, error.message) : error;
  }
}
