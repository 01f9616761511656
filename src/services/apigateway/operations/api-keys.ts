import type * as sdk from "@aws-sdk/client-api-gateway";
import { lowerAlphanumeric, upperAlphanumeric } from "../../../kernel/ids.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { parseApiKeysCsv, type ImportedApiKey } from "../api-keys-csv.ts";
import { may } from "../authorize.ts";
import { badRequest, conflict } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import { findChild, readChild } from "../model.ts";
import { applyPatch, parseFlag, type PatchTable } from "../patch.ts";
import { checkTags, pageOf, wholeSecond } from "../rules.ts";
import {
  type ApiKeyRecord,
  countApiKey,
  deleteApiKey,
  findKeyOfValue,
  listApiKeys,
  readApiKey,
  readUsagePlan,
  writeApiKey,
  writePlanKey,
} from "../usage-model.ts";
import type { UsageNeeds } from "./usage-needs.ts";

export function apiKeyOperations(needs: UsageNeeds) {
  return {
    CreateApiKey: {
      authorize: (_input, call) => may("POST", call, "/apikeys"),
      run: async (input, call) => {
        const key: ApiKeyRecord = {
          ...newKey(needs, call),
          // Without it AWS made the value the id, for keys from before usage plans; it says no more than that.
          value: input.value === undefined ? newValue(needs) : checkValue(input.value),
          ...(input.name === undefined ? {} : { name: checkName(input.name) }),
          ...(input.customerId === undefined ? {} : { customerId: input.customerId }),
          ...(input.description === undefined ? {} : { description: input.description }),
          enabled: input.enabled ?? false,
          tags: checkTags(input.tags ?? {}),
          stageKeys: (input.stageKeys ?? []).map(({ restApiId, stageName }) => `${restApiId}/${stageName}`),
        };
        await needs.store.transact(async (tx) => {
          for (const stageKey of key.stageKeys) await checkStageKey(tx, call, stageKey);
          await addKey(needs, tx, call, key);
        });
        return describeApiKey(key, true);
      },
    },
    ImportApiKeys: {
      authorize: (_input, call) => may("POST", call, "/apikeys"),
      run: async (input, call) => {
        const { keys, warnings } = parseApiKeysCsv(Buffer.from(input.body ?? new Uint8Array()).toString("utf8"));
        if (keys.length > limits.importedKeysMax)
          throw badRequest(`At most ${limits.importedKeysMax} API keys can be imported at once`);
        return needs.store.transact(async (tx) => {
          const ids: string[] = [];
          const told = [...warnings];
          for (const imported of keys) ids.push(await importKey(needs, tx, call, imported, told));
          if (input.failOnWarnings === true && told.length > 0) throw badRequest(told.join("; "));
          return { ids, ...(told.length === 0 ? {} : { warnings: told }) };
        });
      },
    },
    GetApiKey: {
      authorize: (input, call) => may("GET", call, `/apikeys/${input.apiKey}`),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describeApiKey(await readApiKey(reader, call, input.apiKey), input.includeValue === true),
        ),
    },
    GetApiKeys: {
      authorize: (_input, call) => may("GET", call, "/apikeys"),
      run: async (input, call) => {
        const keys = await needs.store.read((reader) => listApiKeys(reader, call));
        const wanted = keys.filter(
          (key) =>
            (!input.nameQuery || (key.name ?? "").startsWith(input.nameQuery)) &&
            (!input.customerId || key.customerId === input.customerId),
        );
        const page = pageOf(wanted, (key) => key.id, input.limit, input.position);
        return { ...page, items: page.items.map((key) => describeApiKey(key, input.includeValues === true)) };
      },
    },
    UpdateApiKey: {
      authorize: (input, call) => may("PATCH", call, `/apikeys/${input.apiKey}`),
      run: async (input, call) => {
        const key = await needs.store.transact(async (tx) => {
          const before = await readApiKey(tx, call, input.apiKey);
          const next = { ...applyPatch(before, input.patchOperations, patches), updatedAt: call.now };
          for (const stageKey of next.stageKeys) {
            if (!before.stageKeys.includes(stageKey)) await checkStageKey(tx, call, stageKey);
          }
          writeApiKey(tx, needs.usage, call, next);
          return next;
        });
        return describeApiKey(key, false);
      },
    },
    DeleteApiKey: {
      authorize: (input, call) => may("DELETE", call, `/apikeys/${input.apiKey}`),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          deleteApiKey(tx, needs.usage, call, await readApiKey(tx, call, input.apiKey));
          await countApiKey(tx, call, -1);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

const patches: PatchTable<ApiKeyRecord> = [
  { path: /^\/name$/, apply: { replace: (key, name) => ({ ...key, name: checkName(name) }) } },
  { path: /^\/description$/, apply: { replace: (key, description) => ({ ...key, description }) } },
  { path: /^\/customerId$/, apply: { replace: (key, customerId) => ({ ...key, customerId }) } },
  { path: /^\/enabled$/, apply: { replace: (key, value) => ({ ...key, enabled: parseFlag(value) }) } },
  {
    path: /^\/stages$/,
    apply: {
      add: (key, value) => ({ ...key, stageKeys: [...new Set([...key.stageKeys, value])] }),
      remove: (key, value) => ({ ...key, stageKeys: key.stageKeys.filter((known) => known !== value) }),
    },
  },
];

function newKey(needs: UsageNeeds, call: Call) {
  return {
    version: 1 as const,
    id: needs.ids.random(10, lowerAlphanumeric),
    createdAt: call.now,
    updatedAt: call.now,
    planIds: [],
  };
}

function newValue(needs: UsageNeeds): string {
  return needs.ids.random(40, lowerAlphanumeric + upperAlphanumeric);
}

async function addKey(needs: UsageNeeds, tx: Transaction, call: Call, key: ApiKeyRecord): Promise<void> {
  await countApiKey(tx, call, 1);
  if ((await findKeyOfValue(tx, call, key.value)) !== undefined) throw conflict("API Key already exists");
  writeApiKey(tx, needs.usage, call, key);
}

/** AWS: a key whose value is known is given to the plans of its line, and told of in a warning. */
async function importKey(
  needs: UsageNeeds,
  tx: Transaction,
  call: Call,
  imported: ImportedApiKey,
  warnings: string[],
): Promise<string> {
  const { value, name, description, enabled, planIds } = imported;
  const knownId = await findKeyOfValue(tx, call, checkValue(value));
  let key: ApiKeyRecord;
  if (knownId === undefined) {
    key = {
      ...newKey(needs, call),
      value,
      name: checkName(name),
      ...(description === undefined ? {} : { description }),
      enabled,
      tags: {},
      stageKeys: [],
    };
    await addKey(needs, tx, call, key);
  } else {
    key = await readApiKey(tx, call, knownId);
    warnings.push(`API Key ${key.id} already exists`);
  }
  for (const planId of planIds) {
    await readUsagePlan(tx, call, planId);
    key = { ...key, planIds: [...new Set([...key.planIds, planId])] };
    writePlanKey(tx, call, planId, key.id);
  }
  writeApiKey(tx, needs.usage, call, key);
  return key.id;
}

async function checkStageKey(tx: Transaction, call: Call, stageKey: string): Promise<void> {
  const [apiId, stageName] = stageKey.split("/");
  const stage = await findChild(tx, call, apiId ?? "", "stage", stageName);
  if (stage === undefined) await readChild(tx, call, apiId, "stage", stageName);
}

/** The value itself is in no message. */
function checkValue(value: string): string {
  if (value.length < limits.apiKeyValueCharactersMin) {
    throw badRequest(`API Key value should be at least ${limits.apiKeyValueCharactersMin} characters`);
  }
  if (value.length > limits.apiKeyValueCharactersMax || !/^[\x21-\x7e]+$/.test(value)) {
    throw badRequest(
      `API Key value must be at most ${limits.apiKeyValueCharactersMax} characters that a header can have`,
    );
  }
  return value;
}

function checkName(name: string): string {
  if (name.length <= limits.nameCharactersMax) return name;
  throw badRequest(`API Key name must be at most ${limits.nameCharactersMax} characters`);
}

function describeApiKey(key: ApiKeyRecord, withValue: boolean) {
  return {
    id: key.id,
    ...(withValue ? { value: key.value } : {}),
    ...(key.name === undefined ? {} : { name: key.name }),
    ...(key.customerId === undefined ? {} : { customerId: key.customerId }),
    ...(key.description === undefined ? {} : { description: key.description }),
    enabled: key.enabled,
    createdDate: wholeSecond(key.createdAt),
    lastUpdatedDate: wholeSecond(key.updatedAt),
    stageKeys: [...key.stageKeys],
    ...(Object.keys(key.tags).length === 0 ? {} : { tags: { ...key.tags } }),
  };
}
