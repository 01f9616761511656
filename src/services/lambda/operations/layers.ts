import type { Key, Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { receiveCode } from "../code/code-source.ts";
import { toArchitecture, toRuntime } from "../configuration.ts";
import { invalidParameter, notFound, resourceNotFound, revisionMismatch } from "../errors.ts";
import { toPolicyDocument } from "../functions.ts";
import { lambdaLimits } from "../limits.ts";
import { keyOf, layerArn, type LayerVersion, type Place, type PolicyRecord } from "../model.ts";
import { parseLayerName, parseLayerVersionArn, parseMarker, toMarker } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { present } from "../present.ts";
import { addStatement, toStatement } from "../statements.ts";
import { chargeStorage } from "../versions.ts";
import { removeStatement } from "./permissions.ts";

type LayerReference = Place & { readonly name: string; readonly version: number };

export function layerOperations(needs: OperationNeeds) {
  const { store, code, codeUrls, ids } = needs;

  const onVersion = async (action: string, layer: LayerReference) => {
    const policy = await store.read((reader) => reader.get<PolicyRecord>(policyKey(layer)));
    return [
      {
        action: `lambda:${action}`,
        resource: layerArn(layer, layer.name, layer.version),
        resourceAccount: layer.account,
        ...(policy && { resourcePolicy: toPolicyDocument(policy) }),
      },
    ];
  };

  const describe = async (version: LayerVersion, place: Place, call: Call) => ({
    Content: {
      Location: await codeUrls.sign(version.code, call.endpoint, call.now),
      CodeSha256: version.code.sha256,
      CodeSize: version.code.bytes,
    },
    LayerArn: layerArn(place, version.layer),
    ...listItem(version, place),
  });

  const get = async (layer: LayerReference, call: Call) => {
    const version = await store.read((reader) => reader.get<LayerVersion>(versionKey(layer)));
    if (!version) throw resourceNotFound();
    return describe(version, layer, call);
  };

  return {
    PublishLayerVersion: {
      authorize: (input, call) => [
        { action: "lambda:PublishLayerVersion", resource: layerArn(call, parseLayerName(input.LayerName, call).name) },
      ],
      async run(input, call) {
        const { name } = parseLayerName(input.LayerName, call);
        const received = await receiveCode(present(input.Content, "Content"), call, needs);
        const version = await store.transact(async (tx) => {
          const counter = (await tx.get<{ readonly next: number }>(keyOf("layer", call, name)))?.next ?? 1;
          const made: LayerVersion = {
            v: 1,
            layer: name,
            version: counter,
            description: input.Description ?? "",
            createdAt: call.now,
            code: received,
            compatibleRuntimes: input.CompatibleRuntimes ?? [],
            compatibleArchitectures: input.CompatibleArchitectures ?? [],
            ...(input.LicenseInfo !== undefined && { licenseInfo: input.LicenseInfo }),
          };
          // The counter outlives the versions: a number is never given twice.
          tx.set(keyOf("layer", call, name), { v: 1, name, next: counter + 1 });
          tx.set(versionKey({ ...call, name, version: counter }), made);
          code.retain(tx, received, layerArn(call, name, counter));
          await chargeStorage(tx, call, received.bytes);
          return made;
        });
        return describe(version, call, call);
      },
    },

    GetLayerVersion: {
      authorize: (input, call) => onVersion("GetLayerVersion", refer(input, call)),
      run: (input, call) => get(refer(input, call), call),
    },

    GetLayerVersionByArn: {
      authorize: (input, call) => onVersion("GetLayerVersion", referByArn(input.Arn, call)),
      run: (input, call) => get(referByArn(input.Arn, call), call),
    },

    ListLayerVersions: {
      authorize: () => [{ action: "lambda:ListLayerVersions", resource: "*" }],
      async run(input, call) {
        const { name } = parseLayerName(input.LayerName, call);
        const before = parseMarker(input.Marker);
        const limit = Math.min(input.MaxItems ?? lambdaLimits.listLayersMax, lambdaLimits.listLayersMax);
        const prefix = keyOf("layerVersion", call, name);
        const all = await store.read((reader) =>
          reader.range<LayerVersion>(
            { prefix, ...(before !== undefined && { after: [...prefix, Number(before)] }) },
            { limit: limit + 1, reverse: true },
          ),
        );
        const page = all.slice(0, limit).map(({ value }) => value);
        const last = page.at(-1);
        return {
          LayerVersions: page.filter((version) => suits(version, input)).map((version) => listItem(version, call)),
          ...(all.length > limit && last && { NextMarker: toMarker(String(last.version)) }),
        };
      },
    },

    ListLayers: {
      authorize: () => [{ action: "lambda:ListLayers", resource: "*" }],
      async run(input, call) {
        const after = parseMarker(input.Marker);
        const limit = Math.min(input.MaxItems ?? lambdaLimits.listLayersMax, lambdaLimits.listLayersMax);
        const prefix = keyOf("layer", call);
        return store.read(async (reader) => {
          const entries = await reader.range<{ readonly name: string }>(
            { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
            { limit: limit + 1 },
          );
          const layers = [];
          for (const { value } of entries.slice(0, limit)) {
            const latest = await latestSuiting(reader, call, value.name, input);
            if (!latest) continue;
            layers.push({
              LayerName: value.name,
              LayerArn: layerArn(call, value.name),
              LatestMatchingVersion: listItem(latest, call),
            });
          }
          const last = entries[limit - 1];
          return { Layers: layers, ...(entries.length > limit && last && { NextMarker: toMarker(last.value.name) }) };
        });
      },
    },

    DeleteLayerVersion: {
      authorize: (input, call) => onVersion("DeleteLayerVersion", refer(input, call)),
      async run(input, call) {
        const layer = refer(input, call);
        await store.transact(async (tx) => {
          const version = await tx.get<LayerVersion>(versionKey(layer));
          if (!version) return;
          tx.delete(versionKey(layer));
          tx.delete(policyKey(layer));
          await code.release(tx, version.code, layerArn(layer, layer.name, layer.version));
          await chargeStorage(tx, layer, -version.code.bytes);
        });
        return {};
      },
    },

    AddLayerVersionPermission: {
      authorize: (input, call) => onVersion("AddLayerVersionPermission", refer(input, call)),
      async run(input, call) {
        const layer = refer(input, call);
        if (input.OrganizationId !== undefined && input.Principal !== "*") {
          throw invalidParameter("OrganizationId can only be specified with the principal *.");
        }
        const statement = toStatement(
          {
            StatementId: input.StatementId,
            Action: input.Action,
            Principal: input.Principal,
            PrincipalOrgID: input.OrganizationId,
          },
          layerArn(layer, layer.name, layer.version),
        );
        const revisionId = ids.uuid();
        await store.transact(async (tx) => {
          const policy = await readLayerPolicy(tx, layer);
          checkRevision(policy, input.RevisionId);
          tx.set(policyKey(layer), addStatement(policy, statement, revisionId));
        });
        return { Statement: JSON.stringify(statement), RevisionId: revisionId };
      },
    },

    RemoveLayerVersionPermission: {
      authorize: (input, call) => onVersion("RemoveLayerVersionPermission", refer(input, call)),
      async run(input, call) {
        const layer = refer(input, call);
        await store.transact(async (tx) => {
          const policy = await readLayerPolicy(tx, layer);
          if (!policy) throw notFound("No policy is associated with the given resource.");
          checkRevision(policy, input.RevisionId);
          removeStatement(tx, policyKey(layer), policy, input.StatementId ?? "", ids.uuid());
        });
        return {};
      },
    },

    GetLayerVersionPolicy: {
      authorize: (input, call) => onVersion("GetLayerVersionPolicy", refer(input, call)),
      async run(input, call) {
        const policy = await store.read((reader) => readLayerPolicy(reader, refer(input, call)));
        if (!policy) throw notFound("No policy is associated with the given resource.");
        return { Policy: toPolicyDocument(policy), RevisionId: policy.revisionId };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function refer(
  input: { readonly LayerName?: string | undefined; readonly VersionNumber?: number | undefined },
  call: Call,
): LayerReference {
  const { name, account, region } = parseLayerName(input.LayerName, call);
  return { name, account, region, version: present(input.VersionNumber, "VersionNumber") };
}

function referByArn(arn: string | undefined, call: Call): LayerReference {
  const layer = parseLayerVersionArn(arn ?? "");
  if (!layer || layer.region !== call.region) throw invalidParameter(`Invalid layer version ARN: ${arn}`);
  return layer;
}

function versionKey(layer: LayerReference): Key {
  return keyOf("layerVersion", layer, layer.name, layer.version);
}

function policyKey(layer: LayerReference): Key {
  return keyOf("layerPolicy", layer, layer.name, layer.version);
}

async function readLayerPolicy(reader: Reader, layer: LayerReference): Promise<PolicyRecord | undefined> {
  if (!(await reader.get(versionKey(layer)))) {
    throw notFound(`Layer version ${layerArn(layer, layer.name, layer.version)} does not exist.`);
  }
  return reader.get<PolicyRecord>(policyKey(layer));
}

function checkRevision(policy: PolicyRecord | undefined, revisionId: string | undefined): void {
  if (revisionId !== undefined && revisionId !== policy?.revisionId) throw revisionMismatch("GetLayerVersionPolicy");
}

function listItem(version: LayerVersion, place: Place) {
  const { compatibleRuntimes: runtimes, compatibleArchitectures: architectures, licenseInfo } = version;
  return {
    LayerVersionArn: layerArn(place, version.layer, version.version),
    Version: version.version,
    Description: version.description,
    CreatedDate: new Date(version.createdAt).toISOString().replace("Z", "+0000"),
    ...(runtimes.length > 0 && { CompatibleRuntimes: runtimes.map(toRuntime) }),
    ...(architectures.length > 0 && { CompatibleArchitectures: architectures.map(toArchitecture) }),
    ...(licenseInfo !== undefined && { LicenseInfo: licenseInfo }),
  };
}

interface Wanted {
  readonly CompatibleRuntime?: string | undefined;
  readonly CompatibleArchitecture?: string | undefined;
}

function suits(version: LayerVersion, wanted: Wanted): boolean {
  const { CompatibleRuntime: runtime, CompatibleArchitecture: architecture } = wanted;
  return (
    (runtime === undefined || version.compatibleRuntimes.includes(runtime)) &&
    (architecture === undefined || version.compatibleArchitectures.includes(architecture))
  );
}

async function latestSuiting(reader: Reader, place: Place, name: string, wanted: Wanted) {
  const entries = await reader.range<LayerVersion>(
    { prefix: keyOf("layerVersion", place, name) },
    { limit: 1000, reverse: true },
  );
  return entries.map(({ value }) => value).find((version) => suits(version, wanted));
}
