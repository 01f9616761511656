import type { OwnIssuers } from "../../access/tokens/issuers.ts";
import type { Reader } from "../../kernel/store/store.ts";
import type { Service } from "../../wire/service.ts";
import type { ResourceType } from "../cloudformation/port.ts";
import type { Cognito } from "./core.ts";
import { createOwnIssuers, createUserPoolsPort } from "./create-port.ts";
import type { Outbound } from "./federation/outbound.ts";
import { createUserPoolsHttp } from "./http.ts";
import { domainKey } from "./model.ts";
import type { CognitoNeeds } from "./needs.ts";
import { createCustomHosts, type CustomHosts } from "./oauth/custom-hosts.ts";
import { createDomainHttp } from "./oauth/domain-http.ts";
import { adminUserOperations } from "./operations/admin-users.ts";
import { authOperations } from "./operations/auth.ts";
import { clientOperations } from "./operations/clients.ts";
import { deviceOperations } from "./operations/devices.ts";
import { domainOperations } from "./operations/domains.ts";
import { groupOperations } from "./operations/groups.ts";
import { importOperations } from "./operations/imports.ts";
import { listUserOperations } from "./operations/list-users.ts";
import { mfaOperations } from "./operations/mfa.ts";
import { ownUserOperations } from "./operations/own-user.ts";
import { passkeyOperations } from "./operations/passkeys.ts";
import { poolOperations } from "./operations/pools.ts";
import { providerOperations } from "./operations/providers.ts";
import { resourceServerOperations } from "./operations/resource-servers.ts";
import { signUpOperations } from "./operations/sign-up.ts";
import { tagOperations } from "./operations/tags.ts";
import { createOutbox, type Message, readMessages } from "./outbox/outbox.ts";
import { handleMail } from "./outbox/mail.ts";
import { customizationOperations } from "./pages/customization-operations.ts";
import type { PublicApi } from "./pages/public-api.ts";
import type { UserPoolsHttp, UserPoolsPort } from "./port.ts";
import {
  identityProviderType,
  resourceServerType,
  userPoolDomainType,
  userPoolGroupType,
  userPoolUserType,
  userToGroupType,
} from "./resources/in-pool.ts";
import { uiCustomizationType } from "./resources/ui-customization.ts";
import { userPoolClientType } from "./resources/user-pool-client.ts";
import { userPoolType } from "./resources/user-pool.ts";
import { createSigningKeys } from "./tokens/signing-keys.ts";
import { createTriggers } from "./triggers/triggers.ts";
import { handleCognitoJobs, scheduleSweep } from "./worker.ts";

export interface CognitoIdp {
  readonly service: Service;
  readonly port: UserPoolsPort;
  /** Write the job that sweeps what has ended. Before jobs are started. */
  readonly start: () => Promise<void>;
  /** Messages that an account's pools have sent, the newest first. */
  readonly messages: (account: string, limit: number) => Promise<readonly Message[]>;
  /** Whose tokens authorizers verify in process. */
  readonly issuers: OwnIssuers;
  readonly resourceTypes: readonly ResourceType[];
  /** Documents of pools, and what is at their domains. */
  readonly http: UserPoolsHttp;
  /** Hosts that are domains of pools, beside those whose names say so. */
  readonly customHosts: CustomHosts;
  /** Whether a host in lower case is the custom domain of a pool. */
  readonly holdsHost: (reader: Reader, host: string) => Promise<boolean>;
}

/** What pools' domains need beside. */
export interface DomainNeeds {
  /** The service's own operations, for the hosted pages. */
  readonly api: PublicApi;
  /** External identity providers are reached by it. */
  readonly outbound: Outbound;
}

/** Cognito user pools. */
export function createCognitoIdp(needs: CognitoNeeds & DomainNeeds): CognitoIdp {
  const { api, outbound } = needs;
  const cognito: Cognito = {
    ...needs,
    keys: createSigningKeys(needs),
    triggers: createTriggers(needs),
    outbox: createOutbox(needs),
  };
  handleCognitoJobs(cognito);
  if (needs.smtpUrl !== undefined) handleMail(cognito, needs.smtpUrl);
  return {
    service: {
      name: "cognito-idp",
      operations: {
        ...adminUserOperations(cognito),
        ...authOperations(cognito),
        ...clientOperations(cognito),
        ...customizationOperations(cognito),
        ...deviceOperations(cognito),
        ...domainOperations(cognito),
        ...groupOperations(cognito),
        ...importOperations(cognito),
        ...listUserOperations(cognito),
        ...mfaOperations(cognito),
        ...ownUserOperations(cognito),
        ...passkeyOperations(cognito),
        ...poolOperations(cognito),
        ...providerOperations(cognito),
        ...resourceServerOperations(cognito),
        ...signUpOperations(cognito),
        ...tagOperations(cognito),
      },
    },
    start: () => scheduleSweep(cognito),
    messages: (account, limit) => cognito.store.read((reader) => readMessages(reader, account, limit)),
    port: createUserPoolsPort(cognito),
    issuers: createOwnIssuers(cognito),
    resourceTypes: [
      userPoolType,
      userPoolClientType,
      userPoolGroupType,
      userPoolUserType,
      userToGroupType,
      userPoolDomainType,
      resourceServerType,
      identityProviderType,
      uiCustomizationType,
    ],
    customHosts: createCustomHosts(needs),
    holdsHost: async (reader, host) => (await reader.get(domainKey(host))) !== undefined,
    http: createUserPoolsHttp(cognito, createDomainHttp({ cognito, api, outbound })),
  };
}
