import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import {
  chooseCodeSigning,
  codeSignedPrefix,
  codeSigningArn,
  codeSigningKey,
  imagesNotSigned,
  parseCodeSigningArn,
  readCodeSigningConfig,
  useCodeSigning,
  type CodeSigningConfigRecord,
} from "../code-signing.ts";
import { conflict } from "../errors.ts";
import { lambdaLimits } from "../limits.ts";
import { functionArn, keyOf, writeFunction, type FunctionRecord, type Place } from "../model.ts";
import { parseMarker, parseUnqualifiedName, toMarker } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { present } from "../present.ts";
import { checkTags } from "../settings.ts";
import { existingFunction } from "../versions.ts";

/** AWS: `csc-` and 17 characters. */
const idLength = 17;

export function codeSigningOperations({ store, ids, functions }: OperationNeeds) {
  return {
    CreateCodeSigningConfig: {
      authorize: (input) => [
        { action: "lambda:CreateCodeSigningConfig", resource: "*" },
        ...(input.Tags ? [{ action: "lambda:TagResource", resource: "*" }] : []),
      ],
      async run(input, call) {
        const tags = input.Tags ?? {};
        checkTags(tags);
        const config: CodeSigningConfigRecord = {
          v: 1,
          id: `csc-${ids.random(idLength, lowerAlphanumeric)}`,
          ...(input.Description !== undefined && { description: input.Description }),
          signingProfileVersionArns: profilesOf(input.AllowedPublishers),
          untrusted: input.CodeSigningPolicies?.UntrustedArtifactOnDeployment ?? "Warn",
          modifiedAt: call.now,
          tags,
        };
        await store.transact((tx) => {
          tx.set(codeSigningKey(call, config.id), config);
          return Promise.resolve();
        });
        return { CodeSigningConfig: describe(call, config) };
      },
    },

    GetCodeSigningConfig: {
      authorize: (input, call) => onConfig("GetCodeSigningConfig", input.CodeSigningConfigArn, call),
      async run(input, call) {
        const reference = parseCodeSigningArn(input.CodeSigningConfigArn, call);
        const config = await store.read((reader) => readCodeSigningConfig(reader, reference));
        return { CodeSigningConfig: describe(call, config) };
      },
    },

    UpdateCodeSigningConfig: {
      authorize: (input, call) => onConfig("UpdateCodeSigningConfig", input.CodeSigningConfigArn, call),
      async run(input, call) {
        const reference = parseCodeSigningArn(input.CodeSigningConfigArn, call);
        const { Description, AllowedPublishers, CodeSigningPolicies } = input;
        return store.transact(async (tx) => {
          const before = await readCodeSigningConfig(tx, reference);
          const config: CodeSigningConfigRecord = {
            ...before,
            ...(Description !== undefined && { description: Description }),
            ...(AllowedPublishers && { signingProfileVersionArns: profilesOf(AllowedPublishers) }),
            untrusted: CodeSigningPolicies?.UntrustedArtifactOnDeployment ?? before.untrusted,
            modifiedAt: call.now,
          };
          tx.set(codeSigningKey(call, config.id), config);
          return { CodeSigningConfig: describe(call, config) };
        });
      },
    },

    DeleteCodeSigningConfig: {
      authorize: (input, call) => onConfig("DeleteCodeSigningConfig", input.CodeSigningConfigArn, call),
      async run(input, call) {
        const reference = parseCodeSigningArn(input.CodeSigningConfigArn, call);
        await store.transact(async (tx) => {
          await readCodeSigningConfig(tx, reference);
          const users = await tx.range({ prefix: codeSignedPrefix(call, reference.id) }, { limit: 1 });
          // Gap: AWS refuses too; the sentence is ours.
          if (users.length > 0) {
            throw conflict(
              `The code signing configuration ${input.CodeSigningConfigArn} is used by functions and can not be deleted.`,
            );
          }
          tx.delete(codeSigningKey(call, reference.id));
        });
        return {};
      },
    },

    ListCodeSigningConfigs: {
      authorize: () => [{ action: "lambda:ListCodeSigningConfigs", resource: "*" }],
      async run(input, call) {
        const limit = input.MaxItems ?? lambdaLimits.listItemsMax;
        const prefix = keyOf("codeSigningConfig", call);
        const after = parseMarker(input.Marker);
        const entries = await store.read((reader) =>
          reader.range<CodeSigningConfigRecord>(
            { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
            { limit: limit + 1 },
          ),
        );
        const last = entries[limit - 1]?.value;
        return {
          CodeSigningConfigs: entries.slice(0, limit).map(({ value }) => describe(call, value)),
          ...(entries.length > limit && last && { NextMarker: toMarker(last.id) }),
        };
      },
    },

    ListFunctionsByCodeSigningConfig: {
      authorize: (input, call) => onConfig("ListFunctionsByCodeSigningConfig", input.CodeSigningConfigArn, call),
      async run(input, call) {
        const reference = parseCodeSigningArn(input.CodeSigningConfigArn, call);
        const limit = input.MaxItems ?? lambdaLimits.listItemsMax;
        const prefix = codeSignedPrefix(call, reference.id);
        const after = parseMarker(input.Marker);
        const entries = await store.read(async (reader) => {
          await readCodeSigningConfig(reader, reference);
          return reader.range<{ readonly name: string }>(
            { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
            { limit: limit + 1 },
          );
        });
        const last = entries[limit - 1]?.value;
        return {
          FunctionArns: entries.slice(0, limit).map(({ value }) => functionArn(call, value.name)),
          ...(entries.length > limit && last && { NextMarker: toMarker(last.name) }),
        };
      },
    },

    PutFunctionCodeSigningConfig: {
      authorize: async (input, call) => {
        const arn = present(input.CodeSigningConfigArn, "CodeSigningConfigArn");
        const context = { "lambda:CodeSigningConfigArn": [arn] };
        return [
          ...(await onFunction(
            functions,
            "PutFunctionCodeSigningConfig",
            input.FunctionName,
            call,
            undefined,
            context,
          )),
          { action: "lambda:PutFunctionCodeSigningConfig", resource: arn, context },
        ];
      },
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        const arn = present(input.CodeSigningConfigArn, "CodeSigningConfigArn");
        await store.transact(async (tx) => {
          const record = zipOnly(await existingFunction(tx, place));
          const config = await chooseCodeSigning(tx, arn, place);
          writeFunction(tx, place, useCodeSigning(tx, place, record, config.id));
        });
        return { CodeSigningConfigArn: arn, FunctionName: place.name };
      },
    },

    GetFunctionCodeSigningConfig: {
      authorize: (input, call) => onFunction(functions, "GetFunctionCodeSigningConfig", input.FunctionName, call),
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        const { codeSigning } = zipOnly(await store.read((reader) => existingFunction(reader, place)));
        // AWS: for a function without one, the answer is empty, although the model requires both members.
        if (codeSigning === undefined) return { CodeSigningConfigArn: undefined, FunctionName: undefined };
        return { CodeSigningConfigArn: codeSigningArn(place, codeSigning), FunctionName: place.name };
      },
    },

    DeleteFunctionCodeSigningConfig: {
      authorize: async (input, call) => {
        const place = parseUnqualifiedName(input.FunctionName, call);
        const used = (await functions.find(place, place.name))?.record.codeSigning;
        const context = used && { "lambda:CodeSigningConfigArn": [codeSigningArn(place, used)] };
        return onFunction(
          functions,
          "DeleteFunctionCodeSigningConfig",
          input.FunctionName,
          call,
          undefined,
          context || undefined,
        );
      },
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        await store.transact(async (tx) => {
          const record = zipOnly(await existingFunction(tx, place));
          if (record.codeSigning === undefined) return;
          writeFunction(tx, place, useCodeSigning(tx, place, record, undefined));
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function zipOnly(record: FunctionRecord): FunctionRecord {
  if (record.latest.code.image) throw imagesNotSigned();
  return record;
}

function onConfig(operation: string, arn: string | undefined, call: Call) {
  const { id } = parseCodeSigningArn(arn, call);
  return [{ action: `lambda:${operation}`, resource: codeSigningArn(call, id) }];
}

function profilesOf(publishers: { readonly SigningProfileVersionArns: string[] | undefined } | undefined): string[] {
  return present(publishers?.SigningProfileVersionArns, "AllowedPublishers.SigningProfileVersionArns");
}

function describe(place: Place, config: CodeSigningConfigRecord) {
  return {
    CodeSigningConfigId: config.id,
    CodeSigningConfigArn: codeSigningArn(place, config.id),
    ...(config.description !== undefined && { Description: config.description }),
    AllowedPublishers: { SigningProfileVersionArns: [...config.signingProfileVersionArns] },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: config.untrusted },
    LastModified: new Date(config.modifiedAt).toISOString().replace("Z", "+0000"),
  };
}
