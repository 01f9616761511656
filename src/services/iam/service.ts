import type { AccessKeySource } from "../../access/credential-source.ts";
import type { IdentitySource } from "../../access/identity-source.ts";
import type { PolicyCompiler } from "../../access/policy/compile.ts";
import type { NamedPolicy } from "../../access/policy/evaluate.ts";
import type { ServerKeys } from "../../access/server-keys.ts";
import type { Sessions } from "../../access/sessions.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { Service } from "../../wire/service.ts";
import type { ResourceType } from "../cloudformation/port.ts";
import { createIamPort } from "./assume-role.ts";
import { createIdentities } from "./identities.ts";
import { withKeptPrincipals } from "./kept-principals.ts";
import { createLastUses } from "./last-uses.ts";
import { awsPolicyArns } from "./managed-policies.ts";
import { accountOperations } from "./operations/account.ts";
import { accessKeyOperations } from "./operations/access-keys.ts";
import { attachmentOperations } from "./operations/attachments.ts";
import { authorizationDetailOperations } from "./operations/authorization-details.ts";
import { boundaryOperations } from "./operations/boundaries.ts";
import { contextKeyOperations } from "./operations/context-keys.ts";
import { credentialReportOperations } from "./operations/credential-report.ts";
import { groupOperations } from "./operations/groups.ts";
import { inlinePolicyOperations } from "./operations/inline-policies.ts";
import type { IamOperations } from "./operations/needs.ts";
import { instanceProfileOperations } from "./operations/instance-profiles.ts";
import { lastAccessedOperations } from "./operations/last-accessed.ts";
import { mfaOperations } from "./operations/mfa.ts";
import { oidcProviderOperations } from "./operations/oidc-providers.ts";
import { passwordOperations } from "./operations/passwords.ts";
import { policyOperations } from "./operations/policies.ts";
import { roleOperations } from "./operations/roles.ts";
import { samlProviderOperations } from "./operations/saml-providers.ts";
import { serviceLinkedRoleOperations } from "./operations/service-linked-roles.ts";
import { simulationOperations } from "./operations/simulation.ts";
import { tagOperations } from "./operations/tags.ts";
import { userOperations } from "./operations/users.ts";
import { createPolicyPrincipals } from "./policy-principals.ts";
import type { IamPort } from "./port.ts";
import { withoutSessions } from "./session-guard.ts";
import { accessKeyType } from "./resources/access-key.ts";
import { groupType, userToGroupAdditionType } from "./resources/group.ts";
import { inlinePolicyTypes } from "./resources/inline-policy.ts";
import { managedPolicyType } from "./resources/managed-policy.ts";
import { policyType } from "./resources/policy.ts";
import {
  instanceProfileType,
  oidcProviderType,
  samlProviderType,
  serviceLinkedRoleType,
  virtualMfaDeviceType,
} from "./resources/providers.ts";
import { roleType } from "./resources/role.ts";
import { userType } from "./resources/user.ts";

export interface IamNeeds {
  readonly store: Store;
  readonly ids: Ids;
  readonly keys: ServerKeys;
  readonly compile: PolicyCompiler;
  readonly sessions: Sessions;
  /** What the operator lets accounts do at the most: simulations tell. */
  readonly guardRails?: NamedPolicy | undefined;
  readonly now: () => number;
}

export interface Iam {
  readonly service: Service;
  readonly port: IamPort;
  readonly resourceTypes: readonly ResourceType[];
  /** AWS's managed policies by name: their ARNs. */
  readonly managedPolicies: Readonly<Record<string, string>>;
  /** A service whose policies keep users and roles by their unique ids, and show them by name. */
  keepPrincipals(service: Service): Service;
  /** For `createAuthorizer`. */
  readonly identities: IdentitySource;
  /** For `createVerifier`: users' keys. */
  readonly accessKeys: AccessKeySource;
  /** A user or role has called a service: for `RoleLastUsed` and the details of services last accessed. */
  readonly noteUse: ReturnType<typeof createLastUses>;
  stop(): void;
}

/** IAM: identities and their policies, per account. */
export function createIam(needs: IamNeeds): Iam {
  const { store, ids, keys, compile, sessions, guardRails, now } = needs;
  const operationNeeds = { store, ids, seal: keys.records, compile };
  const { identities, accessKeys, stop } = createIdentities({ store, seal: keys.records, compile, now });
  const principals = createPolicyPrincipals(store);
  const operations = {
    ...roleOperations(operationNeeds),
    ...userOperations(operationNeeds),
    ...groupOperations(operationNeeds),
    ...inlinePolicyOperations(operationNeeds),
    ...attachmentOperations(operationNeeds),
    ...policyOperations(operationNeeds),
    ...boundaryOperations(operationNeeds),
    ...accessKeyOperations(operationNeeds),
    ...tagOperations(operationNeeds),
    ...oidcProviderOperations(operationNeeds),
    ...mfaOperations(operationNeeds),
    ...passwordOperations(operationNeeds),
    ...credentialReportOperations(operationNeeds),
    ...authorizationDetailOperations(operationNeeds),
    ...lastAccessedOperations(operationNeeds),
    ...contextKeyOperations(operationNeeds),
    ...accountOperations(operationNeeds),
    ...samlProviderOperations(operationNeeds),
    ...instanceProfileOperations(operationNeeds),
    ...serviceLinkedRoleOperations(operationNeeds),
    ...simulationOperations(operationNeeds, guardRails),
  } satisfies IamOperations;
  return {
    service: { name: "iam", operations: withoutSessions(operations) },
    port: createIamPort({ store, compile, sessions, seal: keys.records, now }),
    resourceTypes: [
      roleType,
      policyType,
      managedPolicyType,
      userType,
      groupType,
      userToGroupAdditionType,
      accessKeyType,
      oidcProviderType,
      samlProviderType,
      virtualMfaDeviceType,
      serviceLinkedRoleType,
      instanceProfileType,
      ...inlinePolicyTypes,
    ],
    managedPolicies: awsPolicyArns(),
    keepPrincipals: (service) => withKeptPrincipals(service, principals),
    identities,
    accessKeys,
    noteUse: createLastUses(store),
    stop,
  };
}
