import type * as sdk from "@aws-sdk/client-api-gateway";
import type { Reader } from "../../../kernel/store/store.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import type { PublishedGatewayResponse } from "../../execute-api/port.ts";
import { may } from "../authorize.ts";
import { gatewayResponseNotFound } from "../errors.ts";
import {
  checkGatewayResponse,
  defaultResponse,
  describeResponse,
  parseResponseType,
  responsePatches,
  responseTypes,
} from "../gateway-response-rules.ts";
import { deleteChild, findChild, listChildren, type Place, readApi, writeChild } from "../model.ts";
import { applyPatch } from "../patch.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

export function gatewayResponseOperations(needs: ApiGatewayNeeds) {
  return {
    PutGatewayResponse: {
      authorize: (input, call) => may("PUT", call, addressOf(input)),
      run: async (input, call) => {
        const response = checkGatewayResponse({
          responseType: parseResponseType(input.responseType),
          ...(input.statusCode === undefined ? {} : { statusCode: input.statusCode }),
          responseParameters: input.responseParameters ?? {},
          responseTemplates: input.responseTemplates ?? {},
        });
        await needs.store.transact(async (tx) => {
          const api = await readApi(tx, call, input.restApiId);
          writeChild(tx, call, api.id, "gateway-response", response.responseType, response);
        });
        return describeResponse(response, false);
      },
    },
    GetGatewayResponse: {
      authorize: (input, call) => may("GET", call, addressOf(input)),
      run: (input, call) =>
        needs.store.read(async (reader) => {
          const api = await readApi(reader, call, input.restApiId);
          const responseType = parseResponseType(input.responseType);
          const own = await findChild(reader, call, api.id, "gateway-response", responseType);
          if (own !== undefined) return describeResponse(own, false);
          return describeResponse(await inherited(reader, call, api.id, input.responseType), true);
        }),
    },
    // AWS: the collection is answered whole; `position` and `limit` have no effect on it.
    GetGatewayResponses: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}/gatewayresponses`),
      run: (input, call) =>
        needs.store.read(async (reader) => {
          const api = await readApi(reader, call, input.restApiId);
          const configured = await listChildren(reader, call, api.id, "gateway-response");
          return {
            items: responseTypes.map((type) => {
              const own = configured.find((response) => response.responseType === type);
              return describeResponse(own ?? defaultResponse(type, configured), own === undefined);
            }),
          };
        }),
    },
    UpdateGatewayResponse: {
      authorize: (input, call) => may("PATCH", call, addressOf(input)),
      run: (input, call) =>
        needs.store.transact(async (tx) => {
          const api = await readApi(tx, call, input.restApiId);
          const responseType = parseResponseType(input.responseType);
          const own = await findChild(tx, call, api.id, "gateway-response", responseType);
          // AWS: a patch of what was not configured begins with the default.
          const before = own ?? (await inherited(tx, call, api.id, responseType));
          const patched = applyPatch(before, input.patchOperations, responsePatches, [
            "/statusCode",
            "/responseParameters/*",
            "/responseTemplates/*",
          ]);
          writeChild(tx, call, api.id, "gateway-response", responseType, checkGatewayResponse(patched));
          return describeResponse(patched, false);
        }),
    },
    DeleteGatewayResponse: {
      authorize: (input, call) => may("DELETE", call, addressOf(input)),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const api = await readApi(tx, call, input.restApiId);
          const responseType = parseResponseType(input.responseType);
          const own = await findChild(tx, call, api.id, "gateway-response", responseType);
          if (own === undefined) throw gatewayResponseNotFound();
          deleteChild(tx, call, api.id, "gateway-response", responseType);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

interface Address {
  readonly restApiId?: string | undefined;
  readonly responseType?: string | undefined;
}

function addressOf({ restApiId, responseType }: Address): string {
  return `/restapis/${restApiId}/gatewayresponses/${responseType}`;
}

async function inherited(
  reader: Reader,
  place: Place,
  apiId: string,
  responseType: string | undefined,
): Promise<PublishedGatewayResponse> {
  const configured = await listChildren(reader, place, apiId, "gateway-response");
  return defaultResponse(parseResponseType(responseType), configured);
}
