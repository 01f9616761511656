import type { Reader } from "../../kernel/store/store.ts";
import { badRequest } from "./errors.ts";
import { findChild, type MethodRecord, type Place } from "./model.ts";
import { parseFlag, type PatchTable } from "./patch.ts";

/**
 * Check what a method says of requests: names of parameters, and that its models and its validator are there. Throws
 * BadRequestException.
 */
export async function checkRequestRules(
  reader: Reader,
  place: Place,
  apiId: string,
  method: MethodRecord,
): Promise<void> {
  for (const name of Object.keys(method.requestParameters ?? {})) {
    if (!/^method\.request\.(?:querystring|path|header|multivaluequerystring|multivalueheader)\.[^\s]+$/.test(name)) {
      throw invalidParameter(name);
    }
  }
  await checkModels(reader, place, apiId, method.requestModels);
  const { requestValidatorId } = method;
  if (requestValidatorId === undefined) return;
  const validator = await findChild(reader, place, apiId, "request-validator", requestValidatorId);
  if (validator === undefined) throw badRequest("Invalid Request Validator identifier specified");
}

/** Throws BadRequestException for a model that the API lacks. */
export async function checkModels(
  reader: Reader,
  place: Place,
  apiId: string,
  models: Readonly<Record<string, string>> | undefined,
): Promise<void> {
  for (const name of new Set(Object.values(models ?? {}))) {
    if ((await findChild(reader, place, apiId, "model", name)) === undefined) {
      throw badRequest(`Invalid model identifier specified: ${name}`);
    }
  }
}

export function invalidParameter(name: string): Error {
  return badRequest(
    `Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: ${name}]`,
  );
}

/** Patches of what a method says of requests. */
export const requestRulePatches: PatchTable<MethodRecord> = [
  {
    path: /^\/requestParameters\/[^/]+$/,
    apply: {
      add: (method, value, name) => withParameter(method, name, value),
      replace: (method, value, name) => withParameter(method, name, value),
      remove: (method, _value, name) => ({ ...method, requestParameters: without(method.requestParameters, name) }),
    },
  },
  {
    path: /^\/requestModels\/[^/]+$/,
    apply: {
      add: (method, value, type) => ({ ...method, requestModels: { ...method.requestModels, [type]: value } }),
      replace: (method, value, type) => ({ ...method, requestModels: { ...method.requestModels, [type]: value } }),
      remove: (method, _value, type) => ({ ...method, requestModels: without(method.requestModels, type) }),
    },
  },
  {
    path: /^\/requestValidatorId$/,
    apply: {
      add: withValidator,
      // AWS: an empty identifier takes the validator away.
      replace: withValidator,
      remove: (method) => withValidator(method, ""),
    },
  },
];

function withParameter(method: MethodRecord, name: string, value: string): MethodRecord {
  return { ...method, requestParameters: { ...method.requestParameters, [name]: parseFlag(value) } };
}

function withValidator(method: MethodRecord, requestValidatorId: string): MethodRecord {
  const { requestValidatorId: _before, ...rest } = method;
  return requestValidatorId === "" ? rest : { ...rest, requestValidatorId };
}

/** Throws BadRequestException when the key is not there. */
export function without<V>(record: Readonly<Record<string, V>> | undefined, key: string): Record<string, V> {
  const { [key]: gone, ...rest } = record ?? {};
  if (gone === undefined) throw badRequest(`Invalid patch operation specified. ${key} is not there to be removed`);
  return rest;
}
