import type { Service } from "../../wire/service.ts";
import type { ResourceType } from "../cloudformation/port.ts";
import { handleBackups } from "./backups/jobs.ts";
import { backupOperations } from "./backups/operations.ts";
import { createExpressions } from "./expressions/expressions.ts";
import { createObserver } from "./items/observer.ts";
import { createThrottle } from "./items/throttle.ts";
import { createTransactionTokens } from "./items/transaction-tokens.ts";
import { createItemWriter } from "./items/writer.ts";
import type { DynamoNeeds } from "./needs.ts";
import { batchWriteOperations } from "./operations/batch-write.ts";
import type { DataNeeds } from "./operations/data-needs.ts";
import { getOperations } from "./operations/get-items.ts";
import { queryOperations } from "./operations/query-items.ts";
import { tableOperations } from "./operations/tables.ts";
import { recoveryOperations } from "./operations/recovery.ts";
import { resourceOperations } from "./operations/tags-and-policies.ts";
import { timeToLiveOperations } from "./operations/time-to-live.ts";
import { transactionOperations } from "./operations/transactions.ts";
import { writeOperations } from "./operations/write-items.ts";
import { partiqlOperations } from "./partiql/operations.ts";
import type { StreamsPort } from "./port.ts";
import { globalTableType } from "./resources/global-table.ts";
import { tableType } from "./resources/table.ts";
import { handleRestores } from "./restore.ts";
import { createStreams } from "./streams.ts";
import { createTableCatalog } from "./tables/catalog.ts";
import { handleExports } from "./transfer/export-job.ts";
import { exportOperations } from "./transfer/export-operations.ts";
import { handleImports } from "./transfer/import-job.ts";
import { importOperations } from "./transfer/import-operations.ts";
import { handleTableJobs } from "./worker.ts";

export interface DynamoDb {
  readonly service: Service;
  readonly streams: StreamsPort;
  readonly resourceTypes: readonly ResourceType[];
  /** Hands on the metrics that are still in memory. */
  stop(): void;
}

/** DynamoDB. */
export function createDynamoDb(needs: DynamoNeeds): DynamoDb {
  const { clock } = needs;
  const catalog = createTableCatalog(needs.store);
  const observer = createObserver(needs);
  const writer = createItemWriter(needs);
  const data: DataNeeds = {
    store: needs.store,
    clock,
    ids: needs.ids,
    catalog,
    writer,
    tokens: createTransactionTokens(needs),
    expressions: createExpressions(),
    throttle: createThrottle(() => clock.now()),
    observer,
  };
  const all = { ...needs, catalog };
  handleTableJobs({ ...all, writer, observer });
  handleRestores(needs);
  handleBackups(needs);
  handleExports(needs);
  handleImports(needs);
  return {
    service: {
      name: "dynamodb",
      operations: {
        ...tableOperations(all),
        ...resourceOperations(all),
        ...timeToLiveOperations(all),
        ...recoveryOperations(all),
        ...backupOperations(all),
        ...exportOperations(all),
        ...importOperations(all),
        ...writeOperations(data),
        ...getOperations(data),
        ...queryOperations(data),
        ...batchWriteOperations(data),
        ...transactionOperations(data),
        ...partiqlOperations(data),
      },
    },
    streams: createStreams(needs),
    resourceTypes: [tableType, globalTableType],
    stop: () => {
      observer.stop();
      catalog.stop();
    },
  };
}
