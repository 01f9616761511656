import type { Reader, Store } from "../../../kernel/store/store.ts";
import type { DomainsPort, ModelChecker, PublishedClientCertificate } from "../../execute-api/port.ts";
import type { IamPort } from "../../iam/port.ts";
import type { DeployNeeds } from "../deploy.ts";
import type { Integrable } from "../integration-rules.ts";
import type { Place } from "../model.ts";
import type { IsExpression } from "../websocket/rules.ts";

export interface ApiGatewayV2Needs extends DeployNeeds {
  readonly store: Store;
  readonly iam: Pick<IamPort, "passRole">;
  readonly integrable: Integrable;
  /** Whether the data plane can evaluate a selection expression of a WebSocket API. */
  readonly isSelectionExpression: IsExpression;
  /** Whether an account has a role in a region that API Gateway may log with. */
  readonly hasLoggingRole: (reader: Reader, place: Place) => Promise<boolean>;
  readonly domains: DomainsPort;
  /** A client certificate that API Gateway has generated. Throws NotFoundException. */
  readonly readClientCertificate: (reader: Reader, place: Place, id: string) => Promise<PublishedClientCertificate>;
  readonly models: ModelChecker;
}
