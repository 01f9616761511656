import type * as sdk from "@aws-sdk/client-api-gateway";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest, limitExceeded } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import { deleteChild, listChildren, readApi, readChild, writeChild } from "../model.ts";
import { applyPatch, parseFlag, type PatchTable } from "../patch.ts";
import type { RequestValidatorRecord } from "../records.ts";
import { pageOf } from "../rules.ts";
import { findMade, madeBy } from "../../../wire/made.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

const path = (input: { restApiId?: string | undefined; requestValidatorId?: string | undefined }) =>
  `/restapis/${input.restApiId}/requestvalidators/${input.requestValidatorId}`;

export function requestValidatorOperations(needs: ApiGatewayNeeds) {
  return {
    CreateRequestValidator: {
      authorize: (input, call) => may("POST", call, `/restapis/${input.restApiId}/requestvalidators`),
      run: async (input, call) => {
        const fresh: RequestValidatorRecord = {
          id: needs.ids.random(6, lowerAlphanumeric),
          ...madeBy(call),
          ...(input.name === undefined ? {} : { name: input.name }),
          validateRequestBody: input.validateRequestBody ?? false,
          validateRequestParameters: input.validateRequestParameters ?? false,
        };
        const validator = await needs.store.transact(async (tx) => {
          const api = await readApi(tx, call, input.restApiId);
          const validators = await listChildren(tx, call, api.id, "request-validator");
          const made = findMade(validators, call);
          if (made !== undefined) return made;
          if (validators.length >= limits.requestValidatorsPerApiMax) {
            throw limitExceeded("request validators for this API", limits.requestValidatorsPerApiMax);
          }
          writeChild(tx, call, api.id, "request-validator", fresh.id, fresh);
          return fresh;
        });
        return describeRequestValidator(validator);
      },
    },
    GetRequestValidator: {
      authorize: (input, call) => may("GET", call, path(input)),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describeRequestValidator(
            await readChild(reader, call, input.restApiId, "request-validator", input.requestValidatorId),
          ),
        ),
    },
    GetRequestValidators: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}/requestvalidators`),
      run: async (input, call) => {
        const validators = await needs.store.read(async (reader) => {
          const api = await readApi(reader, call, input.restApiId);
          return listChildren(reader, call, api.id, "request-validator");
        });
        const page = pageOf(validators, (validator) => validator.id, input.limit, input.position);
        return { ...page, items: page.items.map(describeRequestValidator) };
      },
    },
    UpdateRequestValidator: {
      authorize: (input, call) => may("PATCH", call, path(input)),
      run: async (input, call) => {
        const validator = await needs.store.transact(async (tx) => {
          const before = await readChild(tx, call, input.restApiId, "request-validator", input.requestValidatorId);
          const next = applyPatch(before, input.patchOperations, patches, documentedPaths);
          writeChild(tx, call, input.restApiId ?? "", "request-validator", next.id, next);
          return next;
        });
        return describeRequestValidator(validator);
      },
    },
    DeleteRequestValidator: {
      authorize: (input, call) => may("DELETE", call, path(input)),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const { id } = await readChild(tx, call, input.restApiId, "request-validator", input.requestValidatorId);
          for (const resource of await listChildren(tx, call, input.restApiId ?? "", "resource")) {
            for (const method of Object.values(resource.methods)) {
              if (method.requestValidatorId !== id) continue;
              throw badRequest(
                `Cannot delete request validator '${id}', is referenced in method: ${resource.path}/${method.httpMethod}`,
              );
            }
          }
          deleteChild(tx, call, input.restApiId ?? "", "request-validator", id);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

/** Source: "Patch operations", UpdateRequestValidator. */
const documentedPaths = ["/name", "/validateRequestBody", "/validateRequestParameters"];

const patches: PatchTable<RequestValidatorRecord> = [
  { path: /^\/name$/, apply: { replace: (validator, name) => ({ ...validator, name }) } },
  {
    path: /^\/validateRequestBody$/,
    apply: { replace: (validator, value) => ({ ...validator, validateRequestBody: parseFlag(value) }) },
  },
  {
    path: /^\/validateRequestParameters$/,
    apply: { replace: (validator, value) => ({ ...validator, validateRequestParameters: parseFlag(value) }) },
  },
];

function describeRequestValidator({ creationToken: _token, ...validator }: RequestValidatorRecord) {
  return { ...validator };
}
