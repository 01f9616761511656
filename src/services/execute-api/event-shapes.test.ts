import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../kernel/clock.ts";
import { startFakeGateway } from "./fake-gateway.ts";

// AWS's published events: every member we write must be one that they have, and the other way round.
const file = join(
  process.env["CUMULET_CONFORMANCE_DATA"] ?? join(import.meta.dirname, "../../../../shared/data"),
  "event-payloads.json",
);
const integration = {
  type: "AWS_PROXY",
  uri: "arn:aws:lambda:us-east-1:000000000000:function:f",
  timeoutMs: 29_000,
} as const;
const base = {
  version: 1,
  account: "000000000000",
  region: "us-east-1",
  stageName: "Prod",
  deploymentId: "d1",
  variables: { a: "1" },
  disableExecuteApiEndpoint: false,
} as const;

/** Members of the published documents that stand for what is not built, or that AWS has dropped. */
const notOurs = new Set(["authorizer", "authentication", "clientCert", "apiKey", "apiKeyId"]);
/** Members that AWS added after the documents were published. */
const newer = new Set(["deploymentId", "cognitoAmr", "isBase64Encoded", "principalOrgId", "body", "cookies"]);

test.skipIf(!existsSync(file))(
  "Events have the members of AWS's published documents (skipped without the data)",
  async () => {
    const documents: Record<string, Record<string, unknown>> = JSON.parse(readFileSync(file, "utf8"));
    const gateway = await startFakeGateway(systemClock);
    await gateway.publish({
      ...base,
      kind: "rest",
      apiId: "rest",
      binaryMediaTypes: [],
      gatewayResponses: [],
      methods: [
        {
          resourceId: "r",
          path: "/{proxy+}",
          httpMethod: "ANY",
          operationName: "o",
          authorizationType: "NONE",
          integration,
        },
      ],
    });
    for (const payloadFormatVersion of ["1.0", "2.0"] as const) {
      await gateway.publish({
        ...base,
        kind: "http",
        apiId: `http${payloadFormatVersion.charAt(0)}`,
        routes: [
          {
            routeKey: "ANY /{proxy+}",
            authorizationType: "NONE",
            integration: { ...integration, payloadFormatVersion },
          },
        ],
      });
    }
    for (const [apiId, name] of [
      ["rest", "aws-lambda-go/apigw-restapi-openapi-request.json"],
      ["http1", "powertools/apiGatewayProxyEvent.json"],
      ["http2", "powertools/apiGatewayProxyV2Event.json"],
    ] as const) {
      await fetch(`${gateway.url}/${apiId}/Prod/a?x=1`, { method: "POST", headers: { Cookie: "a=1" }, body: "x" });
      const [ours, theirs] = [membersOf(gateway.event()), membersOf(documents[name] ?? {})];
      expect(
        [...theirs].filter((member) => !ours.has(member)),
        `${name}: missing`,
      ).toEqual([]);
      expect(
        [...ours].filter((member) => !theirs.has(member) && !newer.has(member.split(".").at(-1) ?? "")),
        `${name}: more`,
      ).toEqual([]);
    }
    await gateway.stop();
  },
);

/** `a`, `a.b` …, but not what users name: headers, parameters, variables. */
function membersOf(value: object, path = ""): Set<string> {
  const members = new Set<string>();
  for (const [name, child] of Object.entries(value)) {
    if (notOurs.has(name)) continue;
    members.add(`${path}${name}`);
    const isOpen = /headers|parameters|variables/i.test(name);
    if (!isOpen && typeof child === "object" && child !== null && !Array.isArray(child)) {
      for (const inner of membersOf(child, `${path}${name}.`)) members.add(inner);
    }
  }
  return members;
}
