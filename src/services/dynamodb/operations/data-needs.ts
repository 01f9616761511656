import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { Expressions } from "../expressions/expressions.ts";
import type { Observer } from "../items/observer.ts";
import type { Throttle } from "../items/throttle.ts";
import type { TransactionTokens } from "../items/transaction-tokens.ts";
import type { ItemWriter } from "../items/writer.ts";
import type { TableCatalog } from "../tables/catalog.ts";

/** What the operations on items share. */
export interface DataNeeds {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly catalog: TableCatalog;
  readonly writer: ItemWriter;
  readonly tokens: TransactionTokens;
  readonly expressions: Expressions;
  readonly throttle: Throttle;
  readonly observer: Observer;
}
