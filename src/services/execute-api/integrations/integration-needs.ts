import type { InnerApi } from "../../../wire/service.ts";
import type { AssumedRoles } from "./assumed-roles.ts";
import type { Upstream } from "./upstream.ts";

/** What integrations other than functions answer with. */
export interface IntegrationNeeds {
  readonly upstream: Upstream;
  /** The AWS APIs of the platform. */
  readonly innerApi: InnerApi;
  readonly roles: AssumedRoles;
}
