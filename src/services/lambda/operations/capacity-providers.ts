import { notImplemented } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { providersExceeded } from "../capacity/errors.ts";
import { capacityLimits } from "../capacity/limits.ts";
import {
  capacityProviderArn,
  capacityProviderKey,
  capacityUsePrefix,
  parseCapacityProvider,
  readCapacityProvider,
  type CapacityProviderRecord,
  type CapacityScaling,
  type CapacityUse,
} from "../capacity/model.ts";
import { capacityState } from "../capacity/state.ts";
import { conflict, invalidParameter } from "../errors.ts";
import { functionArn, keyOf, type Place } from "../model.ts";
import { parseMarker, toMarker } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { present } from "../present.ts";
import { checkTags } from "../settings.ts";
import type * as LambdaSdk from "@aws-sdk/client-lambda";

export function capacityProviderOperations({ store, iam, functions, compute }: OperationNeeds) {
  return {
    CreateCapacityProvider: {
      authorize: (input, call) => {
        const resource = capacityProviderArn(call, parseCapacityProvider(input.CapacityProviderName, call).name);
        return [
          { action: "lambda:CreateCapacityProvider", resource },
          iam.passRole(roleOf(input.PermissionsConfig), "lambda.amazonaws.com"),
          ...(input.Tags ? [{ action: "lambda:TagResource", resource }] : []),
        ];
      },
      async run(input, call) {
        const { name } = parseCapacityProvider(input.CapacityProviderName, call);
        refuseUnbuilt(input, "CreateCapacityProvider");
        const tags = input.Tags ?? {};
        checkTags(tags);
        const vpc = present(input.VpcConfig, "VpcConfig");
        const architecture = input.InstanceRequirements?.Architectures?.[0];
        const record: CapacityProviderRecord = {
          v: 1,
          name,
          modifiedAt: call.now,
          subnetIds: [...present(vpc.SubnetIds, "VpcConfig.SubnetIds")],
          securityGroupIds: [...present(vpc.SecurityGroupIds, "VpcConfig.SecurityGroupIds")],
          operatorRole: roleOf(input.PermissionsConfig),
          ...(architecture !== undefined && { architecture: architecture === "arm64" ? "arm64" : "x86_64" }),
          scaling: scalingOf(undefined, input.CapacityProviderScalingConfig),
          tags,
        };
        await store.transact(async (tx) => {
          const key = capacityProviderKey(call, name);
          // Gap: AWS's sentence is not known.
          if (await tx.get(key)) throw conflict(`Capacity provider already exists: ${name}`);
          const all = await tx.range(
            { prefix: keyOf("capacityProvider", call) },
            { limit: capacityLimits.providersMax },
          );
          if (all.length >= capacityLimits.providersMax) throw providersExceeded();
          tx.set(key, record);
        });
        return { CapacityProvider: describe(call, record) };
      },
    },

    GetCapacityProvider: {
      authorize: (input, call) => onProvider("GetCapacityProvider", input.CapacityProviderName, call),
      async run(input, call) {
        const reference = parseCapacityProvider(input.CapacityProviderName, call);
        const record = await store.read((reader) => readCapacityProvider(reader, reference));
        return { CapacityProvider: describe(call, record) };
      },
    },

    UpdateCapacityProvider: {
      authorize: (input, call) => onProvider("UpdateCapacityProvider", input.CapacityProviderName, call),
      async run(input, call) {
        const reference = parseCapacityProvider(input.CapacityProviderName, call);
        refuseUnbuilt(input, "UpdateCapacityProvider");
        return store.transact(async (tx) => {
          const before = await readCapacityProvider(tx, reference);
          const scaling = scalingOf(before.scaling, input.CapacityProviderScalingConfig);
          const record: CapacityProviderRecord = { ...before, scaling, modifiedAt: call.now };
          tx.set(capacityProviderKey(call, record.name), record);
          return { CapacityProvider: describe(call, record) };
        });
      },
    },

    DeleteCapacityProvider: {
      authorize: (input, call) => onProvider("DeleteCapacityProvider", input.CapacityProviderName, call),
      async run(input, call) {
        const reference = parseCapacityProvider(input.CapacityProviderName, call);
        return store.transact(async (tx) => {
          const record = await readCapacityProvider(tx, reference);
          const uses = await tx.range({ prefix: capacityUsePrefix(call, record.name) }, { limit: 1 });
          // Gap: AWS refuses too; the sentence is ours.
          if (uses.length > 0) {
            throw conflict(
              `The capacity provider ${capacityProviderArn(call, record.name)} is used by functions and cannot be deleted.`,
            );
          }
          tx.delete(capacityProviderKey(call, record.name));
          return { CapacityProvider: { ...describe(call, record), State: "Deleting" as const } };
        });
      },
    },

    ListCapacityProviders: {
      authorize: () => [{ action: "lambda:ListCapacityProviders", resource: "*" }],
      async run(input, call) {
        // Those that are there are active: nothing has to be provisioned.
        if (input.State !== undefined && input.State !== "Active") return { CapacityProviders: [] };
        const limit = input.MaxItems ?? capacityLimits.listItemsMax;
        const prefix = keyOf("capacityProvider", call);
        const after = parseMarker(input.Marker);
        const entries = await store.read((reader) =>
          reader.range<CapacityProviderRecord>(
            { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
            { limit: limit + 1 },
          ),
        );
        const last = entries[limit - 1]?.value;
        return {
          CapacityProviders: entries.slice(0, limit).map(({ value }) => describe(call, value)),
          ...(entries.length > limit && last && { NextMarker: toMarker(last.name) }),
        };
      },
    },

    ListFunctionVersionsByCapacityProvider: {
      authorize: (input, call) =>
        onProvider("ListFunctionVersionsByCapacityProvider", input.CapacityProviderName, call),
      async run(input, call) {
        const reference = parseCapacityProvider(input.CapacityProviderName, call);
        const limit = input.MaxItems ?? capacityLimits.listItemsMax;
        const prefix = capacityUsePrefix(call, reference.name);
        const after = parseMarker(input.Marker)?.split(":");
        const entries = await store.read(async (reader) => {
          await readCapacityProvider(reader, reference);
          return reader.range<CapacityUse>(
            { prefix, ...(after !== undefined && { after: [...prefix, ...after] }) },
            { limit: limit + 1 },
          );
        });
        const listed = [];
        for (const { value } of entries.slice(0, limit)) {
          const fn = await functions.find(call, value.function);
          const version = await fn?.version(value.version);
          if (!fn || !version) continue;
          const { State = "Active" as const } = capacityState(compute, fn.record, version);
          listed.push({ FunctionArn: functionArn(call, value.function, value.version), State });
        }
        const last = entries[limit - 1]?.value;
        return {
          CapacityProviderArn: capacityProviderArn(call, reference.name),
          FunctionVersions: listed,
          ...(entries.length > limit && last && { NextMarker: toMarker(`${last.function}:${last.version}`) }),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function onProvider(operation: string, name: string | undefined, call: Call) {
  const reference = parseCapacityProvider(name, call);
  return [{ action: `lambda:${operation}`, resource: capacityProviderArn(call, reference.name) }];
}

function roleOf(permissions: LambdaSdk.CapacityProviderPermissionsConfig | undefined): string {
  return present(permissions?.CapacityProviderOperatorRoleArn, "PermissionsConfig.CapacityProviderOperatorRoleArn");
}

/** There are no instances here that could be of a type, have tags, volumes to encrypt, or logs. */
function refuseUnbuilt(
  input: Partial<LambdaSdk.CreateCapacityProviderRequest> & Partial<LambdaSdk.UpdateCapacityProviderRequest>,
  operation: string,
): void {
  const refuse = (member: string) => {
    throw notImplemented(`The parameter ${member} of ${operation}`);
  };
  if ((input.InstanceRequirements?.AllowedInstanceTypes?.length ?? 0) > 0) {
    refuse("InstanceRequirements.AllowedInstanceTypes");
  }
  if ((input.InstanceRequirements?.ExcludedInstanceTypes?.length ?? 0) > 0) {
    refuse("InstanceRequirements.ExcludedInstanceTypes");
  }
  if (input.KmsKeyArn !== undefined && input.KmsKeyArn !== "") refuse("KmsKeyArn");
  if (input.PropagateTags?.Mode === "Explicit") refuse("PropagateTags.Mode=Explicit");
  if (Object.keys(input.PropagateTags?.ExplicitTags ?? {}).length > 0) refuse("PropagateTags.ExplicitTags");
  if (Object.keys(input.TelemetryConfig?.LoggingConfig ?? {}).length > 0) refuse("TelemetryConfig.LoggingConfig");
}

function scalingOf(
  before: CapacityScaling | undefined,
  config: LambdaSdk.CapacityProviderScalingConfig | undefined,
): CapacityScaling {
  const maxVcpus = config?.MaxVCpuCount ?? before?.maxVcpus ?? capacityLimits.maxVcpusDefault;
  const mode = config?.ScalingMode ?? (config?.ScalingPolicies || before?.cpuTarget !== undefined ? "Manual" : "Auto");
  const policies = config?.ScalingPolicies;
  if (mode === "Auto") {
    if (policies !== undefined) {
      throw invalidParameter("A scaling policy can't be specified when the scalingMode is set to Auto");
    }
    return { maxVcpus };
  }
  const [policy, second] = policies ?? [];
  const cpuTarget = policy?.TargetValue ?? before?.cpuTarget;
  // Sentences of ours: what AWS says is not known.
  if (second !== undefined) throw invalidParameter("Only one scaling policy can be specified for a metric.");
  if (cpuTarget === undefined) {
    throw invalidParameter("A scaling policy must be specified when the scalingMode is set to Manual");
  }
  if (cpuTarget <= 0) throw invalidParameter("The target value of a scaling policy must be greater than 0.");
  return { maxVcpus, cpuTarget };
}

function describe(place: Place, record: CapacityProviderRecord) {
  const { architecture, scaling } = record;
  return {
    CapacityProviderArn: capacityProviderArn(place, record.name),
    State: "Active" as const,
    VpcConfig: { SubnetIds: [...record.subnetIds], SecurityGroupIds: [...record.securityGroupIds] },
    PermissionsConfig: { CapacityProviderOperatorRoleArn: record.operatorRole },
    ...(architecture !== undefined && { InstanceRequirements: { Architectures: [architecture] } }),
    CapacityProviderScalingConfig: {
      MaxVCpuCount: scaling.maxVcpus,
      ScalingMode: scaling.cpuTarget === undefined ? ("Auto" as const) : ("Manual" as const),
      ...(scaling.cpuTarget !== undefined && {
        ScalingPolicies: [
          {
            PredefinedMetricType: "LambdaCapacityProviderAverageCPUUtilization" as const,
            TargetValue: scaling.cpuTarget,
          },
        ],
      }),
    },
    LastModified: new Date(record.modifiedAt).toISOString().replace("Z", "+0000"),
  };
}
