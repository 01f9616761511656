import type { Store } from "../../../kernel/store/store.ts";
import type { DomainsPort } from "../../execute-api/port.ts";
import type { DeployNeeds } from "../deploy.ts";

export interface ApiGatewayV2Needs extends DeployNeeds {
  readonly store: Store;
  /** Whether the data plane can evaluate a selection expression of a WebSocket API. */
  readonly isSelectionExpression: (expression: string) => boolean;
  readonly domains: DomainsPort;
}
