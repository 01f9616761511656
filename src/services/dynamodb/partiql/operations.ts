import type { DataNeeds } from "../operations/data-needs.ts";
import { batchOperation } from "./batch-execute.ts";
import { createStatements } from "./compile.ts";
import { statementOperation } from "./execute-statement.ts";
import { transactionOperation } from "./execute-transaction.ts";

/** PartiQL: ExecuteStatement, BatchExecuteStatement, ExecuteTransaction. */
export function partiqlOperations(needs: DataNeeds) {
  const statements = createStatements();
  return {
    ...statementOperation(needs, statements),
    ...batchOperation(needs, statements),
    ...transactionOperation(needs, statements),
  };
}
