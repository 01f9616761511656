import type { Seal } from "../../../access/server-keys.ts";
import type { Reader, Store } from "../../../kernel/store/store.ts";
import type { DomainsPort, TestAuthorizer, TestMethod, UsagePort } from "../../execute-api/port.ts";
import type { IamPort } from "../../iam/port.ts";
import type { DeployNeeds } from "../deploy.ts";
import type { Place } from "../model.ts";

export interface ApiGatewayNeeds extends DeployNeeds {
  readonly store: Store;
  readonly iam: Pick<IamPort, "passRole">;
  readonly usage: UsagePort;
  readonly domains: DomainsPort;
  readonly testAuthorizer: TestAuthorizer;
  readonly testMethod: TestMethod;
  /** Seals the keys of client certificates. */
  readonly seal: Seal;
  /** Whether a stage of another kind of API shows its endpoints a client certificate. */
  readonly usesClientCertificate: (reader: Reader, place: Place, id: string) => Promise<boolean>;
}
