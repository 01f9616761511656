import type { Key, Store } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { alreadyExists, noSuchEntity } from "../errors.ts";
import { iamLimits } from "../limits.ts";
import { mfaPrefix, type MfaDevice } from "../mfa/devices.ts";
import { entityPrefix, policyPrefix, readAll, type ManagedPolicy } from "../model.ts";
import { oidcProviderPrefix } from "../oidc-providers.ts";
import { present } from "../rules.ts";
import { instanceProfilePrefix } from "../instance-profiles.ts";
import { samlProviderPrefix } from "../saml-providers.ts";
import { change, onResource, type IamOperations, type OperationNeeds } from "./needs.ts";

/** The account itself: its alias, and how much of its quotas is used. */
export function accountOperations({ store }: OperationNeeds) {
  return {
    CreateAccountAlias: {
      authorize: (_input, call) => onResource(call, "*"),
      run: (input, call) =>
        change(store, async (tx) => {
          const alias = present(input.AccountAlias);
          const owner = await tx.get<string>(ownerKey(alias));
          if (owner !== undefined) throw alreadyExists(`The account alias ${alias} already exists.`);
          const before = await tx.get<string>(aliasKey(call.account));
          // AWS: an account has one alias; a new one takes its place.
          if (before !== undefined) tx.delete(ownerKey(before));
          tx.set(ownerKey(alias), call.account);
          tx.set(aliasKey(call.account), alias);
        }),
    },
    ListAccountAliases: {
      authorize: (_input, call) => onResource(call, "*"),
      async run(_input, call) {
        const alias = await store.read((reader) => reader.get<string>(aliasKey(call.account)));
        return { AccountAliases: alias === undefined ? [] : [alias], IsTruncated: false };
      },
    },
    DeleteAccountAlias: {
      authorize: (_input, call) => onResource(call, "*"),
      run: (input, call) =>
        change(store, async (tx) => {
          const alias = present(input.AccountAlias);
          if ((await tx.get<string>(aliasKey(call.account))) !== alias) {
            throw noSuchEntity(`The account alias with name ${alias} cannot be found.`);
          }
          tx.delete(ownerKey(alias));
          tx.delete(aliasKey(call.account));
        }),
    },
    GetAccountSummary: {
      authorize: (_input, call) => onResource(call, "*"),
      run: async (_input, call) => ({ SummaryMap: await summarize(store, call) }),
    },
  } satisfies IamOperations;
}

function aliasKey(account: string): Key {
  return ["iam", account, "alias"];
}

/** Aliases are unique among all accounts. */
function ownerKey(alias: string): Key {
  return ["iam", "alias", alias];
}

async function summarize(store: Store, { account }: Call): Promise<Record<string, number>> {
  return await store.read(async (reader) => {
    const count = async (prefix: Key) => (await readAll(reader, prefix)).length;
    const policies = await readAll<ManagedPolicy>(reader, policyPrefix(account));
    const devices = await readAll<MfaDevice>(reader, mfaPrefix(account));
    const providers = (await count(oidcProviderPrefix(account))) + (await count(samlProviderPrefix(account)));
    return {
      Users: await count(entityPrefix(account, "user")),
      UsersQuota: iamLimits.usersPerAccount,
      Groups: await count(entityPrefix(account, "group")),
      GroupsQuota: iamLimits.groupsPerAccount,
      Roles: await count(entityPrefix(account, "role")),
      RolesQuota: iamLimits.rolesPerAccount,
      Policies: policies.length,
      PoliciesQuota: iamLimits.policiesPerAccount,
      PolicyVersionsInUse: policies.reduce((sum, { versions }) => sum + versions.length, 0),
      PolicyVersionsInUseQuota: 10_000,
      VersionsPerPolicyQuota: iamLimits.policyVersionsMax,
      PolicySizeQuota: iamLimits.managedPolicyCharactersMax,
      UserPolicySizeQuota: iamLimits.inlinePoliciesCharactersMax.user,
      GroupPolicySizeQuota: iamLimits.inlinePoliciesCharactersMax.group,
      RolePolicySizeQuota: iamLimits.inlinePoliciesCharactersMax.role,
      AssumeRolePolicySizeQuota: iamLimits.trustPolicyCharactersMax,
      AttachedPoliciesPerUserQuota: iamLimits.attachedPoliciesMax,
      AttachedPoliciesPerGroupQuota: iamLimits.attachedPoliciesMax,
      AttachedPoliciesPerRoleQuota: iamLimits.attachedPoliciesMax,
      GroupsPerUserQuota: iamLimits.groupsPerUserMax,
      AccessKeysPerUserQuota: iamLimits.accessKeysPerUserMax,
      SigningCertificatesPerUserQuota: 2,
      ServerCertificates: 0,
      ServerCertificatesQuota: 20,
      InstanceProfiles: await count(instanceProfilePrefix(account)),
      InstanceProfilesQuota: iamLimits.instanceProfilesPerAccount,
      Providers: providers,
      MFADevices: devices.length,
      MFADevicesInUse: devices.filter(({ user }) => user !== undefined).length,
      // The root has keys, and neither a password nor devices.
      AccountMFAEnabled: 0,
      AccountAccessKeysPresent: 1,
      AccountPasswordPresent: 0,
      AccountSigningCertificatesPresent: 0,
      GlobalEndpointTokenVersion: 2,
    };
  });
}
