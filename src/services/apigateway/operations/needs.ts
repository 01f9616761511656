import type { Store } from "../../../kernel/store/store.ts";
import type { DeployNeeds } from "../deploy.ts";

export interface ApiGatewayNeeds extends DeployNeeds {
  readonly store: Store;
}
