import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { autoDeploy } from "../deploy.ts";
import { badRequest, childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { deleteChild, findChild, listChildren, writeChild } from "../model.ts";
import type { ApiGatewayV2Needs } from "../operations/needs.ts";
import { pageOf, refuseMembers } from "../rules.ts";
import { readIntegration } from "./integrations.ts";
import type { IntegrationResponseRecord } from "./records.ts";
import { parseIntegrationResponseKey, parseTemplates, parseTemplateSelection } from "./rules.ts";

const refused = ["ContentHandlingStrategy", "ResponseParameters"];

export function integrationResponseOperations(needs: ApiGatewayV2Needs) {
  const write = async (tx: Transaction, call: Call, apiId: string, response: IntegrationResponseRecord) => {
    const all = await listChildren(tx, call, apiId, "integrationResponse");
    const others = all.filter(
      (each) =>
        each.integrationId === response.integrationId && each.integrationResponseId !== response.integrationResponseId,
    );
    if (others.some((each) => each.integrationResponseKey === response.integrationResponseKey)) {
      throw conflict(
        `Integration response with key ${response.integrationResponseKey} already exists for this integration`,
      );
    }
    if (all.length >= limits.integrationResponsesPerApiMax) {
      throw limitExceeded("Integration responses", limits.integrationResponsesPerApiMax);
    }
    writeChild(tx, call, apiId, "integrationResponse", response.integrationResponseId, response);
    await autoDeploy(needs, tx, call, apiId, call.now);
  };

  return {
    CreateIntegrationResponse: {
      authorize: (input, call) => may("POST", call, pathOf(input)),
      run: async (input, call) => {
        refuseMembers("CreateIntegrationResponse", input, refused);
        const apiId = input.ApiId ?? "";
        const selection = parseTemplateSelection(input.TemplateSelectionExpression, needs.isSelectionExpression);
        const response: IntegrationResponseRecord = {
          integrationResponseId: needs.ids.random(7, lowerAlphanumeric),
          integrationId: input.IntegrationId ?? "",
          integrationResponseKey: parseIntegrationResponseKey(input.IntegrationResponseKey ?? ""),
          responseTemplates: parseTemplates(input.ResponseTemplates),
          ...(selection === undefined ? {} : { templateSelectionExpression: selection }),
        };
        await needs.store.transact(async (tx) => {
          const { type } = await readIntegration(tx, call, apiId, response.integrationId);
          // AWS: what a proxy integration answers is passed on as it is.
          if (type === "AWS_PROXY")
            throw badRequest("Integration responses are not supported for AWS_PROXY integrations");
          await write(tx, call, apiId, response);
        });
        return describe(response);
      },
    },
    GetIntegrationResponse: {
      authorize: (input, call) => may("GET", call, `${pathOf(input)}/${input.IntegrationResponseId}`),
      run: (input, call) => needs.store.read(async (reader) => describe(await read(reader, call, input))),
    },
    GetIntegrationResponses: {
      authorize: (input, call) => may("GET", call, pathOf(input)),
      run: (input, call) =>
        needs.store.read(async (reader) => {
          const { integrationId } = await readIntegration(reader, call, input.ApiId ?? "", input.IntegrationId ?? "");
          const all = await listChildren(reader, call, input.ApiId ?? "", "integrationResponse");
          const own = all.filter((each) => each.integrationId === integrationId);
          const page = pageOf(own, (each) => each.integrationResponseId, input.MaxResults, input.NextToken);
          return { ...page, Items: page.Items.map(describe) };
        }),
    },
    UpdateIntegrationResponse: {
      authorize: (input, call) => may("PATCH", call, `${pathOf(input)}/${input.IntegrationResponseId}`),
      run: async (input, call) => {
        refuseMembers("UpdateIntegrationResponse", input, refused);
        const selection = parseTemplateSelection(input.TemplateSelectionExpression, needs.isSelectionExpression);
        const { IntegrationResponseKey, ResponseTemplates } = input;
        const response = await needs.store.transact(async (tx) => {
          const before = await read(tx, call, input);
          const next: IntegrationResponseRecord = {
            ...before,
            integrationResponseKey:
              IntegrationResponseKey === undefined
                ? before.integrationResponseKey
                : parseIntegrationResponseKey(IntegrationResponseKey),
            responseTemplates:
              ResponseTemplates === undefined ? before.responseTemplates : parseTemplates(ResponseTemplates),
            ...(selection === undefined ? {} : { templateSelectionExpression: selection }),
          };
          await write(tx, call, input.ApiId ?? "", next);
          return next;
        });
        return describe(response);
      },
    },
    DeleteIntegrationResponse: {
      authorize: (input, call) => may("DELETE", call, `${pathOf(input)}/${input.IntegrationResponseId}`),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const { integrationResponseId } = await read(tx, call, input);
          deleteChild(tx, call, input.ApiId ?? "", "integrationResponse", integrationResponseId);
          await autoDeploy(needs, tx, call, input.ApiId ?? "", call.now);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

async function read(
  reader: Reader,
  call: Call,
  input: {
    readonly ApiId?: string | undefined;
    readonly IntegrationId?: string | undefined;
    readonly IntegrationResponseId?: string | undefined;
  },
): Promise<IntegrationResponseRecord> {
  const { ApiId = "", IntegrationId = "", IntegrationResponseId = "" } = input;
  await readIntegration(reader, call, ApiId, IntegrationId);
  const response = await findChild(reader, call, ApiId, "integrationResponse", IntegrationResponseId);
  if (response?.integrationId !== IntegrationId) throw childNotFound("IntegrationResponse");
  return response;
}

function describe(response: IntegrationResponseRecord) {
  return {
    IntegrationResponseId: response.integrationResponseId,
    IntegrationResponseKey: response.integrationResponseKey,
    ...(Object.keys(response.responseTemplates).length === 0
      ? {}
      : { ResponseTemplates: { ...response.responseTemplates } }),
    ...(response.templateSelectionExpression === undefined
      ? {}
      : { TemplateSelectionExpression: response.templateSelectionExpression }),
  };
}

function pathOf(input: { readonly ApiId?: string | undefined; readonly IntegrationId?: string | undefined }): string {
  return `/apis/${input.ApiId}/integrations/${input.IntegrationId}/integrationresponses`;
}
