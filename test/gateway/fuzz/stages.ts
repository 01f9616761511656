import {
  APIGatewayClient,
  CreateApiKeyCommand,
  CreateDeploymentCommand,
  CreateUsagePlanCommand,
  CreateUsagePlanKeyCommand,
  ImportRestApiCommand,
  UpdateStageCommand,
} from "@aws-sdk/client-api-gateway";
import { ApiGatewayV2Client, CreateStageCommand, ImportApiCommand } from "@aws-sdk/client-apigatewayv2";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { startTestIssuer } from "../../../src/services/execute-api/authorizers/test-issuer.ts";
import { createFunctionRole, createNodeFunction, zipOf } from "../../../src/testing/functions.ts";
import { startTestPlatform } from "../../../src/testing/platform.ts";
import { httpDefinition, type Names, restDefinition } from "./definitions.ts";

/** A platform with stages that have every kind of integration, authorizer and step, to be asked nonsense. */
export interface FuzzedStages {
  readonly port: number;
  readonly restApiId: string;
  readonly httpApiId: string;
  /** Of a key of a usage plan. */
  readonly apiKey: string;
  readonly token: string;
  /** What the endpoint behind HTTP integrations was asked for. */
  readonly upstreamTargets: string[];
  /** What the endpoint answers from now on, byte for byte; the connection is closed after it. */
  upstreamAnswers(bytes: Buffer): void;
  stop(): Promise<void>;
}

const echo = `export const handler = async (event) => {
  const path = event.rawPath ?? event.path;
  if (path.includes("/nonsense")) return JSON.parse(event.body);
  return { statusCode: 200, headers: { "x-path": encodeURIComponent(path) }, body: JSON.stringify(event) };
};`;
const authorize = `export const handler = async (event) => {
  const said = (event.authorizationToken ?? event.headers?.Who ?? event.headers?.who ?? "").slice(0, 100);
  if (said === "nobody") throw new Error("Unauthorized");
  if (event.version === "2.0") return { isAuthorized: said !== "bad", context: { said } };
  return {
    principalId: said,
    context: { said },
    policyDocument: { Version: "2012-10-17", Statement: [
      { Effect: said === "bad" ? "Deny" : "Allow", Action: "execute-api:Invoke", Resource: "*" } ] },
  };
};`;
/** Streams, as methods with response streaming want it. */
const streaming = `export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const out = awslambda.HttpResponseStream.from(stream, { statusCode: 200, headers: { "x-streamed": "1" } });
  for (let part = 0; part < 3; part++) out.write("part " + part + ";");
  out.end();
});`;

/** @param templates mapping templates of the methods `/template/0` … */
export async function startFuzzedStages(templates: readonly string[]): Promise<FuzzedStages> {
  const platform = await startTestPlatform({ sandbox: "process" });
  const { settings } = platform;
  const issuer = await startTestIssuer(() => Math.floor(Date.now() / 1000));
  const upstreamTargets: string[] = [];
  let answer: Buffer = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const upstream = createServer((socket) => {
    socket.on("error", () => undefined);
    let received = "";
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
      if (!received.includes("\r\n\r\n")) return;
      upstreamTargets.push(received.slice(0, received.indexOf("\r\n")));
      received = "";
      socket.end(answer);
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const names: Names = {
    upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    issuer: issuer.url,
    role: await createGatewayRole(settings),
  };

  const lambda = new LambdaClient(settings);
  const Role = await createFunctionRole(settings, "functions");
  await Promise.all(
    Object.entries({ echo, authorize, streaming }).map(async ([FunctionName, source]) => {
      await createNodeFunction(settings, {
        FunctionName,
        Role,
        source,
        Code: { ZipFile: zipOf({ "index.mjs": source }) },
      });
      await lambda.send(
        new AddPermissionCommand({
          FunctionName,
          StatementId: "gateway",
          Action: "lambda:InvokeFunction",
          Principal: "apigateway.amazonaws.com",
        }),
      );
    }),
  );
  await new S3Client({ ...settings, forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: "fuzzed" }));

  const v1 = new APIGatewayClient(settings);
  const rest = Buffer.from(JSON.stringify(restDefinition(names, templates)));
  const { id: restApiId = "" } = await v1.send(new ImportRestApiCommand({ body: rest, failOnWarnings: true }));
  const stage = { restApiId, stageName: "prod" };
  await v1.send(
    new CreateDeploymentCommand({
      ...stage,
      cacheClusterEnabled: true,
      cacheClusterSize: "0.5",
      variables: { v: "x" },
    }),
  );
  await v1.send(
    new UpdateStageCommand({
      ...stage,
      patchOperations: [
        { op: "replace", path: "/~1cached~1{id}/GET/caching/enabled", value: "true" },
        { op: "replace", path: "/~1cached~1{id}/GET/caching/ttlInSeconds", value: "60" },
      ],
    }),
  );
  const key = await v1.send(new CreateApiKeyCommand({ name: "fuzz", enabled: true }));
  const plan = await v1.send(
    new CreateUsagePlanCommand({
      name: "fuzz",
      apiStages: [{ apiId: restApiId, stage: "prod" }],
      throttle: { rateLimit: 10_000, burstLimit: 5_000 },
      quota: { limit: 1_000_000, period: "DAY" },
    }),
  );
  await v1.send(new CreateUsagePlanKeyCommand({ usagePlanId: plan.id, keyId: key.id, keyType: "API_KEY" }));

  const v2 = new ApiGatewayV2Client(settings);
  const { ApiId: httpApiId = "" } = await v2.send(
    new ImportApiCommand({ Body: JSON.stringify(httpDefinition(names)), FailOnWarnings: true }),
  );
  await v2.send(new CreateStageCommand({ ApiId: httpApiId, StageName: "$default", AutoDeploy: true }));

  return {
    port: platform.port,
    restApiId,
    httpApiId,
    apiKey: key.value ?? "",
    token: issuer.sign({ scope: "read" }),
    upstreamTargets,
    upstreamAnswers: (bytes) => (answer = bytes),
    stop: async () => {
      await platform.stop();
      await issuer.stop();
      upstream.close();
    },
  };
}

const document = (statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });

async function createGatewayRole(settings: ConstructorParameters<typeof IAMClient>[0]): Promise<string> {
  const iam = new IAMClient(settings ?? {});
  const trust = { Effect: "Allow", Principal: { Service: "apigateway.amazonaws.com" }, Action: "sts:AssumeRole" };
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName: "gateway", AssumeRolePolicyDocument: document(trust) }),
  );
  const PolicyDocument = document({ Effect: "Allow", Action: ["s3:*", "lambda:InvokeFunction"], Resource: "*" });
  await iam.send(new PutRolePolicyCommand({ RoleName: "gateway", PolicyName: "all", PolicyDocument }));
  return Role?.Arn ?? "";
}
