import type * as sdk from "@aws-sdk/client-api-gateway";
import type { OperationsOf } from "../../../wire/service.ts";
import type { PublishedGatewayResponse } from "../../execute-api/port.ts";
import { may } from "../authorize.ts";
import { badRequest } from "../errors.ts";
import { deleteChild, readApi, readChild, writeChild } from "../model.ts";
import { checkGatewayTemplates, checkLiteralParameters, parseResponseType } from "../rules.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

export function gatewayResponseOperations(needs: ApiGatewayNeeds) {
  return {
    PutGatewayResponse: {
      authorize: (input, call) =>
        may("PUT", call, `/restapis/${input.restApiId}/gatewayresponses/${input.responseType}`),
      run: async (input, call) => {
        const response: PublishedGatewayResponse = {
          responseType: input.responseType ?? "",
          ...(input.statusCode === undefined ? {} : { statusCode: checkStatus(input.statusCode) }),
          responseParameters: input.responseParameters ?? {},
          responseTemplates: input.responseTemplates ?? {},
        };
        checkLiteralParameters(response.responseParameters, "gatewayresponse.header.");
        checkGatewayTemplates(response.responseTemplates, response.responseType);
        await needs.store.transact(async (tx) => {
          const api = await readApi(tx, call, input.restApiId);
          writeChild(tx, call, api.id, "gateway-response", response.responseType, response);
        });
        return describe(response);
      },
    },
    GetGatewayResponse: {
      authorize: (input, call) =>
        may("GET", call, `/restapis/${input.restApiId}/gatewayresponses/${input.responseType}`),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describe(await readChild(reader, call, input.restApiId, "gateway-response", input.responseType)),
        ),
    },
    DeleteGatewayResponse: {
      authorize: (input, call) =>
        may("DELETE", call, `/restapis/${input.restApiId}/gatewayresponses/${input.responseType}`),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const gone = await readChild(tx, call, input.restApiId, "gateway-response", input.responseType);
          deleteChild(tx, call, input.restApiId ?? "", "gateway-response", gone.responseType);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

function checkStatus(statusCode: string): string {
  if (/^[2-5]\d\d$/.test(statusCode)) return statusCode;
  throw badRequest(`Invalid status code ${statusCode}`);
}

function describe(response: PublishedGatewayResponse) {
  return {
    responseType: parseResponseType(response.responseType),
    ...(response.statusCode === undefined ? {} : { statusCode: response.statusCode }),
    responseParameters: { ...response.responseParameters },
    responseTemplates: { ...response.responseTemplates },
    defaultResponse: false,
  };
}
