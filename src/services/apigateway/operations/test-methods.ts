import type * as sdk from "@aws-sdk/client-api-gateway";
import type { OperationsOf } from "../../../wire/service.ts";
import type { MethodTest, PublishedRestStage } from "../../execute-api/port.ts";
import { may } from "../authorize.ts";
import { publishedCertificate, readClientCertificate } from "../client-certificates.ts";
import { freezeApi, readParts } from "../deploy.ts";
import { badRequest, childNotFound } from "../errors.ts";
import { readApi, readChild } from "../model.ts";
import { methodPath } from "./method-address.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

/** AWS: the stage that policies, variables and events name where none is deployed. */
const testStageName = "test-invoke-stage";

export function testMethodOperations(needs: ApiGatewayNeeds) {
  return {
    TestInvokeMethod: {
      authorize: (input, call) => may("POST", call, methodPath(input)),
      run: async (input, call) => {
        const httpMethod = input.httpMethod ?? "";
        if (!testable.has(httpMethod)) throw badRequest("Invalid HTTP method specified");
        const stage = await needs.store.read(async (reader): Promise<PublishedRestStage> => {
          const api = await readApi(reader, call, input.restApiId);
          const resource = await readChild(reader, call, api.id, "resource", input.resourceId);
          const method = resource.methods[httpMethod] ?? resource.methods["ANY"];
          if (method === undefined) throw childNotFound("Method");
          const parts = await readParts(reader, call, api);
          const certificate = input.clientCertificateId
            ? await readClientCertificate(reader, call, input.clientCertificateId)
            : undefined;
          return {
            ...freezeApi(needs, parts, [{ ...resource, methods: { [method.httpMethod]: method } }]),
            kind: "rest",
            version: 1,
            account: call.account,
            region: call.region,
            apiId: api.id,
            stageName: testStageName,
            deploymentId: "",
            variables: input.stageVariables ?? {},
            ...(certificate === undefined ? {} : { clientCertificate: publishedCertificate(certificate) }),
          };
        });
        const test: MethodTest = {
          stage,
          httpMethod,
          pathWithQueryString: input.pathWithQueryString || undefined,
          headers: headersOf(input.headers ?? {}, input.multiValueHeaders ?? {}),
          body: input.body ?? "",
          caller: call.principal,
          signal: call.signal,
        };
        const result = await needs.testMethod(test).catch(refuseMalformed);
        if (result === undefined) throw badRequest("Invalid path specified: it is not one of the method's resource");
        const { status, body, log, latencyMs } = result;
        return { status, body, log, latency: latencyMs, ...describeHeaders(result.headers) };
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

const testable: ReadonlySet<string> = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]);

/** AWS: of a header in both, the list counts. */
function headersOf(
  single: Readonly<Record<string, string>>,
  multiple: Readonly<Record<string, readonly string[]>>,
): string[] {
  const listed = new Set(Object.keys(multiple).map((name) => name.toLowerCase()));
  const headers = Object.entries(single).filter(([name]) => !listed.has(name.toLowerCase()));
  for (const [name, values] of Object.entries(multiple)) for (const value of values) headers.push([name, value]);
  return headers.flat();
}

/** What no client could send: names, values and paths that are none of HTTP. */
function refuseMalformed(error: Error & { readonly code?: string }): never {
  const code = error.code ?? "";
  if (code === "ERR_UNESCAPED_CHARACTERS") throw badRequest("Invalid path specified: it must be URL-encoded");
  if (code.startsWith("ERR_INVALID_") || code.startsWith("ERR_HTTP_INVALID_") || code.startsWith("HPE_")) {
    throw badRequest("Invalid headers specified");
  }
  throw error;
}

/** @param raw names and values in turn */
function describeHeaders(raw: readonly string[]) {
  const multiValueHeaders: Record<string, string[]> = {};
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name = "", value = ""] = [raw[index], raw[index + 1]];
    (multiValueHeaders[name] ??= []).push(value);
  }
  const last = Object.entries(multiValueHeaders).map(([name, values]) => [name, values.at(-1) ?? ""]);
  return { headers: Object.fromEntries(last), multiValueHeaders };
}
