import type { CapacityProviderConfig } from "@aws-sdk/client-lambda";
import { AwsError } from "../../../aws/error.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { receiveCode, type CodeSource } from "../code/code-source.ts";
import { receiveImage } from "../code/images.ts";
import {
  chooseCodeSigning,
  codeSigningKey,
  imagesNotSigned,
  judgeUnverified,
  useCodeSigning,
  type CodeSigningConfigRecord,
} from "../code-signing.ts";
import { functionScalingKey, useCapacity } from "../capacity/model.ts";
import { capacityDefaults, changeCapacity, checkCapacityKept } from "../capacity/settings.ts";
import { capacityState } from "../capacity/state.ts";
import { claimOf, removeProvisioned } from "../concurrency-provisioned.ts";
import { describeVersion, digestOf } from "../configuration.ts";
import { newDurable } from "../durable/settings.ts";
import {
  conflict,
  constraintFailed,
  functionNotFound,
  invalidParameter,
  revisionMismatch,
  roleNotAssumable,
} from "../errors.ts";
import { changeImageConfig, checkCodeSource, checkPackageMembers } from "../image-settings.ts";
import { listFunctions, type ListedFunction } from "../function-listing.ts";
import { checkUnzippedTotal, readLayers } from "../layers.ts";
import { lambdaLimits } from "../limits.ts";
import {
  addToTotals,
  functionArn,
  keyOf,
  readAll,
  readFunction,
  writeFunction,
  type AliasRecord,
  type FunctionRecord,
  type FunctionVersion,
} from "../model.ts";
import { parseFunctionName, parseMarker, parseUnqualifiedName, toMarker, type FunctionReference } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { present } from "../present.ts";
import { resolveVersion } from "../routing.ts";
import { changeSettings, checkTags, defaultSettings, refuseUnbuilt } from "../settings.ts";
import { showSubstitute } from "../substitute.ts";
import { deleteUrlsOf } from "../url/records.ts";
import {
  chargeStorage,
  existingFunction,
  publishLatest,
  publishVersion,
  releaseVersion,
  replacePackages,
  retainVersion,
} from "../versions.ts";

export function functionOperations(needs: OperationNeeds) {
  const { store, code, functions, ids, iam, codeUrls } = needs;

  /** The execution role must exist and let Lambda assume it. */
  const checkRole = async (roleArn: string, name: string, call: Call) => {
    const [, , , , account] = roleArn.split(":");
    if (account !== call.account) {
      throw new AwsError("AccessDeniedException", 403, "Cross-account pass role is not allowed.");
    }
    try {
      const sourceArn = functionArn(call, name);
      await iam.assumeRole({ roleArn, service: "lambda.amazonaws.com", sessionName: name, sourceArn });
    } catch (error) {
      if (error instanceof AwsError && error.status < 500) throw roleNotAssumable();
      throw error;
    }
  };

  const find = async (name: string | undefined, qualifier: string | undefined, call: Call) => {
    const reference = parseFunctionName(name, call, qualifier);
    const fn = await functions.find(reference, reference.name);
    if (!fn) throw functionNotFound(functionArn(reference, reference.name, reference.qualifier));
    // An alias with weights is described by its main version.
    const version = await resolveVersion(fn, reference.qualifier, () => 1);
    return { reference, fn, version };
  };

  /** A version, with how far it is where it runs on a capacity provider. */
  const describeNow = (...of: Parameters<typeof describeVersion>) => ({
    ...describeVersion(...of),
    ...capacityState(needs.compute, of[1], of[2]),
  });

  /** The package that a request brings or points to, which must be of the function's kind. */
  const receive = async (
    source: CodeSource,
    reference: FunctionReference,
    isImage: boolean,
    architecture: string,
    call: Call,
  ) => {
    checkCodeSource(source, isImage, call.operation);
    if (source.ImageUri === undefined) return receiveCode(source, call, needs);
    const arn = functionArn(reference, reference.name);
    return receiveImage(source.ImageUri, architecture === "arm64" ? "arm64" : "x86_64", arn, call, needs);
  };

  /** Tell of a package that a code signing configuration does not trust, and lets pass. */
  const warnOfCode = (place: FunctionReference) => {
    needs.note?.({ ...place, functionName: place.name }, "SignatureValidationErrors", 1);
    needs.log.warn("A package without a trusted signature was deployed", { function: functionArn(place, place.name) });
  };

  return {
    CreateFunction: {
      authorize: async (input, call) => [
        ...(await onFunction(
          functions,
          "CreateFunction",
          input.FunctionName,
          call,
          undefined,
          input.CodeSigningConfigArn ? { "lambda:CodeSigningConfigArn": [input.CodeSigningConfigArn] } : undefined,
        )),
        iam.passRole(present(input.Role, "Role"), "lambda.amazonaws.com"),
        ...passCapacity(input.CapacityProviderConfig, call),
        ...(input.Tags ? await onFunction(functions, "TagResource", input.FunctionName, call) : []),
      ],
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        const { name } = place;
        if (name.length > lambdaLimits.functionNameMax) {
          throw constraintFailed(name, "functionName", "Member must have length less than or equal to 64");
        }
        refuseUnbuilt(input, "CreateFunction");
        const isImage = input.PackageType === "Image";
        checkPackageMembers(input, isImage);
        const { Runtime: runtime = isImage ? "" : undefined, Handler: handler = isImage ? "" : undefined } = input;
        const role = present(input.Role, "Role");
        if (runtime === undefined || handler === undefined) {
          throw invalidParameter(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
          );
        }
        const tags = input.Tags ?? {};
        checkTags(tags);
        const layers = await readLayers(input.Layers ?? [], call, store);
        const settings = changeImageConfig(
          changeSettings(
            {
              ...defaultSettings(name),
              ...capacityDefaults(input.CapacityProviderConfig),
              ...changeCapacity(undefined, input.CapacityProviderConfig, call),
              ...newDurable(input.DurableConfig),
              runtime,
              handler,
              role,
            },
            input,
            layers,
            name,
          ),
          input.ImageConfig,
        );
        await checkRole(role, name, call);
        if (await store.read((reader) => readFunction(reader, place, name))) throw alreadyExists(name);
        const signingArn = input.CodeSigningConfigArn;
        if (signingArn && isImage) throw imagesNotSigned();
        const signing = signingArn
          ? await store.read((reader) => chooseCodeSigning(reader, signingArn, place))
          : undefined;
        const verdict = judgeUnverified(signing, name);
        const received = await receive(present(input.Code, "Code"), place, isImage, settings.architecture, call);
        checkUnzippedTotal(received, layers);
        const latest: FunctionVersion = {
          version: "$LATEST",
          settings,
          code: received,
          modifiedAt: call.now,
          revisionId: ids.uuid(),
          digest: digestOf(settings, received),
        };
        const record: FunctionRecord = {
          v: 1,
          id: ids.uuid(),
          name,
          createdAt: call.now,
          latest,
          nextVersion: 1,
          tags,
        };
        const described = await store.transact(async (tx) => {
          if (await readFunction(tx, place, name)) throw alreadyExists(name);
          // Still there, and as it was judged.
          if (signingArn) judgeUnverified(await chooseCodeSigning(tx, signingArn, place), name);
          const made = useCodeSigning(tx, place, record, signing?.id);
          writeFunction(tx, place, made);
          retainVersion(tx, code, place, made, latest);
          await chargeStorage(tx, place, received.bytes);
          await addToTotals(tx, place, { functionCount: 1 });
          await useCapacity(tx, place, name, "$LATEST", undefined, settings);
          if (input.PublishTo !== undefined)
            return published(await publishLatest(tx, place, made, undefined, ids, code));
          if (!input.Publish) return describeVersion(place, made, latest);
          return published(await publishVersion(tx, place, made, undefined, ids, code));

          function published(result: Awaited<ReturnType<typeof publishVersion>>) {
            return describeNow(place, result.record, result.version);
          }
        });
        if (verdict === "warn") warnOfCode(place);
        return described;
      },
    },

    GetFunction: {
      authorize: (input, call) => onFunction(functions, "GetFunction", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const { reference, fn, version } = await find(input.FunctionName, input.Qualifier, call);
        const { tags, reservedConcurrency } = fn.record;
        await showSubstitute(needs.compute, version.settings.runtime, call);
        return {
          Configuration: describeNow(reference, fn.record, version, reference.qualifier),
          Code: version.code.image
            ? {
                RepositoryType: "ECR",
                ImageUri: version.code.image.uri,
                ResolvedImageUri: version.code.image.resolvedUri,
              }
            : { RepositoryType: "S3", Location: await codeUrls.sign(version.code, call.endpoint, call.now) },
          ...(Object.keys(tags).length > 0 && { Tags: { ...tags } }),
          ...(reservedConcurrency !== undefined && {
            Concurrency: { ReservedConcurrentExecutions: reservedConcurrency },
          }),
        };
      },
    },

    GetFunctionConfiguration: {
      authorize: (input, call) =>
        onFunction(functions, "GetFunctionConfiguration", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const { reference, fn, version } = await find(input.FunctionName, input.Qualifier, call);
        await showSubstitute(needs.compute, version.settings.runtime, call);
        return describeNow(reference, fn.record, version, reference.qualifier);
      },
    },

    UpdateFunctionCode: {
      authorize: (input, call) => onFunction(functions, "UpdateFunctionCode", input.FunctionName, call),
      async run(input, call) {
        const reference = parseUnqualifiedName(input.FunctionName, call);
        const before = await store.read((reader) => existingFunction(reader, reference));
        checkRevision(before, input.RevisionId);
        const received = await receive(
          input,
          reference,
          before.latest.code.image !== undefined,
          input.Architectures?.[0] ?? before.latest.settings.architecture,
          call,
        );
        const architecture = input.Architectures && { Architectures: input.Architectures };
        const { verdict, described } = await store.transact(async (tx) => {
          const record = await existingFunction(tx, reference);
          checkRevision(record, input.RevisionId);
          const verdict = await judgeDeployment(tx, reference, record);
          const settings = changeSettings(record.latest.settings, architecture ?? {}, undefined, record.name);
          checkUnzippedTotal(received, settings.layers);
          const latest = { ...record.latest, code: received, settings, digest: digestOf(settings, received) };
          if (input.DryRun) return { verdict: "pass", described: describeVersion(reference, record, latest) };
          const changed = { ...latest, modifiedAt: call.now };
          return {
            verdict,
            described: await replaceLatest(tx, reference, record, changed, input.PublishTo ?? input.Publish ?? false),
          };
        });
        if (verdict === "warn") warnOfCode(reference);
        return described;
      },
    },

    UpdateFunctionConfiguration: {
      authorize: async (input, call) => [
        ...(await onFunction(functions, "UpdateFunctionConfiguration", input.FunctionName, call)),
        ...passCapacity(input.CapacityProviderConfig, call),
        ...(input.Role === undefined ? [] : [iam.passRole(input.Role, "lambda.amazonaws.com")]),
      ],
      async run(input, call) {
        const reference = parseUnqualifiedName(input.FunctionName, call);
        refuseUnbuilt(input, "UpdateFunctionConfiguration");
        const before = await store.read((reader) => existingFunction(reader, reference));
        checkRevision(before, input.RevisionId);
        checkPackageMembers(input, before.latest.code.image !== undefined);
        if (input.Role !== undefined) await checkRole(input.Role, before.name, call);
        const layers = input.Layers && (await readLayers(input.Layers, call, store));
        const { verdict, described } = await store.transact(async (tx) => {
          const record = await existingFunction(tx, reference);
          checkRevision(record, input.RevisionId);
          const verdict = layers && layers.length > 0 ? await judgeDeployment(tx, reference, record) : "pass";
          const { settings: had } = record.latest;
          checkCapacityKept(had, input.CapacityProviderConfig);
          const settings = changeImageConfig(
            changeSettings(
              { ...had, ...changeCapacity(had.capacity, input.CapacityProviderConfig, call) },
              input,
              layers,
              record.name,
            ),
            input.ImageConfig,
          );
          checkUnzippedTotal(record.latest.code, settings.layers);
          const digest = digestOf(settings, record.latest.code);
          const changed = { ...record.latest, settings, digest, modifiedAt: call.now };
          return { verdict, described: await replaceLatest(tx, reference, record, changed, false) };
        });
        if (verdict === "warn") warnOfCode(reference);
        return described;
      },
    },

    ListFunctions: {
      authorize: () => [{ action: "lambda:ListFunctions", resource: "*" }],
      async run(input, call) {
        const limit = Math.min(input.MaxItems ?? lambdaLimits.listItemsMax, lambdaLimits.listItemsMax);
        const after = parseMarker(input.Marker);
        // Functions of other regions replicated to the edge: there are none.
        if (input.MasterRegion !== undefined && input.MasterRegion !== "ALL" && input.MasterRegion !== call.region) {
          return { Functions: [] };
        }
        // AWS: lists give the version in the ARN only with FunctionVersion=ALL, and never State.
        const all = input.FunctionVersion === "ALL";
        return store.read(async (reader) => {
          const page: ListedFunction[] = [];
          for await (const listed of listFunctions(reader, call, after, all)) {
            const last = page.at(-1);
            if (last && page.length === limit)
              return { Functions: page.map(describe), NextMarker: toMarker(last.marker) };
            page.push(listed);
          }
          return { Functions: page.map(describe) };
        });

        function describe({ record, version }: ListedFunction) {
          return inList(describeVersion(call, record, version, all ? version.version : undefined));
        }
      },
    },

    DeleteFunction: {
      authorize: (input, call) => onFunction(functions, "DeleteFunction", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const reference = parseFunctionName(input.FunctionName, call, input.Qualifier);
        await store.transact((tx) =>
          reference.qualifier === undefined
            ? deleteWhole(tx, reference)
            : deleteVersion(tx, reference, reference.qualifier),
        );
        return { StatusCode: 204 };
      },
    },
  } satisfies OperationsOf<Sdk>;

  async function replaceLatest(
    tx: Transaction,
    place: FunctionReference,
    record: FunctionRecord,
    changed: FunctionVersion,
    publish: boolean | "LATEST_PUBLISHED",
  ) {
    const latest = { ...changed, revisionId: ids.uuid() };
    const next: FunctionRecord = { ...record, latest };
    await replacePackages(tx, code, place, record, record.latest, latest);
    await chargeStorage(tx, place, latest.code.bytes - record.latest.code.bytes);
    await useCapacity(tx, place, record.name, "$LATEST", record.latest.settings, latest.settings);
    writeFunction(tx, place, next);
    if (publish === false) return describeVersion(place, next, latest);
    const to = publish === true ? publishVersion : publishLatest;
    const published = await to(tx, place, next, undefined, ids, code);
    return describeNow(place, published.record, published.version);
  }

  async function deleteWhole(tx: Transaction, place: FunctionReference) {
    const record = await existingFunction(tx, place);
    const { name } = record;
    const versions = await readAll<FunctionVersion>(tx, keyOf("version", place, name));
    let bytes = 0;
    const { latest, latestPublished } = record;
    for (const version of [latest, ...(latestPublished ? [latestPublished] : []), ...versions]) {
      await useCapacity(tx, place, name, version.version, version.settings, undefined);
      bytes += version.code.bytes;
      await releaseVersion(tx, code, place, record, version);
    }
    tx.delete(keyOf("function", place, name));
    useCodeSigning(tx, place, record, undefined);
    await deleteUrlsOf(tx, place, name);
    for (const kind of kindsOfFunctions) {
      for (const { key } of await tx.range({ prefix: keyOf(kind, place, name) }, { limit: 10_000 })) tx.delete(key);
    }
    await addToTotals(tx, place, {
      codeBytes: -bytes,
      functionCount: -1,
      reservedConcurrency: -claimOf(record),
    });
  }

  async function deleteLatestPublished(tx: Transaction, place: FunctionReference, record: FunctionRecord) {
    const { latestPublished: version, ...rest } = record;
    if (version === undefined) return;
    await useCapacity(tx, place, record.name, version.version, version.settings, undefined);
    for (const key of [
      functionScalingKey(place, record.name, version.version),
      keyOf("policy", place, record.name, version.version),
      keyOf("invokeConfig", place, record.name, version.version),
    ]) {
      tx.delete(key);
    }
    await releaseVersion(tx, code, place, record, version);
    await addToTotals(tx, place, { codeBytes: -version.code.bytes });
    writeFunction(tx, place, rest);
  }

  async function deleteVersion(tx: Transaction, place: FunctionReference, qualifier: string) {
    const record = await existingFunction(tx, place);
    if (qualifier === "$LATEST") {
      throw invalidParameter("$LATEST version cannot be deleted without deleting the function.");
    }
    if (qualifier === "$LATEST.PUBLISHED") return deleteLatestPublished(tx, place, record);
    const key = keyOf("version", place, record.name, Number(qualifier));
    const version = Number.isInteger(Number(qualifier)) ? await tx.get<FunctionVersion>(key) : undefined;
    // AWS: deleting what is not there succeeds, except for a name that is no number.
    if (!Number.isInteger(Number(qualifier))) {
      throw invalidParameter("Deletion of aliases is not currently supported.");
    }
    if (!version) return;
    const aliases = await readAll<AliasRecord>(tx, keyOf("alias", place, record.name));
    const bound = aliases.filter((alias) => alias.functionVersion === qualifier || qualifier in alias.weights);
    if (bound.length > 0) {
      const arns = bound.map((alias) => functionArn(place, record.name, alias.name));
      throw conflict(
        `Version ${qualifier} of the function is referenced by the following aliases: [${arns.join(", ")}]`,
      );
    }
    tx.delete(key);
    await removeProvisioned(tx, place, record, qualifier);
    await useCapacity(tx, place, record.name, qualifier, version.settings, undefined);
    tx.delete(functionScalingKey(place, record.name, qualifier));
    tx.delete(keyOf("snapStart", place, record.name, Number(qualifier)));
    tx.delete(keyOf("policy", place, record.name, qualifier));
    tx.delete(keyOf("invokeConfig", place, record.name, qualifier));
    await releaseVersion(tx, code, place, record, version);
    await addToTotals(tx, place, { codeBytes: -version.code.bytes });
  }
}

/** What is stored for a function, by its name, beside its record. */
const kindsOfFunctions = [
  "version",
  "alias",
  "policy",
  "provisioned",
  "snapStart",
  "invokeConfig",
  "functionScaling",
] as const;

/** Whoever puts a function on a capacity provider must be allowed to. */
function passCapacity(config: CapacityProviderConfig | undefined, call: Call) {
  const arn = config?.LambdaManagedInstancesCapacityProviderConfig?.CapacityProviderArn;
  return arn === undefined
    ? []
    : [{ action: "lambda:PassCapacityProvider", resource: arn, resourceAccount: call.account }];
}

/** Throws CodeVerificationFailedException. */
async function judgeDeployment(tx: Transaction, place: FunctionReference, record: FunctionRecord) {
  if (record.codeSigning === undefined) return "pass";
  const key = codeSigningKey(place, record.codeSigning);
  return judgeUnverified(await tx.get<CodeSigningConfigRecord>(key), record.name);
}

function alreadyExists(name: string) {
  return conflict(`Function already exist: ${name}`);
}

function checkRevision(record: FunctionRecord, revisionId: string | undefined): void {
  if (revisionId !== undefined && revisionId !== record.latest.revisionId) {
    throw revisionMismatch("GetFunction/GetAlias");
  }
}

/** AWS leaves these out of lists. */
function inList(configuration: ReturnType<typeof describeVersion>) {
  const { State: _state, LastUpdateStatus: _status, ...listed } = configuration;
  return listed;
}
