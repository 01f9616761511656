import type { Call, OperationsOf } from "../../../wire/service.ts";
import { validation } from "../errors.ts";
import { jsonOf, toAnswer } from "../items/answer.ts";
import { toConsumedCapacity } from "../items/capacity.ts";
import type { Sdk } from "../needs.ts";
import type { DataNeeds } from "../operations/data-needs.ts";
import { performWrite } from "../operations/write-items.ts";
import { authorizationOf } from "./access.ts";
import type { Compiled, StatementInput, Statements } from "./compile.ts";
import { runSelect } from "./select.ts";
import { returned, toWrite } from "./writes.ts";

/** ExecuteStatement. */
export function statementOperation(needs: DataNeeds, statements: Statements) {
  const { catalog, observer } = needs;
  const compile = (input: StatementInput, call: Call): Compiled =>
    statements.compile(input, statements.parameters(input), call);
  return {
    ExecuteStatement: {
      authorize: (input, call) => authorizationOf(catalog, call, [compile(input, call)]),
      run: (input, call): Promise<never> => {
        const statement = compile(input, call);
        const { name } = statement.name;
        if (statement.kind === "select") {
          return observer.observe(call, name, () => runSelect(needs, call, input, statement), "read");
        }
        return observer.observe(
          call,
          name,
          async () => {
            if (statement.kind === "exists") throw existsOutside();
            if (input.NextToken !== undefined) throw validation("NextToken does not match request");
            assertNoIndex(statement);
            const table = await catalog.active(statement.name);
            const write = toWrite(table, statement, input.ReturnValuesOnConditionCheckFailure);
            const { written, used } = await performWrite(needs, call, write);
            return toAnswer(call, {
              Items: `[${returned(statement, written) ?? ""}]`,
              ConsumedCapacity: jsonOf(toConsumedCapacity(used, input.ReturnConsumedCapacity)),
            });
          },
          "write",
        );
      },
    },
  } satisfies OperationsOf<Sdk>;
}

/** @throws {ValidationException} for an index that should be written */
export function assertNoIndex({ index }: Compiled): void {
  if (index !== undefined) throw validation("This operation is not supported on an index");
}

export function existsOutside() {
  return validation("EXISTS can only be used in ExecuteTransaction write requests.");
}
