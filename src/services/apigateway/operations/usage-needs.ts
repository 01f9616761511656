import type { Ids } from "../../../kernel/ids.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { DomainsPort, UsagePort } from "../../execute-api/port.ts";

/** What operations on API keys and usage plans need. */
export interface UsageNeeds {
  readonly store: Store;
  readonly ids: Ids;
  readonly usage: UsagePort;
  readonly domains: Pick<DomainsPort, "kindOf">;
}
