import type * as sdk from "@aws-sdk/client-api-gateway";
import { stringify } from "yaml";
import { notImplemented } from "../../../aws/error.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest } from "../errors.ts";
import { exportApi, type ExportOptions } from "../export.ts";
import { findChild, readChild, type StageRecord } from "../model.ts";
import { describeIntegration } from "./integrations.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

export function exportOperations(needs: ApiGatewayNeeds) {
  return {
    GetExport: {
      authorize: (input, call) =>
        may("GET", call, `/restapis/${input.restApiId}/stages/${input.stageName}/exports/${input.exportType}`),
      run: async (input, call) => {
        const format = parseFormat(input.exportType);
        const type = parseAccepts(input.accepts);
        const { documentation, ...extensions } = parseExtensions(input.parameters);
        const document = await needs.store.read(async (reader) => {
          const apiId = input.restApiId ?? "";
          const stage = await readChild(reader, call, input.restApiId, "stage", input.stageName);
          const frozen = await findChild(reader, call, apiId, "frozen-api", stage.deploymentId);
          if (frozen === undefined) {
            throw badRequest("The stage's deployment is from before exports: deploy the API again to export it");
          }
          return exportApi(
            frozen,
            { stageName: stage.stageName, endpoint: endpointOf(call, apiId), describeIntegration },
            { format, ...extensions, ...(documentation ? await readDocumentation(reader, call, apiId, stage) : {}) },
          );
        });
        const text =
          type === "application/yaml" ? stringify(dropUndefined(document)) : JSON.stringify(document, null, 2);
        const name = `${format}_${new Date(call.now).toISOString().replace(/\.\d+Z$/, "Z")}`;
        return {
          contentType: "application/octet-stream",
          contentDisposition: `attachment; filename="${name}.${type === "application/yaml" ? "yaml" : "json"}"`,
          body: Buffer.from(text, "utf8"),
        };
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

function parseFormat(exportType: string | undefined): ExportOptions["format"] {
  if (exportType === "swagger" || exportType === "oas30") return exportType;
  throw badRequest(`Invalid export type specified: ${exportType}. Valid values are oas30 and swagger`);
}

function parseAccepts(accepts: string | undefined): "application/json" | "application/yaml" {
  const type = accepts === undefined || accepts === "*/*" ? "application/json" : accepts.toLowerCase();
  if (type === "application/json" || type === "application/yaml") return type;
  throw badRequest(`Invalid Accept header ${accepts}: must be application/json or application/yaml`);
}

/** `extensions`: a list with commas; `apigateway` is all that an import understands. */
function parseExtensions(parameters: Readonly<Record<string, string>> | undefined) {
  const wanted = { integrations: false, authorizers: false, documentation: false };
  for (const [name, value] of Object.entries(parameters ?? {})) {
    if (name !== "extensions") throw badRequest(`Invalid export parameter specified: ${name}`);
    for (const extension of value.split(",").map((part) => part.trim())) {
      if (extension === "apigateway") {
        wanted.integrations = true;
        wanted.authorizers = true;
      } else if (extension === "integrations" || extension === "authorizers" || extension === "documentation") {
        wanted[extension] = true;
      } else if (extension === "postman") {
        throw notImplemented("GetExport with extensions=postman");
      } else {
        throw badRequest(`Invalid export extension specified: ${extension}`);
      }
    }
  }
  return wanted;
}

async function readDocumentation(
  reader: Reader,
  call: Call,
  apiId: string,
  stage: StageRecord,
): Promise<Pick<ExportOptions, "documentation">> {
  if (stage.documentationVersion === undefined) return {};
  const documentation = await findChild(reader, call, apiId, "documentation-version", stage.documentationVersion);
  return documentation === undefined ? {} : { documentation };
}

/** The address of an API on this platform, as the client that asks can reach it. */
function endpointOf(call: Call, apiId: string): URL {
  const { protocol, hostname, port } = new URL(call.endpoint);
  const suffix = /^[\d.]+$|^\[/.test(hostname) ? "localhost" : hostname;
  return new URL(`${protocol}//${apiId}.execute-api.${call.region}.${suffix}${port === "" ? "" : `:${port}`}`);
}

function dropUndefined(document: object): unknown {
  return JSON.parse(JSON.stringify(document));
}
