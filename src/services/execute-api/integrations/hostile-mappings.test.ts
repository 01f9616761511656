import fc from "fast-check";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../kernel/clock.ts";
import { type FakeGateway, startFakeGateway } from "../fake-gateway.ts";

let gateway: FakeGateway;
let upstream: Server;
let endpoint: string;
let targets: string[] = [];

beforeAll(async () => {
  gateway = await startFakeGateway(systemClock);
  upstream = createServer((request, response) => {
    targets.push(request.url ?? "");
    response.setHeader("x-own", "\u00e9").end(`{"a":"\\ud800","b":[1,{"c":null}]}`);
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await gateway.stop();
  upstream.closeAllConnections();
  upstream.close();
});

const stage = {
  version: 1,
  account: "000000000000",
  region: "us-east-1",
  stageName: "prod",
  deploymentId: "d",
  variables: { v: "x y\ud800" },
  disableExecuteApiEndpoint: false,
} as const;
let apis = 0;

const name = fc.constantFrom(
  "id",
  "a",
  "x-own",
  "a.b",
  "b[1].c",
  "..",
  "__proto__",
  "a[?(@.b)]",
  "",
  " ",
  "\u00e9",
  "\ud800",
  "$",
);
/** Texts that are put together of what mappings are made of, and of what nobody expects in them. */
const text = fc
  .array(
    fc.oneof(name, fc.constantFrom("'", "$", "{", "}", "${", ".", "/", "../", "?x=1", "#", "\r\n", "\0", "%", ",")),
    { maxLength: 4 },
  )
  .map((parts) => parts.join(""));
const bodies = fc.constantFrom(
  undefined,
  "",
  "{",
  `{"a":"\\ud800"}`,
  `{"a":{"b":"..\\u0000\\r\\n"},"id":[1]}`,
  "\u00ff",
);

/** A mapping may be anything: a request is answered, and the endpoint is asked for nothing that is no target. */
async function expectAnswer(apiId: string, path: string, body: string | undefined): Promise<void> {
  targets = [];
  const answer = await fetch(`${gateway.url}/${apiId}/prod/${path}`, {
    method: "POST",
    headers: { "x-own": "1", "content-type": "application/json" },
    ...(body === undefined ? {} : { body }),
  });
  await answer.text();
  expect([200, 400, 500, 504]).toContain(answer.status);
  for (const target of targets) expect(target).toMatch(/^\/[!-~]*$/);
}

test("Whatever a REST API maps, a request is answered", { timeout: 60_000 }, async () => {
  const source = fc.oneof(
    fc
      .tuple(
        fc.constantFrom("path", "querystring", "multivaluequerystring", "header", "multivalueheader", "body"),
        name,
      )
      .map(([place, of]) => `method.request.${place}${of === "" ? "" : `.${of}`}`),
    name.map((of) => `context.${of}`),
    name.map((of) => `stageVariables.${of}`),
    text.map((literal) => `'${literal}'`),
    text,
  );
  const target = fc
    .tuple(fc.constantFrom("path", "querystring", "header"), name)
    .map(([place, of]) => `integration.request.${place}.${of}`);
  const answered = fc.oneof(
    fc
      .tuple(fc.constantFrom("header", "multivalueheader", "body"), name)
      .map(([place, of]) => `integration.response.${place}.${of}`),
    source,
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("HTTP" as const, "HTTP_PROXY" as const),
      text,
      fc.dictionary(target, source, { maxKeys: 4 }),
      fc.dictionary(
        name.map((of) => `method.response.header.${of}`),
        answered,
        { maxKeys: 3 },
      ),
      bodies,
      async (type, uri, requestParameters, responseParameters, body) => {
        const apiId = `r${apis++}`;
        await gateway.publish({
          ...stage,
          kind: "rest",
          apiId,
          binaryMediaTypes: [],
          gatewayResponses: [],
          methods: [
            {
              resourceId: "r",
              path: "/{id}",
              httpMethod: "ANY",
              authorizationType: "NONE",
              integration: {
                type,
                uri: `${endpoint}/{id}/${uri}`,
                httpMethod: "POST",
                timeoutMs: 2_000,
                requestParameters,
                requestTemplates: {},
                passthroughBehavior: "WHEN_NO_MATCH",
                responses: [{ statusCode: "200", responseParameters, responseTemplates: {} }],
              },
            },
          ],
        });
        await expectAnswer(apiId, "a%20%ED%A0%80?id=%zz", body);
      },
    ),
    { numRuns: 100 },
  );
});

test("Whatever an HTTP API maps, a request is answered", { timeout: 60_000 }, async () => {
  const reference = fc
    .tuple(
      fc.constantFrom(
        "request.path",
        "request.querystring",
        "request.header",
        "request.body",
        "response.body",
        "context",
        "stageVariables",
      ),
      name,
    )
    .map(([place, of]) => `${place}${of === "" ? "" : `.${of}`}`);
  const value = fc.oneof(
    reference.map((of) => `$${of}`),
    fc
      .array(
        fc.oneof(
          reference.map((of) => `\${${of}}`),
          text,
        ),
        { maxLength: 3 },
      )
      .map((parts) => parts.join("")),
  );
  const change = (places: readonly string[]) =>
    fc
      .tuple(fc.constantFrom("append", "overwrite", "remove"), fc.constantFrom(...places), name)
      .map(([action, place, of]) => `${action}:${place}${place === "path" || place === "statuscode" ? "" : `.${of}`}`);
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.dictionary(change(["header", "querystring", "path"]), value, { maxKeys: 4 }),
      fc.dictionary(change(["header", "statuscode"]), value, { maxKeys: 3 }),
      bodies,
      async (uri, requestParameters, changes, body) => {
        const apiId = `h${apis++}`;
        await gateway.publish({
          ...stage,
          kind: "http",
          apiId,
          routes: [
            {
              routeKey: "ANY /{id}",
              authorizationType: "NONE",
              integration: {
                type: "HTTP_PROXY",
                uri: `${endpoint}/{id}/${uri}`,
                httpMethod: "ANY",
                timeoutMs: 2_000,
                requestParameters,
                responseParameters: { "200": changes },
              },
            },
          ],
        });
        await expectAnswer(apiId, "a%20%ED%A0%80?id=%zz", body);
      },
    ),
    { numRuns: 100 },
  );
});
