import { notImplemented } from "../../../aws/error.ts";
import { parseArn } from "../../../aws/arn.ts";
import type { InputOf, OperationsOf } from "../../../wire/service.ts";
import { invalidParameter, limitExceeded } from "../errors.ts";
import { identityLimits } from "../limits.ts";
import { publicIssuers } from "../logins.ts";
import { deletePool, poolsPrefix, writePool, type IdentityPool } from "../model.ts";
import type { CognitoIdentityNeeds, Sdk } from "../needs.ts";
import { existingPool, onAll, onPool, parsePageToken, present, requestTags, toPageToken } from "../pools.ts";
import { checkTags } from "../tags.ts";
import { forgetPool } from "../worker.ts";

type PoolInput = Omit<InputOf<Sdk, "CreateIdentityPool">, "IdentityPoolTags">;

export function poolOperations({ store, jobs, ids }: CognitoIdentityNeeds) {
  return {
    CreateIdentityPool: {
      authorize: (input, call) => onAll(call, requestTags(input.IdentityPoolTags)),
      async run(input, call) {
        const tags = input.IdentityPoolTags ?? {};
        checkTags(tags);
        const pool: IdentityPool = {
          v: 1,
          id: `${call.region}:${ids.uuid()}`,
          account: call.account,
          region: call.region,
          ...toSettings(input),
          tags,
          roles: {},
          roleMappings: {},
          principalTags: {},
        };
        await store.transact(async (tx) => {
          const { poolsMax } = identityLimits;
          const there = await tx.range({ prefix: poolsPrefix(call) }, { limit: poolsMax });
          if (there.length >= poolsMax) throw limitExceeded(`Identity pool count limit of ${poolsMax} exceeded.`);
          writePool(tx, pool);
        });
        return describe(pool);
      },
    },

    UpdateIdentityPool: {
      authorize: (input, call) =>
        onPool(store, call, present(input.IdentityPoolId), requestTags(input.IdentityPoolTags)),
      async run(input, call) {
        const settings = toSettings(input);
        const tags = input.IdentityPoolTags;
        if (tags) checkTags(tags);
        return store.transact(async (tx) => {
          const { id, v, account, region, ...before } = await existingPool(tx, call, present(input.IdentityPoolId));
          if (before.developerProviderName !== undefined) {
            if (settings.developerProviderName !== before.developerProviderName) {
              throw invalidParameter("The developer provider name cannot be changed once it has been set.");
            }
          }
          const { roles, roleMappings, principalTags } = before;
          // AWS: what an update does not say is gone; roles have operations of their own.
          const pool: IdentityPool = {
            v,
            id,
            account,
            region,
            ...settings,
            tags: tags ?? before.tags,
            roles,
            roleMappings,
            principalTags,
          };
          writePool(tx, pool);
          return describe(pool);
        });
      },
    },

    DescribeIdentityPool: {
      authorize: (input, call) => onPool(store, call, present(input.IdentityPoolId)),
      run: async (input, call) =>
        describe(await store.read((reader) => existingPool(reader, call, present(input.IdentityPoolId)))),
    },

    ListIdentityPools: {
      authorize: (_input, call) => onAll(call),
      async run(input, call) {
        const limit = present(input.MaxResults);
        const after = input.NextToken === undefined ? undefined : parsePageToken(input.NextToken);
        if (input.NextToken !== undefined && after === undefined) throw invalidParameter("Invalid pagination token.");
        const prefix = poolsPrefix(call);
        const entries = await store.read((reader) =>
          reader.range<string>(
            { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
            { limit: limit + 1 },
          ),
        );
        const page = entries.slice(0, limit);
        const last = page.at(-1);
        return {
          IdentityPools: page.map(({ key, value }) => ({
            IdentityPoolId: String(key.at(-1)),
            IdentityPoolName: value,
          })),
          ...(entries.length > limit && last && { NextToken: toPageToken(String(last.key.at(-1))) }),
        };
      },
    },

    DeleteIdentityPool: {
      authorize: (input, call) => onPool(store, call, present(input.IdentityPoolId)),
      run: (input, call) =>
        store.transact(async (tx) => {
          const pool = await existingPool(tx, call, present(input.IdentityPoolId));
          deletePool(tx, pool);
          forgetPool(tx, jobs, pool.id, call.now);
          return {};
        }),
    },
  } satisfies OperationsOf<Sdk>;
}

/** Of a create or an update, checked. */
function toSettings(input: PoolInput) {
  const {
    SupportedLoginProviders: publicProviders,
    SamlProviderARNs: samlArns,
    OpenIdConnectProviderARNs: openIdArns,
    CognitoIdentityProviders: userPools,
  } = input;
  if (samlArns?.length) throw notImplemented("The parameter SamlProviderARNs of identity pools");
  for (const [name, value] of Object.entries(publicProviders ?? {})) {
    if (!Object.hasOwn(publicIssuers, name)) {
      throw notImplemented(`The provider ${name} in SupportedLoginProviders of identity pools`);
    }
    if (value === "") throw invalidParameter(`Invalid value for the provider ${name}.`);
  }
  for (const arn of openIdArns ?? []) {
    const parsed = parseArn(arn);
    if (parsed?.service !== "iam" || !parsed.resource.startsWith("oidc-provider/")) {
      throw invalidParameter(`Invalid OpenID Connect provider ARN: ${arn}`);
    }
  }
  return {
    name: present(input.IdentityPoolName),
    allowUnauthenticated: present(input.AllowUnauthenticatedIdentities),
    ...(input.AllowClassicFlow !== undefined && { allowClassicFlow: input.AllowClassicFlow }),
    ...(publicProviders && { supportedLoginProviders: publicProviders }),
    ...(input.DeveloperProviderName !== undefined && { developerProviderName: input.DeveloperProviderName }),
    ...(openIdArns && { openIdConnectProviderArns: openIdArns }),
    ...(userPools && { userPools: toUserPools(userPools) }),
  };
}

function toUserPools(listed: NonNullable<PoolInput["CognitoIdentityProviders"]>) {
  if (listed.length > identityLimits.userPoolsPerPoolMax) {
    throw limitExceeded(`An identity pool has at most ${identityLimits.userPoolsPerPoolMax} user pool providers.`);
  }
  const providers = listed.map(({ ProviderName, ClientId, ServerSideTokenCheck }) => ({
    providerName: ProviderName ?? "",
    clientId: ClientId ?? "",
    serverSideTokenCheck: ServerSideTokenCheck ?? false,
  }));
  for (const { providerName, clientId } of providers) {
    if (clientId === "" || !/\/[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}_[A-Za-z0-9]{1,55}$/.test(providerName)) {
      throw invalidParameter(
        `Invalid Cognito Identity Provider: ${providerName || "null"}, client ${clientId || "null"}.`,
      );
    }
  }
  return providers;
}

function describe(pool: IdentityPool) {
  return {
    IdentityPoolId: pool.id,
    IdentityPoolName: pool.name,
    AllowUnauthenticatedIdentities: pool.allowUnauthenticated,
    ...(pool.allowClassicFlow !== undefined && { AllowClassicFlow: pool.allowClassicFlow }),
    ...(pool.supportedLoginProviders && { SupportedLoginProviders: { ...pool.supportedLoginProviders } }),
    ...(pool.developerProviderName !== undefined && { DeveloperProviderName: pool.developerProviderName }),
    ...(pool.openIdConnectProviderArns && { OpenIdConnectProviderARNs: [...pool.openIdConnectProviderArns] }),
    ...(pool.userPools && {
      CognitoIdentityProviders: pool.userPools.map(({ providerName, clientId, serverSideTokenCheck }) => ({
        ProviderName: providerName,
        ClientId: clientId,
        ServerSideTokenCheck: serverSideTokenCheck,
      })),
    }),
    IdentityPoolTags: { ...pool.tags },
  };
}
