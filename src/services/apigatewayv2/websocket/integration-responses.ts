import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import type { Call, InputOf, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { autoDeploy } from "../deploy.ts";
import { badRequest, childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { findMade, madeBy } from "../../../wire/made.ts";
import { deleteChild, findChild, listChildren, writeChild } from "../model.ts";
import type { ApiGatewayV2Needs } from "../operations/needs.ts";
import { pageOf } from "../rules.ts";
import { readIntegration } from "./integrations.ts";
import type { IntegrationResponseRecord } from "./records.ts";
import { parseContentHandling, parseResponseParameters } from "./parameter-rules.ts";
import { type IsExpression, parseIntegrationResponseKey, parseKeySelection, parseTemplates } from "./rules.ts";

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
        const apiId = input.ApiId ?? "";
        const ids = {
          integrationResponseId: needs.ids.random(7, lowerAlphanumeric),
          integrationId: input.IntegrationId ?? "",
        };
        const wanted = { ...toResponse(ids, input, needs.isSelectionExpression), ...madeBy(call) };
        const response = await needs.store.transact(async (tx) => {
          const { type } = await readIntegration(tx, call, apiId, wanted.integrationId);
          // AWS: what a proxy integration answers is passed on as it is.
          if (type === "AWS_PROXY" || type === "HTTP_PROXY") {
            throw badRequest(`Integration responses are not supported for ${type} integrations`);
          }
          const earlier = findMade(await listChildren(tx, call, apiId, "integrationResponse"), call);
          if (earlier !== undefined) return earlier;
          await write(tx, call, apiId, wanted);
          return wanted;
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
        const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
        const response = await needs.store.transact(async (tx) => {
          const before = await read(tx, call, input);
          // What a request gives replaces what there is.
          const next = toResponse(before, { ...describe(before), ...given }, needs.isSelectionExpression);
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

function toResponse(
  { integrationResponseId, integrationId }: Pick<IntegrationResponseRecord, "integrationResponseId" | "integrationId">,
  input: Omit<InputOf<typeof sdk, "UpdateIntegrationResponse">, "ApiId" | "IntegrationId" | "IntegrationResponseId">,
  isExpression: IsExpression,
): IntegrationResponseRecord {
  const name = "TemplateSelectionExpression";
  const selection = parseKeySelection(name, input.TemplateSelectionExpression, isExpression, "answer");
  const parameters = parseResponseParameters(input.ResponseParameters);
  const contentHandling = parseContentHandling(input.ContentHandlingStrategy);
  return {
    integrationResponseId,
    integrationId,
    integrationResponseKey: parseIntegrationResponseKey(input.IntegrationResponseKey ?? ""),
    responseTemplates: parseTemplates(input.ResponseTemplates),
    ...(selection === undefined ? {} : { templateSelectionExpression: selection }),
    ...(parameters === undefined ? {} : { responseParameters: parameters }),
    ...(contentHandling === undefined ? {} : { contentHandling }),
  };
}

function describe(response: IntegrationResponseRecord) {
  const { contentHandling, responseParameters, responseTemplates, templateSelectionExpression } = response;
  return {
    ...(contentHandling === undefined ? {} : { ContentHandlingStrategy: contentHandling }),
    IntegrationResponseId: response.integrationResponseId,
    IntegrationResponseKey: response.integrationResponseKey,
    ...(responseParameters === undefined ? {} : { ResponseParameters: { ...responseParameters } }),
    ...(Object.keys(responseTemplates).length === 0 ? {} : { ResponseTemplates: { ...responseTemplates } }),
    ...(templateSelectionExpression === undefined ? {} : { TemplateSelectionExpression: templateSelectionExpression }),
  };
}

function pathOf(input: { readonly ApiId?: string | undefined; readonly IntegrationId?: string | undefined }): string {
  return `/apis/${input.ApiId}/integrations/${input.IntegrationId}/integrationresponses`;
}
