import { validation } from "../errors.ts";
import type { Operand, UpdateAction } from "../expressions/ast.ts";
import { bindUpdate, type BoundUpdate } from "../expressions/update.ts";
import type { Expression, PathExpression, UpdateClause } from "./ast.ts";
import { bind, createTranslation, type Translation } from "./conditions.ts";
import { toValue, type Parameters } from "./literals.ts";
import { refusedAt } from "./malformed.ts";

/** SET and REMOVE clauses as the update that they are. @throws {ValidationException} */
export function toUpdate(clauses: readonly UpdateClause[], parameters: Parameters): readonly BoundUpdate[] {
  const translation = createTranslation();
  const actions = clauses.map((clause) => toAction(clause, { ...translation, parameters }));
  return bind(() => bindUpdate(actions, translation.placeholders));
}

type Needs = Translation & { readonly parameters: Parameters };

function toAction(clause: UpdateClause, needs: Needs): UpdateAction {
  const path = needs.path(clause.path);
  if (clause.kind === "remove") return { kind: "remove", path };
  const { value } = clause;
  if (value.kind === "call") {
    const name = value.name.toLowerCase();
    if (name === "set_add" || name === "set_delete") {
      return { kind: name === "set_add" ? "add" : "delete", path, value: toSetOperand(clause.path, value, needs) };
    }
  }
  return { kind: "set", path, value: toOperand(value, needs) };
}

/** `a = set_add(a, <<…>>)`: what is added or taken. */
function toSetOperand(target: PathExpression, call: Expression & { readonly kind: "call" }, needs: Needs): Operand {
  const name = call.name.toUpperCase();
  const [first, second] = call.args;
  if (!first || !second || call.args.length !== 2) {
    throw refusedAt(`${name} must have exactly two arguments`, call.place);
  }
  const isTarget = first.kind === "path" && JSON.stringify(first.steps) === JSON.stringify(target.steps);
  if (!isTarget) throw refusedAt(`The first argument to ${name} must equal the assignment value`, call.place);
  const value = second.kind === "path" ? undefined : toValue(second, needs.parameters);
  if (!value || !("SS" in value || "NS" in value || "BS" in value)) {
    // AWS: the place is the first argument's.
    throw refusedAt(`The second argument to ${name} must be a value with type SET`, first.place);
  }
  return needs.value(value);
}

function toOperand(expression: Expression, needs: Needs): Operand {
  switch (expression.kind) {
    case "path":
      return { kind: "path", path: needs.path(expression) };
    case "call":
      if (expression.name.toLowerCase() !== "list_append") {
        throw refusedAt(`Unrecognized function: ${expression.name}`, expression.place);
      }
      return { kind: "call", name: "list_append", args: expression.args.map((each) => toOperand(each, needs)) };
    case "binary": {
      const { operator, left, right } = expression;
      if (operator !== "+" && operator !== "-") throw unsupported(operator);
      return { kind: "math", operator, left: toOperand(left, needs), right: toOperand(right, needs) };
    }
    case "is":
      throw validation("IS operator is not supported in update expressions");
    case "sign":
      throw unsupported(expression.operator);
    case "and":
    case "or":
    case "not":
    case "between":
    case "in":
      throw unsupported(expression.kind.toUpperCase());
    default:
      return needs.value(toValue(expression, needs.parameters));
  }
}

function unsupported(operator: string) {
  return validation(`Unsupported operator in Update Expression. Operator: ${operator}`);
}
