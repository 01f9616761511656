import type { AuthorizationRequest } from "../../../access/authorization.ts";
import { notImplemented } from "../../../aws/error.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { alreadyExists, invalidInput, noSuchEntity } from "../errors.ts";
import { iamLimits } from "../limits.ts";
import { readAll } from "../model.ts";
import { parseTags, present, requestTagContext, resourceTagContext, toTagList, withoutTags } from "../rules.ts";
import { readSamlProvider, samlProviderKey, samlProviderPrefix, type SamlProvider } from "../saml-providers.ts";
import { change, checkQuota, onResource, type IamOperations, type OperationNeeds } from "./needs.ts";
import { addTags, keyContext, tagContext, toTagPage } from "./tags.ts";

/** SAML providers: records that templates make. */
export function samlProviderOperations({ store, ids }: OperationNeeds) {
  const on = async (call: Call, arn: string | undefined, context: AuthorizationRequest["context"] = {}) => {
    const known = await store.read((reader) => readSamlProvider(reader, call.account, present(arn)));
    return onResource(call, present(arn), { ...resourceTagContext(known?.tags ?? {}), ...context });
  };
  const update = (call: Call, arn: string | undefined, next: (provider: SamlProvider) => SamlProvider) =>
    change(store, async (tx) => {
      const provider = await existingProvider(tx, call, arn);
      tx.set(samlProviderKey(call.account, provider.arn), next(provider));
    });
  return {
    CreateSAMLProvider: {
      authorize: (input, call) => {
        refuseEncryption(input, call);
        const resource = arnOf(call, input.Name);
        const context = requestTagContext(parseTags(input.Tags));
        return [
          ...onResource(call, resource, context),
          ...(input.Tags?.length ? [{ action: "iam:TagSAMLProvider", resource, context }] : []),
        ];
      },
      async run(input, call) {
        const arn = arnOf(call, input.Name);
        const provider: SamlProvider = {
          v: 1,
          arn,
          uuid: ids.random(20, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
          metadata: checkMetadata(present(input.SAMLMetadataDocument)),
          createdAt: call.now,
          validUntil: call.now + validForMs,
          tags: parseTags(input.Tags),
        };
        const limit = iamLimits.samlProvidersPerAccount;
        await checkQuota(store, samlProviderPrefix(call.account), "SAMLProvidersPerAccount", limit);
        await store.transact(async (tx) => {
          if (await readSamlProvider(tx, call.account, arn)) {
            throw alreadyExists(`SAMLProvider with name ${input.Name} already exists.`);
          }
          tx.set(samlProviderKey(call.account, arn), provider);
        });
        return { SAMLProviderArn: arn, ...tagsOf(provider) };
      },
    },
    GetSAMLProvider: {
      authorize: (input, call) => on(call, input.SAMLProviderArn),
      async run(input, call) {
        const provider = await store.read((reader) => existingProvider(reader, call, input.SAMLProviderArn));
        return {
          SAMLProviderUUID: provider.uuid,
          SAMLMetadataDocument: provider.metadata,
          CreateDate: new Date(provider.createdAt),
          ValidUntil: new Date(provider.validUntil),
          ...tagsOf(provider),
        };
      },
    },
    ListSAMLProviders: {
      authorize: (_input, call) => onResource(call, `arn:aws:iam::${call.account}:saml-provider/*`),
      async run(_input, call) {
        const all = await store.read((reader) => readAll<SamlProvider>(reader, samlProviderPrefix(call.account)));
        const list = all.map(({ arn, validUntil, createdAt }) => ({
          Arn: arn,
          ValidUntil: new Date(validUntil),
          CreateDate: new Date(createdAt),
        }));
        return { SAMLProviderList: list };
      },
    },
    UpdateSAMLProvider: {
      authorize: (input, call) => {
        refuseEncryption(input, call);
        if (input.RemovePrivateKey !== undefined) throw notImplemented("The parameter RemovePrivateKey");
        return on(call, input.SAMLProviderArn);
      },
      async run(input, call) {
        const metadata = checkMetadata(present(input.SAMLMetadataDocument));
        await update(call, input.SAMLProviderArn, (provider) => ({
          ...provider,
          metadata,
          validUntil: call.now + validForMs,
        }));
        return { SAMLProviderArn: input.SAMLProviderArn };
      },
    },
    DeleteSAMLProvider: {
      authorize: (input, call) => on(call, input.SAMLProviderArn),
      run: (input, call) =>
        change(store, async (tx) => {
          const provider = await existingProvider(tx, call, input.SAMLProviderArn);
          tx.delete(samlProviderKey(call.account, provider.arn));
        }),
    },
    TagSAMLProvider: {
      authorize: (input, call) => on(call, input.SAMLProviderArn, tagContext(input.Tags)),
      run: (input, call) =>
        update(call, input.SAMLProviderArn, (provider) => ({ ...provider, tags: addTags(provider.tags, input.Tags) })),
    },
    UntagSAMLProvider: {
      authorize: (input, call) => on(call, input.SAMLProviderArn, keyContext(input.TagKeys)),
      run: (input, call) =>
        update(call, input.SAMLProviderArn, (provider) => ({
          ...provider,
          tags: withoutTags(provider.tags, input.TagKeys ?? []),
        })),
    },
    ListSAMLProviderTags: {
      authorize: (input, call) => on(call, input.SAMLProviderArn),
      async run(input, call) {
        const provider = await store.read((reader) => existingProvider(reader, call, input.SAMLProviderArn));
        return toTagPage(provider.tags, input);
      },
    },
  } satisfies IamOperations;
}

function arnOf(call: Call, name: string | undefined): string {
  return `arn:aws:iam::${call.account}:saml-provider/${present(name)}`;
}

/** AWS answers a date a century away. */
const validForMs = 100 * 365 * 24 * 3_600_000;

function refuseEncryption(
  input: { readonly AssertionEncryptionMode?: unknown; readonly AddPrivateKey?: unknown },
  call: Call,
): void {
  for (const name of ["AssertionEncryptionMode", "AddPrivateKey"] as const) {
    if (input[name] !== undefined) throw notImplemented(`The parameter ${name} of ${call.operation}`);
  }
}

async function existingProvider(reader: Reader, call: Call, arn: string | undefined): Promise<SamlProvider> {
  const provider = await readSamlProvider(reader, call.account, present(arn));
  if (!provider) throw noSuchEntity(`Manifest not found for arn ${arn}`);
  return provider;
}

/** Only whether it may be such a document: nothing is verified with it here. */
function checkMetadata(document: string): string {
  if (!/<(\w+:)?EntityDescriptor[\s>]/.test(document)) throw invalidInput("Could not parse metadata");
  return document;
}

function tagsOf(provider: SamlProvider) {
  return Object.keys(provider.tags).length > 0 ? { Tags: toTagList(provider.tags) } : {};
}
