import type { FunctionSpec } from "../../compute/compute.ts";
import type { Service } from "../../wire/service.ts";
import type { ResourceType } from "../cloudformation/port.ts";
import { createCapacityFleets } from "./capacity/fleets.ts";
import { createCodeStore } from "./code/code-store.ts";
import { codeUrlPath, createCodeUrls } from "./code/code-urls.ts";
import { lambdaConditionKeys } from "./condition-keys.ts";
import { handleDeliveries } from "./deliveries.ts";
import { createDurableExecutions } from "./durable/executions.ts";
import { handleInvocations } from "./durable/invocations.ts";
import { handleDurableJobs } from "./durable/worker.ts";
import { createEventSources } from "./event-sources/create-event-sources.ts";
import { createDynamoDbSource } from "./event-sources/dynamodb-streams.ts";
import { createFunctions } from "./functions.ts";
import { createKeptEnvironments } from "./concurrency-kept.ts";
import { createInvoker } from "./invoker.ts";
import { lambdaLimits } from "./limits.ts";
import type { Place } from "./model.ts";
import type { LambdaNeeds } from "./needs.ts";
import { aliasOperations } from "./operations/aliases.ts";
import { capacityProviderOperations } from "./operations/capacity-providers.ts";
import { codeSigningOperations } from "./operations/code-signing-configs.ts";
import { concurrencyOperations } from "./operations/concurrency.ts";
import { durableCallbackOperations } from "./operations/durable-callbacks.ts";
import { durableCheckpointOperations } from "./operations/durable-checkpoints.ts";
import { durableExecutionOperations } from "./operations/durable-executions.ts";
import { eventInvokeConfigOperations } from "./operations/event-invoke-configs.ts";
import { eventSourceMappingOperations } from "./operations/event-source-mappings.ts";
import { functionScalingOperations } from "./operations/function-scaling.ts";
import { functionUrlOperations } from "./operations/function-urls.ts";
import { functionOperations } from "./operations/functions.ts";
import { invokeOperations } from "./operations/invoke.ts";
import { layerOperations } from "./operations/layers.ts";
import { permissionOperations } from "./operations/permissions.ts";
import { provisionedConcurrencyOperations } from "./operations/provisioned-concurrency.ts";
import { recursionOperations } from "./operations/recursion.ts";
import { runtimeManagementOperations } from "./operations/runtime-management.ts";
import { tagOperations } from "./operations/tags.ts";
import { versionOperations } from "./operations/versions.ts";
import type { FunctionUrlPort, LambdaPort } from "./port.ts";
import { createLambdaPort } from "./port-invoke.ts";
import { lambdaResourceTypes } from "./resources/types.ts";
import { createFunctionUrls } from "./url/function-urls.ts";
import { handleEvents } from "./worker.ts";

export interface Lambda {
  readonly service: Service;
  readonly port: LambdaPort;
  readonly functionUrls: FunctionUrlPort;
  readonly resourceTypes: readonly ResourceType[];
  /**
   * The zip behind the path of a `Code.Location`; undefined for any other path, and when its token is forged or has expired.
   */
  downloadCode(path: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** A function's `$LATEST` as environments run it: for who debugs it. */
  latest(place: Place, name: string): Promise<FunctionSpec | undefined>;
  start(): void;
  stop(): void;
}

/** Lambda: functions, versions, aliases, layers, permissions, and invoking them. */
export function createLambda(needs: LambdaNeeds): Lambda {
  const code = createCodeStore(needs);
  const codeUrls = createCodeUrls(needs);
  const functions = createFunctions({ store: needs.store, compute: needs.compute, code });
  const plain = createInvoker({ ...needs, functions });
  const durable = createDurableExecutions({ ...needs, plain });
  const { invoker } = durable;
  handleInvocations({ ...needs, functions, invoker: plain });
  handleDurableJobs({ ...needs, functions, invoker: plain });
  const keptEnvironments = createKeptEnvironments({ ...needs, functions });
  const capacityFleets = createCapacityFleets({ ...needs, functions });
  handleEvents({ ...needs, functions, invoker, durable });
  handleDeliveries({ ...needs, functions });
  const urls = createFunctionUrls({ ...needs, functions, invoker });
  const sources = [createDynamoDbSource(needs.streams)];
  const eventSources = createEventSources({ ...needs, functions, invoker, sources });
  const all = { ...needs, code, codeUrls, functions, invoker, durable };

  let cancelSweep: (() => void) | undefined;
  const sweep = () => {
    cancelSweep = needs.clock.after(lambdaLimits.sweepCodeMs, () => {
      code.sweep().catch((error: unknown) => needs.log.warn("Unused code could not be removed", { error }));
      sweep();
    });
  };

  return {
    service: {
      name: "lambda",
      operations: {
        ...functionOperations(all),
        ...versionOperations(all),
        ...aliasOperations(all),
        ...permissionOperations(all),
        ...layerOperations(all),
        ...tagOperations(all),
        ...codeSigningOperations(all),
        ...concurrencyOperations(all),
        ...provisionedConcurrencyOperations(all),
        ...capacityProviderOperations(all),
        ...functionScalingOperations(all),
        ...recursionOperations(all),
        ...runtimeManagementOperations(all),
        ...eventInvokeConfigOperations(all),
        ...functionUrlOperations(all),
        ...eventSourceMappingOperations({ ...all, eventSources: sources }),
        ...invokeOperations(all),
        ...durableExecutionOperations(all),
        ...durableCallbackOperations(all),
        ...durableCheckpointOperations(all),
      },
      conditionKeys: lambdaConditionKeys(needs.store),
    },
    port: createLambdaPort({ ...needs, functions, invoker }),
    functionUrls: urls.port,
    resourceTypes: lambdaResourceTypes,
    async downloadCode(path) {
      if (!path.startsWith(codeUrlPath)) return undefined;
      const blobId = await codeUrls.verify(path.slice(codeUrlPath.length), needs.clock.now());
      return blobId === undefined ? undefined : needs.blobs.read(blobId);
    },
    async latest(place, name) {
      const fn = await functions.find(place, name);
      return fn?.spec(fn.record.latest);
    },
    start() {
      sweep();
      keptEnvironments.start();
      capacityFleets.start();
      eventSources.start();
    },
    stop() {
      eventSources.stop();
      durable.stop();
      keptEnvironments.stop();
      capacityFleets.stop();
      cancelSweep?.();
      urls.stop();
      functions.stop();
    },
  };
}
