import type { DestinationConfig } from "@aws-sdk/client-lambda";
import type { Key, Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { checkDestinations, readDestinations } from "../destinations.ts";
import { aliasNotFound, functionNotFound, invalidParameter, notFound } from "../errors.ts";
import { lambdaLimits } from "../limits.ts";
import { functionArn, keyOf, type EventInvokeConfig } from "../model.ts";
import {
  isVersionNumber,
  parseFunctionName,
  parseMarker,
  parseUnqualifiedName,
  toMarker,
  type FunctionReference,
} from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { existingFunction } from "../versions.ts";

export function eventInvokeConfigOperations(needs: OperationNeeds) {
  const { store, functions } = needs;
  const put = async (input: Input, call: Call, keepOld: boolean) => {
    const place = parseFunctionName(input.FunctionName, call, input.Qualifier);
    const { DestinationConfig } = input;
    const given = DestinationConfig && readDestinations(DestinationConfig, call.operation);
    const { MaximumRetryAttempts, MaximumEventAgeInSeconds } = input;
    if ([MaximumRetryAttempts, MaximumEventAgeInSeconds, given].every((each) => each === undefined) && !keepOld) {
      throw invalidParameter("You must specify at least one of error handling or destination setting.");
    }
    if (given !== undefined) {
      const { latest } = await store.read((reader) => existingFunction(reader, place));
      await checkDestinations(needs, { place, name: place.name, role: latest.settings.role }, given);
    }
    return store.transact(async (tx) => {
      const { key, config } = await readConfig(tx, place);
      if (keepOld && !config) throw missing(place);
      const destinations = given ?? (keepOld ? config?.destinations : undefined);
      const attempts = MaximumRetryAttempts ?? (keepOld ? config?.maximumRetryAttempts : undefined);
      const age = MaximumEventAgeInSeconds ?? (keepOld ? config?.maximumEventAgeSeconds : undefined);
      const next: EventInvokeConfig = {
        v: 1,
        qualifier: qualifierOf(place),
        modifiedAt: call.now,
        ...(attempts !== undefined && { maximumRetryAttempts: attempts }),
        ...(age !== undefined && { maximumEventAgeSeconds: age }),
        ...(destinations && { destinations }),
      };
      tx.set(key, next);
      return describe(place, next);
    });
  };

  return {
    PutFunctionEventInvokeConfig: {
      authorize: (input, call) =>
        onFunction(functions, "PutFunctionEventInvokeConfig", input.FunctionName, call, input.Qualifier),
      run: (input, call) => put(input, call, false),
    },

    UpdateFunctionEventInvokeConfig: {
      authorize: (input, call) =>
        onFunction(functions, "UpdateFunctionEventInvokeConfig", input.FunctionName, call, input.Qualifier),
      run: (input, call) => put(input, call, true),
    },

    GetFunctionEventInvokeConfig: {
      authorize: (input, call) =>
        onFunction(functions, "GetFunctionEventInvokeConfig", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const place = parseFunctionName(input.FunctionName, call, input.Qualifier);
        const { config } = await store.read((reader) => readConfig(reader, place));
        if (!config) throw missing(place);
        return describe(place, config);
      },
    },

    DeleteFunctionEventInvokeConfig: {
      authorize: (input, call) =>
        onFunction(functions, "DeleteFunctionEventInvokeConfig", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const place = parseFunctionName(input.FunctionName, call, input.Qualifier);
        await store.transact(async (tx) => {
          const { key, config } = await readConfig(tx, place);
          if (!config) throw missing(place);
          tx.delete(key);
        });
        return {};
      },
    },

    ListFunctionEventInvokeConfigs: {
      authorize: (input, call) => onFunction(functions, "ListFunctionEventInvokeConfigs", input.FunctionName, call),
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        const limit = Math.min(input.MaxItems ?? lambdaLimits.listItemsMax, lambdaLimits.listItemsMax);
        const after = parseMarker(input.Marker);
        return store.read(async (reader) => {
          const record = await existingFunction(reader, place);
          const prefix = keyOf("invokeConfig", place, record.name);
          const entries = await reader.range<EventInvokeConfig>(
            { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
            { limit: limit + 1 },
          );
          const page = entries.slice(0, limit).map(({ value }) => value);
          const last = page.at(-1);
          return {
            FunctionEventInvokeConfigs: page.map((config) =>
              describe({ ...place, qualifier: config.qualifier }, config),
            ),
            ...(entries.length > limit && last && { NextMarker: toMarker(last.qualifier) }),
          };
        });
      },
    },
  } satisfies OperationsOf<Sdk>;
}

interface Input {
  readonly FunctionName?: string | undefined;
  readonly Qualifier?: string | undefined;
  readonly MaximumRetryAttempts?: number | undefined;
  readonly MaximumEventAgeInSeconds?: number | undefined;
  readonly DestinationConfig?: DestinationConfig | undefined;
}

function qualifierOf(place: FunctionReference): string {
  return place.qualifier ?? "$LATEST";
}

async function readConfig(
  reader: Reader,
  place: FunctionReference,
): Promise<{ readonly key: Key; readonly config: EventInvokeConfig | undefined }> {
  const record = await existingFunction(reader, place);
  const qualifier = qualifierOf(place);
  if (isVersionNumber(qualifier)) {
    const version = await reader.get(keyOf("version", place, record.name, Number(qualifier)));
    if (!version) throw functionNotFound(functionArn(place, record.name, qualifier));
  } else if (qualifier !== "$LATEST" && !(await reader.get(keyOf("alias", place, record.name, qualifier)))) {
    throw aliasNotFound(functionArn(place, record.name, qualifier));
  }
  const key = keyOf("invokeConfig", place, record.name, qualifier);
  return { key, config: await reader.get<EventInvokeConfig>(key) };
}

function missing(place: FunctionReference) {
  const arn = functionArn(place, place.name, qualifierOf(place));
  return notFound(`The function ${arn} doesn't have an EventInvokeConfig`);
}

function describe(place: FunctionReference, config: EventInvokeConfig) {
  const { onSuccess, onFailure } = config.destinations ?? {};
  return {
    LastModified: new Date(config.modifiedAt),
    FunctionArn: functionArn(place, place.name, config.qualifier),
    ...(config.maximumRetryAttempts !== undefined && { MaximumRetryAttempts: config.maximumRetryAttempts }),
    ...(config.maximumEventAgeSeconds !== undefined && { MaximumEventAgeInSeconds: config.maximumEventAgeSeconds }),
    DestinationConfig: {
      OnSuccess: onSuccess === undefined ? {} : { Destination: onSuccess },
      OnFailure: onFailure === undefined ? {} : { Destination: onFailure },
    },
  };
}
