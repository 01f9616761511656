import type { Store } from "../../../kernel/store/store.ts";
import type { DomainsPort, ModelChecker } from "../../execute-api/port.ts";
import type { IamPort } from "../../iam/port.ts";
import type { DeployNeeds } from "../deploy.ts";
import type { Integrable } from "../integration-rules.ts";

export interface ApiGatewayV2Needs extends DeployNeeds {
  readonly store: Store;
  readonly iam: Pick<IamPort, "passRole">;
  readonly integrable: Integrable;
  /** Whether the data plane can evaluate a selection expression of a WebSocket API. */
  readonly isSelectionExpression: (expression: string) => boolean;
  readonly domains: DomainsPort;
  readonly models: ModelChecker;
}
