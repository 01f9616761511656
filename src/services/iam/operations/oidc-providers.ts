import type { AuthorizationRequest } from "../../../access/authorization.ts";
import { isIssuerUrl } from "../../../access/tokens/issuers.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { alreadyExists, invalidInput, limitExceeded, noSuchEntity, validationError } from "../errors.ts";
import { iamLimits } from "../limits.ts";
import { readAll } from "../model.ts";
import {
  oidcProviderArn,
  oidcProviderKey,
  oidcProviderPrefix,
  providerName,
  readOidcProvider,
  type OidcProvider,
} from "../oidc-providers.ts";
import { parseTags, present, requestTagContext, resourceTagContext, toTagList, withoutTags } from "../rules.ts";
import { change, checkQuota, onResource, type IamOperations, type OperationNeeds } from "./needs.ts";
import { addTags, keyContext, tagContext, toTagPage } from "./tags.ts";

/** OpenID Connect providers: issuers whose tokens AssumeRoleWithWebIdentity takes. */
export function oidcProviderOperations({ store }: OperationNeeds) {
  const on = async (call: Call, arn: string | undefined, context: AuthorizationRequest["context"] = {}) => {
    const known = await store.read((reader) => readOidcProvider(reader, call.account, present(arn)));
    return onResource(call, present(arn), { ...resourceTagContext(known?.tags ?? {}), ...context });
  };
  const update = (call: Call, arn: string | undefined, next: (provider: OidcProvider) => OidcProvider) =>
    change(store, async (tx) => {
      const provider = await existingProvider(tx, call, arn);
      tx.set(oidcProviderKey(call.account, provider.arn), next(provider));
    });
  return {
    CreateOpenIDConnectProvider: {
      authorize: (input, call) => {
        const resource = oidcProviderArn(call.account, present(input.Url));
        const context = requestTagContext(parseTags(input.Tags));
        return [
          ...onResource(call, resource, context),
          ...(input.Tags?.length ? [{ action: "iam:TagOpenIDConnectProvider", resource, context }] : []),
        ];
      },
      async run(input, call) {
        const url = checkUrl(present(input.Url));
        const arn = oidcProviderArn(call.account, url);
        const created: OidcProvider = {
          v: 1,
          arn,
          url,
          clientIds: checkClientIds(input.ClientIDList ?? []),
          thumbprints: checkThumbprints(input.ThumbprintList ?? []),
          createdAt: call.now,
          tags: parseTags(input.Tags),
        };
        const limit = iamLimits.oidcProvidersPerAccount;
        await checkQuota(store, oidcProviderPrefix(call.account), "OpenIdConnectProvidersPerAccount", limit);
        await store.transact(async (tx) => {
          if (await readOidcProvider(tx, call.account, arn)) {
            throw alreadyExists(`Provider with url ${providerName(url)} already exists.`);
          }
          tx.set(oidcProviderKey(call.account, arn), created);
        });
        return {
          OpenIDConnectProviderArn: arn,
          ...(Object.keys(created.tags).length > 0 && { Tags: toTagList(created.tags) }),
        };
      },
    },
    GetOpenIDConnectProvider: {
      authorize: (input, call) => on(call, input.OpenIDConnectProviderArn),
      async run(input, call) {
        const provider = await store.read((reader) => existingProvider(reader, call, input.OpenIDConnectProviderArn));
        return {
          Url: providerName(provider.url),
          ClientIDList: [...provider.clientIds],
          ThumbprintList: [...provider.thumbprints],
          CreateDate: new Date(provider.createdAt),
          ...(Object.keys(provider.tags).length > 0 && { Tags: toTagList(provider.tags) }),
        };
      },
    },
    ListOpenIDConnectProviders: {
      authorize: (_input, call) => onResource(call, `arn:aws:iam::${call.account}:oidc-provider/*`),
      async run(_input, call) {
        const all = await store.read((reader) => readAll<OidcProvider>(reader, oidcProviderPrefix(call.account)));
        return { OpenIDConnectProviderList: all.map(({ arn }) => ({ Arn: arn })) };
      },
    },
    DeleteOpenIDConnectProvider: {
      authorize: (input, call) => on(call, input.OpenIDConnectProviderArn),
      run: (input, call) =>
        // AWS: deleting one that is not there succeeds.
        change(store, async (tx) => tx.delete(oidcProviderKey(call.account, present(input.OpenIDConnectProviderArn)))),
    },
    AddClientIDToOpenIDConnectProvider: {
      authorize: (input, call) => on(call, input.OpenIDConnectProviderArn),
      run: (input, call) =>
        update(call, input.OpenIDConnectProviderArn, (provider) => {
          const clientIds = checkClientIds([...new Set([...provider.clientIds, present(input.ClientID)])]);
          return { ...provider, clientIds };
        }),
    },
    RemoveClientIDFromOpenIDConnectProvider: {
      authorize: (input, call) => on(call, input.OpenIDConnectProviderArn),
      run: (input, call) =>
        update(call, input.OpenIDConnectProviderArn, (provider) => ({
          ...provider,
          clientIds: provider.clientIds.filter((id) => id !== input.ClientID),
        })),
    },
    UpdateOpenIDConnectProviderThumbprint: {
      authorize: (input, call) => on(call, input.OpenIDConnectProviderArn),
      run: (input, call) =>
        update(call, input.OpenIDConnectProviderArn, (provider) => ({
          ...provider,
          thumbprints: checkThumbprints(input.ThumbprintList ?? []),
        })),
    },
    TagOpenIDConnectProvider: {
      authorize: (input, call) => on(call, input.OpenIDConnectProviderArn, tagContext(input.Tags)),
      run: (input, call) =>
        update(call, input.OpenIDConnectProviderArn, (provider) => ({
          ...provider,
          tags: addTags(provider.tags, input.Tags),
        })),
    },
    UntagOpenIDConnectProvider: {
      authorize: (input, call) => on(call, input.OpenIDConnectProviderArn, keyContext(input.TagKeys)),
      run: (input, call) =>
        update(call, input.OpenIDConnectProviderArn, (provider) => ({
          ...provider,
          tags: withoutTags(provider.tags, input.TagKeys ?? []),
        })),
    },
    ListOpenIDConnectProviderTags: {
      authorize: (input, call) => on(call, input.OpenIDConnectProviderArn),
      async run(input, call) {
        const provider = await store.read((reader) => existingProvider(reader, call, input.OpenIDConnectProviderArn));
        return toTagPage(provider.tags, input);
      },
    },
  } satisfies IamOperations;
}

async function existingProvider(reader: Reader, call: Call, arn: string | undefined): Promise<OidcProvider> {
  const provider = await readOidcProvider(reader, call.account, present(arn));
  if (!provider) throw noSuchEntity(`OpenIDConnect Provider not found for arn ${arn}`);
  return provider;
}

function checkUrl(url: string): string {
  if (!isIssuerUrl(url)) throw validationError("Invalid Open ID Connect Provider URL");
  const { search, hash } = new URL(url);
  if (search !== "" || hash !== "") throw validationError("Invalid Open ID Connect Provider URL");
  return url;
}

function checkClientIds(ids: readonly string[]): readonly string[] {
  if (ids.length > iamLimits.oidcClientIdsMax) {
    throw limitExceeded(`Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: ${iamLimits.oidcClientIdsMax}`);
  }
  return ids;
}

function checkThumbprints(thumbprints: readonly string[]): readonly string[] {
  if (thumbprints.length > iamLimits.oidcThumbprintsMax) {
    throw invalidInput(`Thumbprint list must contain fewer than ${iamLimits.oidcThumbprintsMax} entries.`);
  }
  for (const thumbprint of thumbprints) {
    if (!/^[0-9A-Fa-f]{40}$/.test(thumbprint)) throw validationError(`Invalid thumbprint: ${thumbprint}`);
  }
  return thumbprints;
}
