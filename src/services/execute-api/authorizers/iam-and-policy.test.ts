import { afterAll, beforeAll, expect, test } from "vitest";
import { createAuthorizer } from "../../../access/authorize.ts";
import { createPolicyCompiler } from "../../../access/policy/compile.ts";
import type { Principal } from "../../../aws/principal.ts";
import { systemClock } from "../../../kernel/clock.ts";
import { createLog } from "../../../kernel/log.ts";
import { type FakeGateway, startFakeGateway } from "../fake-gateway.ts";
import { functionArn, restStageFacts } from "./fake-authorizer.ts";

let gateway: FakeGateway;
let principal: Principal;
/** What the caller's own policy says. */
let identity: "allows" | "neither" | "denies";

const statement = (Effect: string, more: object = {}) => ({
  Effect,
  Action: "execute-api:Invoke",
  Resource: "*",
  ...more,
});
const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });

beforeAll(async () => {
  const compile = createPolicyCompiler();
  const log = createLog("silent", () => undefined, Date.now);
  const own = {
    allows: document(statement("Allow")),
    neither: document(statement("Allow", { Action: "s3:GetObject" })),
    denies: document(statement("Deny")),
  };
  gateway = await startFakeGateway(systemClock, {
    verifier: { verify: async () => ({ principal, region: "us-east-1", payload: { kind: "unsigned" } }) },
    authorizer: createAuthorizer({
      compile,
      log,
      identities: {
        findIdentity: () => ({
          policies: [{ name: "own", policy: compile(own[identity], "identity") }],
          permissionsBoundary: undefined,
          tags: {},
        }),
        findManagedPolicy: async () => undefined,
      },
    }),
  });
});
afterAll(() => gateway.stop());

const everybody = (Effect: string) => document(statement(Effect, { Principal: "*" }));
const policies = {
  allows: everybody("Allow"),
  neither: document(
    statement("Allow", { Principal: "*", Condition: { IpAddress: { "aws:SourceIp": "192.0.2.1/32" } } }),
  ),
  denies: everybody("Deny"),
};

// Source: "How API Gateway resource policies affect authorization workflow", tables A (same account) and B (another).
test.each([
  ["000000000000", "allows", "allows", 200],
  ["000000000000", "allows", "neither", 200],
  ["000000000000", "allows", "denies", 403],
  ["000000000000", "neither", "allows", 200],
  ["000000000000", "neither", "neither", 403],
  ["000000000000", "neither", "denies", 403],
  ["000000000000", "denies", "allows", 403],
  ["000000000000", "denies", "neither", 403],
  ["111111111111", "allows", "allows", 200],
  ["111111111111", "allows", "neither", 403],
  ["111111111111", "allows", "denies", 403],
  ["111111111111", "neither", "allows", 403],
  ["111111111111", "neither", "neither", 403],
  ["111111111111", "denies", "allows", 403],
] as const)(
  "A caller of %s: the API's policy %s, the caller's own %s: %i",
  async (account, ofApi, ofCaller, status) => {
    principal = {
      type: "user",
      account,
      arn: `arn:aws:iam::${account}:user/u`,
      userId: "AIDAU",
      userName: "u",
      accessKeyId: "AKIAU",
    };
    identity = ofCaller;
    await gateway.publish({
      ...restStageFacts,
      apiId: "iam",
      policy: policies[ofApi],
      methods: [
        {
          resourceId: "r",
          path: "/a",
          httpMethod: "GET",
          authorizationType: "AWS_IAM",
          integration: {
            type: "AWS_PROXY",
            uri: functionArn("f"),
            timeoutMs: 29_000,
          },
        },
      ],
    });
    const response = await fetch(`${gateway.url}/iam/Prod/a`);
    const text = await response.text();
    expect(response.status, text).toBe(status);
    if (status === 403) {
      expect(text).toContain(
        `"Message":"User: arn:aws:iam::${account}:user/u is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:iam/Prod/GET/a`,
      );
    }
  },
);
