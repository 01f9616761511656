import type * as sdk from "@aws-sdk/client-api-gateway";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import { deleteChild, listChildren, readApi, readChild, writeChild } from "../model.ts";
import { sampleTemplate } from "../model-template.ts";
import { checkModelName, flattenSchema, schemasByName, schemaProblem } from "../models.ts";
import { applyPatch, type PatchTable } from "../patch.ts";
import type { ModelRecord } from "../records.ts";
import { pageOf } from "../rules.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

export function modelOperations(needs: ApiGatewayNeeds) {
  return {
    CreateModel: {
      authorize: (input, call) => may("POST", call, `/restapis/${input.restApiId}/models`),
      run: async (input, call) => {
        const model: ModelRecord = {
          id: needs.ids.random(6, lowerAlphanumeric),
          name: checkModelName(input.name),
          ...(input.description === undefined ? {} : { description: input.description }),
          schema: input.schema ?? "",
          contentType: input.contentType ?? "application/json",
        };
        await needs.store.transact(async (tx) => {
          const api = await readApi(tx, call, input.restApiId);
          const models = await listChildren(tx, call, api.id, "model");
          if (models.some((other) => other.name === model.name)) {
            throw conflict(`Model name already exists for this REST API`);
          }
          if (models.length >= limits.modelsPerApiMax) {
            throw limitExceeded("models for this API", limits.modelsPerApiMax);
          }
          checkSchema(needs, model, models);
          writeChild(tx, call, api.id, "model", model.name, model);
        });
        return { ...model };
      },
    },
    GetModel: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}/models/${input.modelName}`),
      run: (input, call) =>
        needs.store.read(async (reader) => {
          const model = await readChild(reader, call, input.restApiId, "model", input.modelName);
          if (input.flatten !== true) return { ...model };
          const models = await listChildren(reader, call, input.restApiId ?? "", "model");
          return { ...model, schema: flattenSchema(needs.models, model, models) };
        }),
    },
    GetModels: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}/models`),
      run: async (input, call) => {
        const models = await needs.store.read(async (reader) => {
          const api = await readApi(reader, call, input.restApiId);
          return listChildren(reader, call, api.id, "model");
        });
        return pageOf(models, (model) => model.name, input.limit, input.position);
      },
    },
    GetModelTemplate: {
      authorize: (input, call) =>
        may("GET", call, `/restapis/${input.restApiId}/models/${input.modelName}/default_template`),
      run: (input, call) =>
        needs.store.read(async (reader) => {
          const model = await readChild(reader, call, input.restApiId, "model", input.modelName);
          const models = await listChildren(reader, call, input.restApiId ?? "", "model");
          return { value: sampleTemplate(model, schemasByName(models)) };
        }),
    },
    UpdateModel: {
      authorize: (input, call) => may("PATCH", call, `/restapis/${input.restApiId}/models/${input.modelName}`),
      run: async (input, call) => {
        const model = await needs.store.transact(async (tx) => {
          const before = await readChild(tx, call, input.restApiId, "model", input.modelName);
          const next = applyPatch(before, input.patchOperations, patches, ["/description", "/schema"]);
          checkSchema(needs, next, await listChildren(tx, call, input.restApiId ?? "", "model"));
          writeChild(tx, call, input.restApiId ?? "", "model", next.name, next);
          return next;
        });
        return { ...model };
      },
    },
    DeleteModel: {
      authorize: (input, call) => may("DELETE", call, `/restapis/${input.restApiId}/models/${input.modelName}`),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const { name } = await readChild(tx, call, input.restApiId, "model", input.modelName);
          await checkUnused(needs, tx, call, input.restApiId ?? "", name);
          deleteChild(tx, call, input.restApiId ?? "", "model", name);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

const patches: PatchTable<ModelRecord> = [
  { path: /^\/description$/, apply: { replace: (model, description) => ({ ...model, description }) } },
  { path: /^\/schema$/, apply: { replace: (model, schema) => ({ ...model, schema }) } },
];

function checkSchema(needs: ApiGatewayNeeds, model: ModelRecord, others: readonly ModelRecord[]): void {
  if (Buffer.byteLength(model.schema) > limits.schemaBytesMax) {
    throw badRequest("Model schema size exceeds 400 KB");
  }
  const problem = schemaProblem(needs.models, model, [...others.filter(({ name }) => name !== model.name), model]);
  if (problem !== undefined) throw badRequest(problem);
}

/** AWS: a model that a method or another model uses stays. */
async function checkUnused(
  needs: ApiGatewayNeeds,
  tx: Transaction,
  call: Call,
  apiId: string,
  name: string,
): Promise<void> {
  for (const model of await listChildren(tx, call, apiId, "model")) {
    if (model.name !== name && needs.models.modelsReferredTo(model.schema).includes(name)) {
      throw conflict(`Cannot delete model '${name}', is referenced in model: ${model.name}`);
    }
  }
  for (const resource of await listChildren(tx, call, apiId, "resource")) {
    for (const method of Object.values(resource.methods)) {
      const used = [
        ...Object.values(method.requestModels ?? {}),
        ...Object.values(method.methodResponses ?? {}).flatMap((response) =>
          Object.values(response.responseModels ?? {}),
        ),
      ];
      if (used.includes(name)) {
        throw conflict(`Cannot delete model '${name}', is referenced in method: ${resource.path}/${method.httpMethod}`);
      }
    }
  }
}
