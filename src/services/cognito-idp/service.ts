import type { OwnIssuers } from "../../access/tokens/issuers.ts";
import type { Service } from "../../wire/service.ts";
import type { ResourceType } from "../cloudformation/port.ts";
import type { Cognito } from "./core.ts";
import { createOwnIssuers, createUserPoolsPort } from "./create-port.ts";
import type { Outbound } from "./federation/outbound.ts";
import { createUserPoolsHttp } from "./http.ts";
import type { CognitoNeeds } from "./needs.ts";
import { createDomainHttp } from "./oauth/domain-http.ts";
import { createOutbox } from "./outbox/outbox.ts";
import type { PublicApi } from "./pages/flows.ts";
import { createSignInFlows } from "./pages/sign-in-flows.ts";
import type { UserPoolsHttp, UserPoolsPort } from "./port.ts";
import { createSigningKeys } from "./tokens/signing-keys.ts";
import { createTriggers } from "./triggers/triggers.ts";

export interface CognitoIdp {
  readonly service: Service;
  readonly port: UserPoolsPort;
  /** Whose tokens authorizers verify in process. */
  readonly issuers: OwnIssuers;
  readonly resourceTypes: readonly ResourceType[];
  /** Documents of pools, and what is at their domains. */
  readonly http: UserPoolsHttp;
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
  return {
    service: { name: "cognito-idp", operations: {} },
    port: createUserPoolsPort(cognito),
    issuers: createOwnIssuers(cognito),
    resourceTypes: [],
    http: createUserPoolsHttp(cognito, createDomainHttp({ cognito, api, outbound, flows: createSignInFlows() })),
  };
}
