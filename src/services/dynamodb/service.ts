import type { Service } from "../../wire/service.ts";
import { createExpressions } from "./expressions/expressions.ts";
import { createObserver } from "./items/observer.ts";
import { createThrottle } from "./items/throttle.ts";
import { createItemWriter } from "./items/writer.ts";
import type { DynamoNeeds } from "./needs.ts";
import { batchWriteOperations } from "./operations/batch-write.ts";
import type { DataNeeds } from "./operations/data-needs.ts";
import { getOperations } from "./operations/get-items.ts";
import { queryOperations } from "./operations/query-items.ts";
import { tableOperations } from "./operations/tables.ts";
import { resourceOperations } from "./operations/tags-and-policies.ts";
import { transactionOperations } from "./operations/transactions.ts";
import { writeOperations } from "./operations/write-items.ts";
import { createTableCatalog } from "./tables/catalog.ts";
import { handleTableJobs } from "./worker.ts";

export interface DynamoDb {
  readonly service: Service;
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
    expressions: createExpressions(),
    throttle: createThrottle(() => clock.now()),
    observer,
  };
  const all = { ...needs, catalog };
  handleTableJobs({ ...all, writer, observer });
  return {
    service: {
      name: "dynamodb",
      operations: {
        ...tableOperations(all),
        ...resourceOperations(all),
        ...writeOperations(data),
        ...getOperations(data),
        ...queryOperations(data),
        ...batchWriteOperations(data),
        ...transactionOperations(data),
      },
    },
    stop: () => {
      observer.stop();
      catalog.stop();
    },
  };
}
