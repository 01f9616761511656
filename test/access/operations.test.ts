import { CreateCodeSigningConfigCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AuthorizationRequest } from "../../src/access/authorization.ts";
import { createPolicyCompiler } from "../../src/access/policy/compile.ts";
import { evaluate } from "../../src/access/policy/evaluate.ts";
import type { Principal } from "../../src/aws/principal.ts";
import { account, startAccessTest, type AccessTest, type Keys } from "../../src/testing/access.ts";
import type { OperationModel, ServiceModel } from "../../src/wire/model.ts";
import type { Call, Operation } from "../../src/wire/service.ts";
import { createModels } from "../../src/wire/tables/catalog.ts";
import { documented, isOfForm } from "./operations/documented.ts";
import { exampleInput } from "./operations/example-input.ts";
import { expectations, resources } from "./operations/expectations.ts";
import { furtherActions, knownMembers } from "./operations/inputs.ts";

/** Every operation of every service that is built, whatever is added. */
interface Built {
  readonly name: string;
  readonly model: ServiceModel;
  readonly operation: OperationModel;
  readonly built: Operation<never, unknown>;
}

const user: Principal = {
  type: "user",
  account,
  arn: `arn:aws:iam::${account}:user/caller`,
  userId: "AIDAEXAMPLEEXAMPLE123",
  userName: "caller",
  accessKeyId: "AKIAEXAMPLE",
};
const compile = createPolicyCompiler();
const region = "us-east-1";

let access: AccessTest;
let stranger: Keys;
const all: Built[] = [];
let existing: Record<string, unknown> = {};

beforeAll(async () => {
  access = await startAccessTest();
  stranger = await access.createUser("stranger");
  const lambda = new LambdaClient(access.platform.settings);
  const signing = await lambda.send(
    new CreateCodeSigningConfigCommand({
      AllowedPublishers: {
        SigningProfileVersionArns: [`arn:aws:signer:${region}:${account}:/signing-profiles/p/abcdefghij`],
      },
    }),
  );
  existing = { CodeSigningConfigArn: signing.CodeSigningConfig?.CodeSigningConfigArn };
  const models = createModels();
  for (const [service, { operations }] of access.platform.platform.services) {
    const { model } = await models.load(service);
    for (const [name, built] of Object.entries(operations)) {
      const operation = model.operations.get(name);
      if (operation) all.push({ name: `${service}:${name}`, model, operation, built });
    }
  }
}, 60_000);
afterAll(() => access.stop());

function inputOf({ model, operation }: Built, more: object = {}): Record<string, unknown> {
  const { values, also } = knownMembers(model.name, operation.name);
  return exampleInput(operation.input, { ...values, ...existing }, { ...also, ...more });
}

/** What the operation asks before it runs. */
async function asks(built: Built, more: object = {}): Promise<readonly AuthorizationRequest[]> {
  const call: Call = {
    requestId: "r",
    service: built.model.name,
    operation: built.operation.name,
    principal: user,
    account,
    region,
    now: Date.now(),
    endpoint: access.platform.endpoint,
    signal: new AbortController().signal,
    authorize: () => Promise.resolve(),
    setHeader: () => {},
    ...(built.model.name === "apigatewaymanagementapi" && {
      http: {
        method: "POST",
        path: "/",
        query: new URLSearchParams(),
        headers: {},
        sourceIp: "127.0.0.1",
        secure: false,
        connections: { account, region, apiId: "example", stageName: "example" },
      },
    }),
  };
  // The model that the input was made from is what the operation's types say.
  return built.built.authorize(inputOf(built, more) as never, call);
}

function expectedActions({ name, model, operation }: Built): readonly string[] {
  const expected = expectations[name];
  if (expected) return expected.actions;
  // AWS: its actions are the methods of its own HTTP interface.
  if (model.signingName === "apigateway") return [`apigateway:${operation.method}`];
  // Operations for whoever has no credentials: nobody to ask about.
  if (operation.unsigned) return [];
  const prefix = model.name === "dynamodbstreams" ? "dynamodb" : model.name;
  return [`${prefix}:${operation.name}`];
}

describe("every operation", () => {
  test("asks for exactly the actions that AWS documents", async () => {
    const wrong: string[] = [];
    for (const built of all) {
      const expected = expectedActions(built);
      for (const action of expected) if (!documented(action)) wrong.push(`${built.name}: nothing is expected of it`);
      const asked = await asks(built).catch((error: unknown) => String(error));
      if (typeof asked === "string") wrong.push(`${built.name}: no example of its input: ${asked}`);
      else {
        const actions = new Set(asked.map(({ action }) => action));
        if (String([...actions]) !== String(expected))
          wrong.push(`${built.name}: asks for ${[...actions]}, not ${expected}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("asks about a resource of a documented form, and with documented condition keys", async () => {
    const wrong: string[] = [];
    for (const built of all) {
      for (const { action, resource, context } of await asks(built).catch(() => [])) {
        const facts = documented(action);
        const other = resources[action];
        const isRight =
          other?.resource.test(resource) ||
          (built.model.signingName === "apigateway" && /:[A-Z]+$/.test(action)
            ? resource === gatewayResource(built)
            : facts?.forms.length === 0
              ? resource === "*"
              : facts?.forms.some((form) => isOfForm(resource, form)));
        if (!isRight) wrong.push(`${built.name}: ${action} on ${resource}`);
        for (const key of Object.keys(context ?? {}).map((name) => name.toLowerCase())) {
          const isKnown = key.startsWith("aws:") || facts?.conditionKeys.some((known) => matchesKey(key, known));
          if (!isKnown) wrong.push(`${built.name}: ${action} with ${key}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test("is allowed with exactly that, and with nothing less", async () => {
    let questions = 0;
    for (const built of all) {
      for (const request of await asks(built).catch(() => [])) {
        questions += 1;
        const { action, resource } = request;
        const decide = (...statements: readonly object[]) => decisionOf(request, statements);
        const exact = { Effect: "Allow", Action: action, Resource: resource };
        // A role's trust policy has to allow it too.
        if (!request.resourcePolicyRequired) expect(decide(exact), built.name).toBe("allowed");
        expect(decide(), built.name).toBe("implicitDeny");
        expect(decide({ Effect: "Allow", NotAction: action, Resource: "*" }), built.name).toBe("implicitDeny");
        expect(decide({ ...exact, Action: `${action}x` }), built.name).toBe("implicitDeny");
        if (resource !== "*") {
          expect(decide({ ...exact, Resource: `${resource}x` }), built.name).toBe("implicitDeny");
          expect(decide({ Effect: "Allow", Action: "*", NotResource: resource }), built.name).toBe("implicitDeny");
        }
        expect(decide(exact, { ...exact, Effect: "Deny" }), built.name).toBe("explicitDeny");
      }
    }
    expect(questions).toBeGreaterThan(400);
  });

  test.each(furtherActions)("%s with %j asks for more", async (name, members, actions) => {
    const built = all.find((one) => one.name === name);
    if (!built) throw new Error(`${name} is not built`);
    expect((await asks(built, members)).map(({ action }) => action)).toEqual(actions);
  });
});

function matchesKey(key: string, known: string): boolean {
  return known.endsWith("/") ? key.startsWith(known) : key === known;
}

function decisionOf(request: AuthorizationRequest, statements: readonly object[]): string {
  const text = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  const policies = statements.length === 0 ? [] : [{ name: "exact", policy: compile(text, "identity") }];
  return evaluate({
    principal: user,
    action: request.action,
    resource: request.resource,
    resourceAccount: account,
    context: new Map(),
    identityPolicies: policies,
    permissionsBoundary: undefined,
    sessionPolicies: [],
    resourcePolicy: undefined,
    resourcePolicyRequired: request.resourcePolicyRequired ?? false,
  }).decision;
}

/** The operation's own path: `arn:aws:apigateway:REGION::/restapis/ID`. */
function gatewayResource(built: Built): string {
  const input = inputOf(built);
  const members = built.operation.input?.members ?? [];
  const path = built.operation.uri
    .replace(/\?.*$/, "")
    .replace(/^\/v2(?=\/)/, "")
    .replace(/\{([^}+]+)\+?\}/g, (_whole, label: string) => {
      const member = members.find(({ location, locationName }) => location === "uri" && locationName === label);
      return String(member && input[member.name]);
    });
  return `arn:aws:apigateway:${region}::${path}`;
}

/** The official clients, whose commands bear the operations' names. A service that is missing here fails the test below. */
const clients: Readonly<Record<string, () => Promise<object>>> = {
  apigateway: () => import("@aws-sdk/client-api-gateway"),
  apigatewayv2: () => import("@aws-sdk/client-apigatewayv2"),
  cloudformation: () => import("@aws-sdk/client-cloudformation"),
  cloudtrail: () => import("@aws-sdk/client-cloudtrail"),
  cloudwatch: () => import("@aws-sdk/client-cloudwatch"),
  "cognito-identity": () => import("@aws-sdk/client-cognito-identity"),
  "cognito-idp": () => import("@aws-sdk/client-cognito-identity-provider"),
  dynamodb: () => import("@aws-sdk/client-dynamodb"),
  dynamodbstreams: () => import("@aws-sdk/client-dynamodb-streams"),
  ecr: () => import("@aws-sdk/client-ecr"),
  iam: () => import("@aws-sdk/client-iam"),
  lambda: () => import("@aws-sdk/client-lambda"),
  logs: () => import("@aws-sdk/client-cloudwatch-logs"),
  s3: () => import("@aws-sdk/client-s3"),
  sts: () => import("@aws-sdk/client-sts"),
};

interface AnyClient {
  send(command: object): Promise<object>;
}
type Constructor<T> = new (input: object) => T;

async function clientOf(service: string, credentials: Keys) {
  const load = clients[service];
  if (!load) throw new Error(`There is no client of ${service} here: add it`);
  // Every SDK package has one class that ends with Client and is not the bare one, and one for each operation.
  const sdk = new Map(Object.entries(await load())) as ReadonlyMap<string, Constructor<AnyClient>>;
  const [, Client] = [...sdk].find(([name]) => /^[A-Z]\w+Client$/.test(name) && name !== "__Client") ?? [];
  if (!Client) throw new Error(`The package of ${service} has no client`);
  const settings = { ...access.platform.settings, credentials, forcePathStyle: true };
  const client = new Client(settings);
  return (operation: string, input: object): Promise<object> => {
    const Command = sdk.get(`${operation}Command`);
    return Command ? client.send(new Command(input)) : Promise.reject(new Error(`There is no ${operation}Command`));
  };
}

test("over HTTP a user without permission is denied every operation, in AWS's words", async () => {
  const wrong: string[] = [];
  const services = new Set(all.map(({ model }) => model.name));
  // Served at an API's own address.
  services.delete("apigatewaymanagementapi");
  let denied = 0;
  for (const service of services) {
    const send = await clientOf(service, stranger);
    for (const built of all) {
      const [action] = expectedActions(built);
      if (built.model.name !== service || action === undefined) continue;
      const answer = await send(built.operation.name, inputOf(built)).catch((error: unknown) => error);
      const message = answer instanceof Error ? `${answer.name}: ${answer.message}` : "allowed";
      const isDenied =
        message.startsWith("AccessDenied") ||
        (built.operation.method === "HEAD" && /^(403|Forbidden|Unknown)/.test(message));
      if (isDenied) denied += 1;
      else wrong.push(`${built.name}: ${message}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(denied).toBeGreaterThan(400);
}, 60_000);

test("over HTTP a user with exactly the documented permission is let in: every operation that reads", async () => {
  const reader = await access.createUser("caller");
  const wrong: string[] = [];
  let allowed = 0;
  for (const service of new Set(all.map(({ model }) => model.name))) {
    if (service === "apigatewaymanagementapi" || service === "sts") continue;
    const send = await clientOf(service, reader);
    for (const built of all) {
      if (built.model.name !== service || !/^(Get|List|Describe)/.test(built.operation.name)) continue;
      const questions = await asks(built);
      if (questions.length === 0) continue;
      const Statement = questions.map(({ action, resource }) => ({
        Effect: "Allow",
        Action: action,
        Resource: resource,
      }));
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
      await access.iam.send(new PutUserPolicyCommand({ UserName: "caller", PolicyName: "exact", PolicyDocument }));
      const answer = await send(built.operation.name, inputOf(built)).catch((error: unknown) => error);
      if (answer instanceof Error && answer.name.startsWith("AccessDenied"))
        wrong.push(`${built.name}: ${answer.message}`);
      else allowed += 1;
    }
  }
  expect(wrong).toEqual([]);
  expect(allowed).toBeGreaterThan(150);
}, 60_000);
