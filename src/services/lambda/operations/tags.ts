import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { notImplemented } from "../../../aws/error.ts";
import {
  capacityProviderArn,
  capacityProviderKey,
  parseCapacityProvider,
  readCapacityProvider,
} from "../capacity/model.ts";
import { codeSigningArn, codeSigningKey, parseCodeSigningArn, readCodeSigningConfig } from "../code-signing.ts";
import { invalidParameter, resourceNotFound } from "../errors.ts";
import {
  mappingArn,
  readMapping,
  writeMapping,
  type MappingAddress,
  type MappingRecord,
} from "../event-sources/model.ts";
import { writeFunction } from "../model.ts";
import { parseFunctionName, type FunctionReference } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { present } from "../present.ts";
import { checkTags } from "../settings.ts";
import { existingFunction } from "../versions.ts";

export function tagOperations({ store, functions }: OperationNeeds) {
  const change = async (
    arn: string | undefined,
    call: Call,
    edit: (tags: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  ) => {
    await store.transact(async (tx) => {
      if (isCodeSigning(arn)) {
        const reference = parseCodeSigningArn(arn, call);
        const config = await readCodeSigningConfig(tx, reference);
        const tags = edit(config.tags);
        checkTags(tags);
        tx.set(codeSigningKey(reference, reference.id), { ...config, tags });
        return;
      }
      if (isCapacityProvider(arn)) {
        const reference = parseCapacityProvider(arn, call);
        const provider = await readCapacityProvider(tx, reference);
        const tags = edit(provider.tags);
        checkTags(tags);
        tx.set(capacityProviderKey(reference, reference.name), { ...provider, tags });
        return;
      }
      if (isEventSourceMapping(arn)) {
        const at = parseMappingArn(arn, call);
        const mapping = await existingMapping(tx, at);
        const tags = edit(mapping.tags);
        checkTags(tags);
        writeMapping(tx, at, { ...mapping, tags });
        return;
      }
      const reference = refer(arn, call);
      const record = await existingFunction(tx, reference);
      const tags = edit(record.tags);
      checkTags(tags);
      writeFunction(tx, reference, { ...record, tags });
    });
    return {};
  };

  const ask = (action: string, arn: string | undefined, call: Call) => {
    if (isCapacityProvider(arn)) {
      const { name } = parseCapacityProvider(arn, call);
      return [{ action: `lambda:${action}`, resource: capacityProviderArn(call, name) }];
    }
    if (isEventSourceMapping(arn)) {
      return [{ action: `lambda:${action}`, resource: mappingArn(parseMappingArn(arn, call)) }];
    }
    if (!isCodeSigning(arn)) return onFunction(functions, action, refer(arn, call).name, call);
    const { id } = parseCodeSigningArn(arn, call);
    return [{ action: `lambda:${action}`, resource: codeSigningArn(call, id) }];
  };

  return {
    TagResource: {
      authorize: (input, call) => ask("TagResource", input.Resource, call),
      run: (input, call) => change(input.Resource, call, (tags) => ({ ...tags, ...present(input.Tags, "Tags") })),
    },
    UntagResource: {
      authorize: (input, call) => ask("UntagResource", input.Resource, call),
      run: (input, call) =>
        change(input.Resource, call, (tags) => {
          const gone = present(input.TagKeys, "TagKeys");
          return Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.includes(key)));
        }),
    },
    ListTags: {
      authorize: (input, call) => ask("ListTags", input.Resource, call),
      async run(input, call) {
        const { Resource: arn } = input;
        const { tags } = await store.read<{ readonly tags: Readonly<Record<string, string>> }>((reader) => {
          if (isCodeSigning(arn)) return readCodeSigningConfig(reader, parseCodeSigningArn(arn, call));
          if (isCapacityProvider(arn)) return readCapacityProvider(reader, parseCapacityProvider(arn, call));
          if (isEventSourceMapping(arn)) return existingMapping(reader, parseMappingArn(arn, call));
          return existingFunction(reader, refer(arn, call));
        });
        return { Tags: { ...tags } };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function isCodeSigning(arn: string | undefined): boolean {
  return arn?.includes(":code-signing-config:") ?? false;
}

function isCapacityProvider(arn: string | undefined): boolean {
  return arn?.includes(":capacity-provider:") ?? false;
}

function isEventSourceMapping(arn: string | undefined): boolean {
  return arn?.includes(":event-source-mapping:") ?? false;
}

function parseMappingArn(arn: string | undefined, { account, region }: Call): MappingAddress {
  const [, uuid] = /:event-source-mapping:([0-9a-fA-F-]{36})$/.exec(arn ?? "") ?? [];
  if (uuid === undefined || arn !== mappingArn({ account, region, uuid })) throw resourceNotFound();
  return { account, region, uuid };
}

async function existingMapping(reader: Reader, at: MappingAddress): Promise<MappingRecord> {
  const record = await readMapping(reader, at);
  if (!record) throw resourceNotFound();
  return record;
}

function refer(arn: string | undefined, call: Call): FunctionReference {
  if (!arn?.includes(":function:")) throw notImplemented(`Tags on ${arn}`);
  const reference = parseFunctionName(arn, call);
  if (reference.qualifier !== undefined) {
    throw invalidParameter("Tags on function aliases and versions are not supported. Please specify a function ARN.");
  }
  return reference;
}
