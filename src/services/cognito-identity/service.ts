import type { OwnIssuers } from "../../access/tokens/issuers.ts";
import type { Service } from "../../wire/service.ts";
import type { ResourceType } from "../cloudformation/port.ts";
import { cognitoIdentityConditionKeys } from "./condition-keys.ts";
import { createLoginProviders } from "./login-providers.ts";
import { createLogins } from "./logins.ts";
import type { CognitoIdentityNeeds } from "./needs.ts";
import { credentialOperations } from "./operations/credentials.ts";
import { developerIdentityOperations } from "./operations/developer-identities.ts";
import { identityOperations } from "./operations/identities.ts";
import { poolOperations } from "./operations/pools.ts";
import { roleOperations } from "./operations/roles.ts";
import { tagOperations } from "./operations/tags.ts";
import { identityPoolType } from "./resources/identity-pool.ts";
import { principalTagType } from "./resources/principal-tag.ts";
import { roleAttachmentType } from "./resources/role-attachment.ts";
import { createSigningKeys } from "./signing-key.ts";
import { identityIssuer } from "./tokens.ts";
import { handleIdentityJobs } from "./worker.ts";

export interface CognitoIdentity {
  readonly service: Service;
  /** Whose tokens AssumeRoleWithWebIdentity verifies in process. */
  readonly issuers: OwnIssuers;
  readonly resourceTypes: readonly ResourceType[];
}

/** Cognito identity pools: credentials of this platform for whom others vouch. */
export function createCognitoIdentity(needs: CognitoIdentityNeeds): CognitoIdentity {
  handleIdentityJobs(needs);
  const signingKey = createSigningKeys(needs);
  const all = {
    ...needs,
    signingKey,
    verifyLogins: createLogins({ providers: createLoginProviders(needs), signingKey }),
  };
  const findKey = async (kid: string) => {
    const key = await signingKey();
    return kid === key.kid ? key.publicKey : undefined;
  };
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
      conditionKeys: cognitoIdentityConditionKeys(needs.store),
    },
    issuers: {
      find: async (issuer) => (issuer === identityIssuer ? { findKey: (_issuer, kid) => findKey(kid) } : undefined),
      isSame: () => false,
    },
    resourceTypes: [identityPoolType, roleAttachmentType, principalTagType],
  };
}
