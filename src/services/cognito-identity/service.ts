import type { Service } from "../../wire/service.ts";
import type { ResourceType } from "../cloudformation/port.ts";
import { createLogins } from "./logins.ts";
import type { CognitoIdentityNeeds } from "./needs.ts";
import { credentialOperations } from "./operations/credentials.ts";
import { developerIdentityOperations } from "./operations/developer-identities.ts";
import { identityOperations } from "./operations/identities.ts";
import { poolOperations } from "./operations/pools.ts";
import { roleOperations } from "./operations/roles.ts";
import { tagOperations } from "./operations/tags.ts";
import type { CognitoIdentityPort } from "./port.ts";
import { identityPoolType } from "./resources/identity-pool.ts";
import { principalTagType } from "./resources/principal-tag.ts";
import { roleAttachmentType } from "./resources/role-attachment.ts";
import { createSigningKeys } from "./signing-key.ts";
import { identityIssuer } from "./tokens.ts";
import { handleIdentityJobs } from "./worker.ts";

export interface CognitoIdentity {
  readonly service: Service;
  readonly port: CognitoIdentityPort;
  readonly resourceTypes: readonly ResourceType[];
}

/** Cognito identity pools: credentials of this platform for whom others vouch. */
export function createCognitoIdentity(needs: CognitoIdentityNeeds): CognitoIdentity {
  handleIdentityJobs(needs);
  const signingKey = createSigningKeys(needs);
  const all = { ...needs, signingKey, verifyLogins: createLogins({ providers: needs.providers, signingKey }) };
  return {
    service: {
      name: "cognito-identity",
      operations: {
        ...poolOperations(all),
        ...tagOperations(all),
        ...roleOperations(all),
        ...identityOperations(all),
        ...credentialOperations(all),
        ...developerIdentityOperations(all),
      },
    },
    port: {
      issuer: identityIssuer,
      keys: {
        findKey: async (issuer, kid) => {
          const key = await signingKey();
          return issuer === identityIssuer && kid === key.kid ? key.publicKey : undefined;
        },
      },
    },
    resourceTypes: [identityPoolType, roleAttachmentType, principalTagType],
  };
}
