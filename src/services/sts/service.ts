import type { Service } from "../../wire/service.ts";
import type { StsNeeds, StsOperations } from "./needs.ts";
import { assumeRoleOperations } from "./operations/assume-role.ts";
import { identityOperations } from "./operations/identity.ts";
import { sessionTokenOperations } from "./operations/session-tokens.ts";
import { createStsPort, webIdentityOperations } from "./operations/web-identity.ts";
import type { StsPort } from "./port.ts";

/** STS: temporary credentials. */
export function createSts(needs: StsNeeds): { readonly service: Service; readonly port: StsPort } {
  const port = createStsPort(needs);
  const operations = {
    ...assumeRoleOperations(needs),
    ...webIdentityOperations(needs, port),
    ...sessionTokenOperations(needs),
    ...identityOperations(needs),
  } satisfies StsOperations;
  return { service: { name: "sts", operations }, port };
}
