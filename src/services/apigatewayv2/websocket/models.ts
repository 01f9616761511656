import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest, childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { deleteChild, findChild, listChildren, writeChild } from "../model.ts";
import type { ApiGatewayV2Needs } from "../operations/needs.ts";
import { pageOf } from "../rules.ts";
import { readWebSocketApi } from "./protocol.ts";
import type { ModelRecord } from "./records.ts";

const path = (input: { ApiId?: string | undefined; ModelId?: string | undefined }) =>
  `/apis/${input.ApiId}/models/${input.ModelId}`;

export function modelOperations(needs: ApiGatewayV2Needs) {
  return {
    CreateModel: {
      authorize: (input, call) => may("POST", call, `/apis/${input.ApiId}/models`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        const model: ModelRecord = {
          modelId: needs.ids.random(6, lowerAlphanumeric),
          name: checkName(input.Name),
          contentType: input.ContentType ?? "application/json",
          ...(input.Description === undefined ? {} : { description: input.Description }),
          schema: checkSchema(needs, input.Schema),
        };
        await needs.store.transact(async (tx) => {
          await readWebSocketApi(tx, call, apiId);
          const models = await listChildren(tx, call, apiId, "model");
          if (models.some((other) => other.name === model.name))
            throw conflict("Model name already exists for this API");
          if (models.length >= limits.modelsPerApiMax) throw limitExceeded("Models", limits.modelsPerApiMax);
          writeChild(tx, call, apiId, "model", model.modelId, model);
        });
        return describe(model);
      },
    },
    GetModel: {
      authorize: (input, call) => may("GET", call, path(input)),
      run: (input, call) => needs.store.read(async (reader) => describe(await readModel(reader, call, input))),
    },
    GetModels: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/models`),
      run: async (input, call) => {
        const models = await needs.store.read(async (reader) => {
          await readWebSocketApi(reader, call, input.ApiId ?? "");
          return listChildren(reader, call, input.ApiId ?? "", "model");
        });
        const page = pageOf(models, (model) => model.modelId, input.MaxResults, input.NextToken);
        return { ...page, Items: page.Items.map(describe) };
      },
    },
    GetModelTemplate: {
      authorize: (input, call) => may("GET", call, `${path(input)}/template`),
      run: (input, call) =>
        needs.store.read(async (reader) => ({ Value: sampleTemplate(await readModel(reader, call, input)) })),
    },
    UpdateModel: {
      authorize: (input, call) => may("PATCH", call, path(input)),
      run: async (input, call) => {
        const model = await needs.store.transact(async (tx) => {
          const before = await readModel(tx, call, input);
          const next: ModelRecord = {
            ...before,
            ...(input.Name === undefined ? {} : { name: checkName(input.Name) }),
            ...(input.ContentType === undefined ? {} : { contentType: input.ContentType }),
            ...(input.Description === undefined ? {} : { description: input.Description }),
            ...(input.Schema === undefined ? {} : { schema: checkSchema(needs, input.Schema) }),
          };
          const models = await listChildren(tx, call, input.ApiId ?? "", "model");
          if (models.some((other) => other.name === next.name && other.modelId !== next.modelId)) {
            throw conflict("Model name already exists for this API");
          }
          writeChild(tx, call, input.ApiId ?? "", "model", next.modelId, next);
          return next;
        });
        return describe(model);
      },
    },
    DeleteModel: {
      authorize: (input, call) => may("DELETE", call, path(input)),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const { modelId } = await readModel(tx, call, input);
          deleteChild(tx, call, input.ApiId ?? "", "model", modelId);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

async function readModel(
  reader: Reader,
  call: Call,
  { ApiId = "", ModelId = "" }: { ApiId?: string | undefined; ModelId?: string | undefined },
): Promise<ModelRecord> {
  await readWebSocketApi(reader, call, ApiId);
  const model = await findChild(reader, call, ApiId, "model", ModelId);
  if (model === undefined) throw childNotFound("Model");
  return model;
}

function checkName(name: string | undefined): string {
  if (name !== undefined && /^[A-Za-z0-9]{1,128}$/.test(name)) return name;
  throw badRequest("Model name must be alphanumeric");
}

function checkSchema(needs: ApiGatewayV2Needs, schema = ""): string {
  if (Buffer.byteLength(schema) > limits.schemaBytesMax) throw badRequest("Model schema size exceeds 32 KB");
  const problem = needs.models.problemOf(schema, {});
  if (problem === undefined) return schema;
  throw badRequest(`Invalid model specified: Validation Result: warnings : [], errors : [${problem}]`);
}

/** Hands on each member that the schema names. */
function sampleTemplate({ schema }: ModelRecord): string {
  const value: unknown = JSON.parse(schema);
  const properties = typeof value === "object" && value !== null && "properties" in value ? value.properties : {};
  const members = Object.keys(Object(properties)).map((name) => `  ${JSON.stringify(name)} : "$inputRoot.${name}"`);
  return `#set($inputRoot = $input.path('$'))\n{\n${members.join(",\n")}\n}`;
}

function describe(model: ModelRecord) {
  return {
    ContentType: model.contentType,
    ...(model.description === undefined ? {} : { Description: model.description }),
    ModelId: model.modelId,
    Name: model.name,
    Schema: model.schema,
  };
}
