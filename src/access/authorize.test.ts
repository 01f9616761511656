import { describe, expect, test } from "vitest";
import type { Principal } from "../aws/principal.ts";
import { createLog } from "../kernel/log.ts";
import type { AuthorizationRequest, RequestEnvironment } from "./authorization.ts";
import { createAuthorizer } from "./authorize.ts";
import { createPolicyCompiler } from "./policy/compile.ts";

const account = "111111111111";
const compile = createPolicyCompiler();
const environment: RequestEnvironment = {
  account,
  region: "eu-west-1",
  sourceIp: "10.1.2.3",
  secureTransport: false,
  userAgent: "test",
  now: Date.parse("2026-01-02T03:04:05Z"),
};
const user: Extract<Principal, { type: "user" }> = {
  type: "user",
  account,
  arn: `arn:aws:iam::${account}:user/ann`,
  userId: "AIDAEXAMPLE",
  userName: "ann",
  accessKeyId: "AKIA",
};
const service: Principal = {
  type: "service",
  service: "apigateway.amazonaws.com",
  sourceArn: `arn:aws:execute-api:eu-west-1:${account}:api/prod/GET/x`,
};

async function ask(principal: Principal, request: AuthorizationRequest, statements: readonly object[] = []) {
  const lines: string[] = [];
  const document = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  const authorizer = createAuthorizer({
    compile,
    log: createLog("info", (line) => lines.push(line), Date.now),
    identities: {
      findIdentity: ({ arn }) => {
        if (arn !== user.arn) return undefined;
        const policies = statements.length > 0 ? [{ name: "mine", policy: compile(document, "identity") }] : [];
        return { policies, permissionsBoundary: undefined, tags: { Team: "a" } };
      },
      findManagedPolicy: () => undefined,
    },
  });
  const asked = async () => await authorizer.authorize(principal, request, environment);
  const outcome = await asked().then(
    () => "allowed",
    (error: { code: string; status: number; message: string }) => error,
  );
  return { outcome, logged: lines.map((line) => JSON.parse(line) as object) };
}

describe("denials", () => {
  test.each([
    ["lambda:InvokeFunction", "AccessDeniedException", 403],
    ["apigateway:GET", "AccessDeniedException", 403],
    ["dynamodb:GetItem", "AccessDeniedException", 400],
    ["iam:GetRole", "AccessDenied", 403],
    ["sqs:SendMessage", "AccessDenied", 403],
    ["s3:GetObject", "AccessDenied", 403],
  ])("of %s are %s with status %d", async (action, code, status) => {
    const { outcome } = await ask(user, { action, resource: "arn:aws:x:::y" });
    expect(outcome).toMatchObject({ code, status });
  });

  test("say who may not do what and why, and the log names the statement", async () => {
    const Statement = { Sid: "Never", Effect: "Deny", Action: "lambda:*", Resource: "*" };
    const request = { action: "lambda:InvokeFunction", resource: "arn:aws:lambda:eu-west-1:1:function:f" };
    const { outcome, logged } = await ask(user, request, [Statement]);
    expect(outcome).toMatchObject({
      message: `User: arn:aws:iam::${account}:user/ann is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:eu-west-1:1:function:f with an explicit deny in an identity-based policy`,
    });
    expect(logged).toMatchObject([
      { message: "denied", decision: "explicitDeny", by: { policy: "mine", statement: "Never" } },
    ]);
  });

  test("of nobody ask for a signature", async () => {
    const { outcome } = await ask({ type: "anonymous" }, { action: "lambda:GetFunction", resource: "*" });
    expect(outcome).toMatchObject({ code: "MissingAuthenticationTokenException" });
  });

  test("meet a user who was deleted while a session of its lasts", async () => {
    const gone: Principal = { ...user, arn: `arn:aws:iam::${account}:user/gone` };
    const allow = { Effect: "Allow", Action: "*", Resource: "*" };
    expect((await ask(gone, { action: "s3:GetObject", resource: "*" }, [allow])).outcome).toMatchObject({
      status: 403,
    });
  });
});

describe("a stored policy that cannot be read", () => {
  const request = { action: "s3:GetObject", resource: "arn:aws:s3:::b/k" };
  const allow = { Effect: "Allow", Action: "*", Resource: "*" };

  test.each(["", "{", "[]", '{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}'])(
    "denies, and is logged as an error: %j",
    async (resourcePolicy) => {
      const { outcome, logged } = await ask(user, { ...request, resourcePolicy }, [allow]);
      expect(outcome).toMatchObject({ code: "AccessDenied", status: 403 });
      expect(logged).toMatchObject([
        { level: "error", message: "A stored policy cannot be read: denied", action: "s3:GetObject" },
        { level: "info", message: "denied" },
      ]);
    },
  );

  test("of a session denies too", async () => {
    const session: Principal = {
      type: "assumedRole",
      account,
      arn: user.arn,
      roleArn: "",
      roleId: "",
      sessionName: "s",
      accessKeyId: "",
      sessionPolicies: ["{"],
      sessionTags: {},
    };
    expect((await ask(session, request, [allow])).outcome).toMatchObject({ code: "AccessDenied" });
  });
});

describe("global condition keys", () => {
  const allowedWith = async (Condition: object, principal: Principal = user) => {
    const statement = { Effect: "Allow", Action: "*", Resource: "*", Condition };
    return (await ask(principal, { action: "s3:GetObject", resource: "arn:aws:s3:::b/k" }, [statement])).outcome;
  };

  test.each([
    [{ IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }],
    [{ Bool: { "aws:SecureTransport": "false" } }],
    [{ StringEquals: { "aws:RequestedRegion": "eu-west-1", "aws:username": "ann", "aws:PrincipalTag/team": "a" } }],
    [{ StringEquals: { "AWS:PRINCIPALACCOUNT": account, "aws:PrincipalType": "User", "aws:userid": "AIDAEXAMPLE" } }],
    [{ ArnEquals: { "aws:PrincipalArn": user.arn } }],
    [{ DateLessThan: { "aws:CurrentTime": "2026-01-03T00:00:00Z" } }],
    [{ NumericLessThan: { "aws:EpochTime": "1767400000" } }],
  ])("%j holds", async (condition) => {
    expect(await allowedWith(condition)).toBe("allowed");
  });

  test("aws:TokenIssueTime revokes sessions that were issued before, and touches no long-term keys", async () => {
    const revoke = {
      Effect: "Deny",
      Action: "*",
      Resource: "*",
      Condition: { DateLessThan: { "aws:TokenIssueTime": "2026-01-02T03:00:00Z" } },
    };
    const allow = { Effect: "Allow", Action: "*", Resource: "*" };
    const outcomeOf = async (principal: Principal) =>
      (await ask(principal, { action: "s3:GetObject", resource: "arn:aws:s3:::b/k" }, [allow, revoke])).outcome;
    expect(await outcomeOf({ ...user, tokenIssuedAt: Date.parse("2026-01-02T02:59:59Z") })).toMatchObject({
      status: 403,
    });
    expect(await outcomeOf({ ...user, tokenIssuedAt: Date.parse("2026-01-02T03:00:00Z") })).toBe("allowed");
    expect(await outcomeOf(user)).toBe("allowed");
  });

  test("of the platform cannot be set by a service's own", async () => {
    const statement = {
      Effect: "Allow",
      Action: "*",
      Resource: "*",
      Condition: { StringEquals: { "aws:username": "eve" } },
    };
    const request = { action: "s3:GetObject", resource: "*", context: { "AWS:username": ["eve"] } };
    expect((await ask(user, request, [statement])).outcome).not.toBe("allowed");
  });

  test("tell a function's policy which API calls it", async () => {
    const policy = (SourceArn: string) =>
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: "apigateway.amazonaws.com" },
            Action: "lambda:InvokeFunction",
            Resource: "arn:aws:lambda:eu-west-1:1:function:f",
            Condition: { ArnLike: { "AWS:SourceArn": SourceArn }, StringEquals: { "AWS:SourceAccount": account } },
          },
        ],
      });
    const request = { action: "lambda:InvokeFunction", resource: "arn:aws:lambda:eu-west-1:1:function:f" };
    const of = async (arn: string) => (await ask(service, { ...request, resourcePolicy: policy(arn) })).outcome;
    expect(await of(`arn:aws:execute-api:eu-west-1:${account}:api/*`)).toBe("allowed");
    expect(await of(`arn:aws:execute-api:eu-west-1:${account}:other/*`)).toMatchObject({ status: 403 });
  });
});
