import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../../kernel/clock.ts";
import type { LambdaInvokeRequest } from "../../lambda/port.ts";
import { resultOf, startFakeGateway } from "../fake-gateway.ts";
import { functionArn, restStageFacts, stageFacts } from "./fake-authorizer.ts";
import { startTestIssuer } from "./test-issuer.ts";

// AWS's published events of authorizers, and of integrations behind them.
const file = join(
  process.env["CUMULET_CONFORMANCE_DATA"] ?? join(import.meta.dirname, "../../../../../shared/data"),
  "event-payloads.json",
);
const base = { ...stageFacts, variables: { a: "1" } } as const;
const lambda = { id: "a", uri: functionArn("auth"), ttlSeconds: 0 } as const;

/** Certificates come with custom domains, API keys with methods that require them. */
const notHere = new Set([
  "requestContext.identity.apiKey",
  "requestContext.identity.clientCert",
  "requestContext.authentication",
]);

test.skipIf(!existsSync(file))(
  "Authorizers are asked with the members of AWS's published documents, and integrations are told theirs (skipped without the data)",
  async () => {
    const documents: Record<string, Record<string, unknown>> = JSON.parse(readFileSync(file, "utf8"));
    const gateway = await startFakeGateway(systemClock);
    const issuer = await startTestIssuer(() => Math.floor(Date.now() / 1000));
    const policyDocument = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "execute-api:Invoke", Resource: "*" }],
    };
    gateway.answer(async ({ functionArn: name }: LambdaInvokeRequest) =>
      resultOf(
        name.endsWith(":auth")
          ? { isAuthorized: true, principalId: "admin", policyDocument, context: { key: "value" } }
          : { statusCode: 200 },
      ),
    );
    const rest = { ...restStageFacts, ...base } as const;
    const integration = { type: "AWS_PROXY", uri: functionArn("f"), timeoutMs: 29_000 } as const;
    const method = {
      resourceId: "r",
      path: "/{proxy+}",
      httpMethod: "ANY",
      authorizationType: "CUSTOM",
      authorizerId: "a",
      integration,
    } as const;
    await gateway.publish({
      ...rest,
      apiId: "token",
      methods: [method],
      authorizers: [{ ...lambda, type: "TOKEN", identitySources: ["method.request.header.Authorization"] }],
    });
    await gateway.publish({
      ...rest,
      apiId: "request",
      methods: [method],
      authorizers: [{ ...lambda, type: "REQUEST", identitySources: [] }],
    });
    for (const version of ["1.0", "2.0"] as const) {
      await gateway.publish({
        ...base,
        kind: "http",
        apiId: `http${version.charAt(0)}`,
        routes: [
          {
            routeKey: "ANY /{proxy+}",
            authorizationType: "CUSTOM",
            authorizerId: "a",
            integration: { ...integration, payloadFormatVersion: "2.0" },
          },
        ],
        authorizers: [
          {
            ...lambda,
            type: "REQUEST",
            identitySources: ["$request.header.Authorization"],
            payloadFormatVersion: version,
            simpleResponses: version === "2.0",
          },
        ],
      });
    }
    await gateway.publish({
      ...base,
      kind: "http",
      apiId: "jwt",
      routes: [
        {
          routeKey: "ANY /{proxy+}",
          authorizationType: "JWT",
          authorizerId: "j",
          authorizationScopes: ["scope1"],
          integration: { ...integration, payloadFormatVersion: "2.0" },
        },
      ],
      authorizers: [
        {
          id: "j",
          type: "JWT",
          identitySource: "$request.header.Authorization",
          issuer: issuer.url,
          audience: ["app"],
        },
      ],
    });
    const send = async (apiId: string, Authorization: string) => {
      gateway.invocations.length = 0;
      const headers = { Authorization, Cookie: "a=1" };
      const response = await fetch(`${gateway.url}/${apiId}/Prod/a?x=1`, { method: "POST", headers, body: "x" });
      expect(response.status, apiId).toBe(200);
      return gateway.invocations.map(({ payload }) => JSON.parse(Buffer.from(payload).toString("utf8")));
    };

    for (const [apiId, name] of [
      ["token", "aws-lambda-go/apigw-custom-auth-request.json"],
      ["request", "aws-lambda-go/apigw-custom-auth-request-type-request.json"],
      ["http1", "powertools/apiGatewayAuthorizerRequestEvent.json"],
      ["http2", "powertools/apiGatewayAuthorizerV2Event.json"],
    ] as const) {
      const [asked] = await send(apiId, "x");
      const ours = membersOf(asked);
      const theirs = [...membersOf(documents[name] ?? {})];
      expect(
        theirs.filter((member) => !ours.has(member)),
        name,
      ).toEqual([]);
      // Beside the request's context, of which the documents show a part, nothing is more than theirs.
      const more = [...ours].filter((member) => !theirs.includes(member) && !member.startsWith("requestContext."));
      expect(more, name).toEqual([]);
    }
    const [, behindToken] = await send("token", "x");
    expect(Object.keys(behindToken.requestContext.authorizer)).toEqual(["key", "principalId", "integrationLatency"]);
    const [, behindLambda] = await send("http2", "x");
    expect(behindLambda.requestContext.authorizer).toEqual(
      contextOf(documents["aws-lambda-go/apigw-v2-request-lambda-authorizer.json"])["authorizer"],
    );
    const [behindJwt] = await send("jwt", issuer.sign({ scope: "scope1 other" }));
    expect(Object.keys(behindJwt.requestContext.authorizer.jwt)).toEqual(["claims", "scopes"]);
    expect(behindJwt.requestContext.authorizer.jwt.scopes).toEqual(["scope1"]);
    await issuer.stop();
    await gateway.stop();
  },
);

function contextOf(document: Record<string, unknown> | undefined): Record<string, unknown> {
  const context = document?.["requestContext"];
  return typeof context === "object" && context !== null ? { ...context } : {};
}

/** `a`, `a.b` …, but not what users name: headers, parameters, variables. */
function membersOf(value: object, path = ""): Set<string> {
  const members = new Set<string>();
  for (const [name, child] of Object.entries(value)) {
    if (notHere.has(`${path}${name}`)) continue;
    members.add(`${path}${name}`);
    const isOpen = /headers|parameters|variables/i.test(name);
    if (!isOpen && typeof child === "object" && child !== null && !Array.isArray(child)) {
      for (const inner of membersOf(child, `${path}${name}.`)) members.add(inner);
    }
  }
  return members;
}
