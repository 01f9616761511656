import {
  APIGatewayClient,
  CreateApiKeyCommand,
  CreateUsagePlanCommand,
  CreateUsagePlanKeyCommand,
  ImportRestApiCommand,
  CreateDeploymentCommand,
} from "@aws-sdk/client-api-gateway";
import { ApiGatewayV2Client, CreateStageCommand, ImportApiCommand } from "@aws-sdk/client-apigatewayv2";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { generateKeyPairSync, sign } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { startFastify, startServerlessOffline } from "./peers.ts";
import type { Started } from "./process.ts";
import { startCumulet } from "./server.ts";
import { median, ratio } from "./statistics.ts";
import type { Row } from "./table.ts";
import { measureRequests, type Target, type Throughput } from "./throughput.ts";

/** By what was asked. */
export type GatewayMeasured = Readonly<Record<string, Throughput>>;

const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:bench-hello";

/**
 * What each layer of the gateway costs, on the function of the warm section: an open route among 10 and among 10,000, one with
 * an authorizer of JWTs, one that asks for an API key of a usage plan with a rate and a quota; peers beside it.
 */
export async function measureGateway(folder: string): Promise<GatewayMeasured> {
  const cumulet = await startCumulet(join(folder, "data"), "bench/app");
  const issuer = await startIssuer();
  const peers: (Started & { readonly name: string; readonly url: string })[] = [];
  try {
    const settings = {
      endpoint: cumulet.endpoint,
      region: "us-east-1",
      credentials: {
        accessKeyId: cumulet.environment["AWS_ACCESS_KEY_ID"] ?? "",
        secretAccessKey: cumulet.environment["AWS_SECRET_ACCESS_KEY"] ?? "",
      },
    };
    const lambda = new LambdaClient(settings);
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: "bench-hello",
        StatementId: "gateway",
        Action: "lambda:InvokeFunction",
        Principal: "apigateway.amazonaws.com",
      }),
    );
    lambda.destroy();
    const rest = new APIGatewayClient(settings);
    const http = new ApiGatewayV2Client(settings);
    const address = (apiId: string, path: string) => `${cumulet.endpoint}/_cumulet/api/${apiId}${path}`;
    const open = await importHttpApi(http, 10);
    const { pid } = cumulet;
    const targets: Target[] = [{ name: "open, 10 routes", url: address(open, "/hello/x"), pid }];
    const openRest = await importRestApi(rest, false);
    targets.push({ name: "REST, open", url: address(openRest, "/dev/hello/x"), pid });
    const keyed = await importRestApi(rest, true);
    const key = await createKey(rest, keyed);
    targets.push({
      name: "REST, API key",
      url: address(keyed, "/dev/hello/x"),
      pid,
      script: await headerScript(folder, "key", "x-api-key", key),
    });
    const jwt = await importHttpApi(http, 10, issuer.url).catch((error: unknown) => {
      console.error(`JWT is left out: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    });
    if (jwt !== undefined) {
      targets.push({
        name: "JWT",
        url: address(jwt, "/hello/x"),
        pid,
        script: await headerScript(folder, "jwt", "Authorization", `Bearer ${issuer.token}`),
      });
    }
    for (const [name, start] of Object.entries({
      fastify: startFastify,
      "serverless-offline": startServerlessOffline,
    })) {
      try {
        peers.push({ ...(await start()), name });
      } catch (error) {
        console.error(`${name} did not start and is left out: ${String(error)}`);
      }
    }
    const load = { inFlight: 32, rounds: 5, roundSeconds: 2 };
    const few = await measureRequests([...targets, ...peers], load);
    // 10,000 more, in as many APIs as it takes: each is asked once, so that it is compiled and in memory.
    const perApi = 300;
    for (let made = 0; made < 10_000; made += perApi) {
      const apiId = await importHttpApi(http, perApi);
      await (await fetch(address(apiId, "/hello/x"))).arrayBuffer();
    }
    const among = await importHttpApi(http, perApi);
    const many = await measureRequests(
      [
        { name: "open, 10 routes, now", url: address(open, "/hello/x"), pid },
        { name: "open, among 10,000 routes", url: address(among, "/hello/x"), pid },
      ],
      load,
    );
    rest.destroy();
    http.destroy();
    return Object.fromEntries([...few, ...many]);
  } finally {
    issuer.stop();
    await Promise.all([cumulet, ...peers].map((started) => started.stop()));
  }
}

export function gatewayRows(measured: GatewayMeasured): Row[] {
  const pairs: readonly (readonly [string, string, string])[] = [
    ["open, among 10,000 routes", "open, 10 routes, now", "≥ 0.9"],
    ["JWT", "open, 10 routes", "≥ 0.75"],
    ["REST, API key", "REST, open", "≥ 0.75"],
    ["open, 10 routes", "fastify", "≥ 0.4"],
    ["open, 10 routes", "serverless-offline", "≥ 12"],
  ];
  // Processor time tells the same on a machine that does other things beside.
  const costs: readonly (readonly [string, string, string])[] = [
    ["open, among 10,000 routes", "open, 10 routes, now", "≤ 1.1"],
    ["JWT", "open, 10 routes", "≤ 1.25"],
    ["REST, API key", "REST, open", "≤ 1.25"],
  ];
  return [
    ...Object.entries(measured).map(([name, { perSecond }]) => ({
      what: `gateway requests/s, ${name}`,
      value: Math.round(median(perSecond)),
      unit: "1/s",
    })),
    ...Object.entries(measured).flatMap(([name, { processorUs }]) =>
      processorUs.length === 0
        ? []
        : [{ what: `processor time of a request, ${name}`, value: Math.round(median(processorUs)), unit: "µs" }],
    ),
    ...costs.flatMap(([one, other, aim]) => {
      const [a = [], b = []] = [measured[one]?.processorUs, measured[other]?.processorUs];
      if (a.length === 0 || b.length === 0) return [];
      return [{ what: `processor time, ${one} / ${other}`, value: ratio(a, b), unit: "×", aim }];
    }),
    ...pairs.flatMap(([one, other, aim]) => {
      const [a, b] = [measured[one], measured[other]];
      if (a === undefined || b === undefined) return [];
      return [{ what: `${one} / ${other}`, value: ratio(a.perSecond, b.perSecond), unit: "×", aim }];
    }),
  ];
}

/** Routes of which one is asked, `GET /hello/{name}`; the others are its neighbours. */
async function importHttpApi(client: ApiGatewayV2Client, routes: number, issuer?: string): Promise<string> {
  const get = {
    responses: {},
    ...(issuer === undefined ? {} : { security: [{ jwt: [] }] }),
    "x-amazon-apigateway-integration": { type: "aws_proxy", uri: functionArn, payloadFormatVersion: "2.0" },
  };
  const paths: Record<string, object> = { "/hello/{name}": { get } };
  for (let index = 1; index < routes; index++) paths[`/resources/r${index}/{id}/parts`] = { get };
  const securitySchemes = {
    jwt: {
      type: "oauth2",
      "x-amazon-apigateway-authorizer": {
        type: "jwt",
        identitySource: "$request.header.Authorization",
        jwtConfiguration: { issuer, audience: ["bench"] },
      },
    },
  };
  const Body = JSON.stringify({
    openapi: "3.0.1",
    info: { title: "bench", version: "1" },
    paths,
    ...(issuer === undefined ? {} : { components: { securitySchemes } }),
  });
  const { ApiId = "" } = await client.send(new ImportApiCommand({ Body }));
  await client.send(new CreateStageCommand({ ApiId, StageName: "$default", AutoDeploy: true }));
  return ApiId;
}

async function importRestApi(client: APIGatewayClient, keyed: boolean): Promise<string> {
  const get = {
    responses: {},
    ...(keyed ? { security: [{ api_key: [] }] } : {}),
    "x-amazon-apigateway-integration": {
      type: "aws_proxy",
      httpMethod: "POST",
      uri: `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`,
    },
  };
  const body = JSON.stringify({
    swagger: "2.0",
    info: { title: "bench", version: "1" },
    securityDefinitions: { api_key: { type: "apiKey", name: "x-api-key", in: "header" } },
    paths: { "/hello/{name}": { get } },
  });
  const { id: restApiId = "" } = await client.send(new ImportRestApiCommand({ body: Buffer.from(body) }));
  await client.send(new CreateDeploymentCommand({ restApiId, stageName: "dev" }));
  return restApiId;
}

async function createKey(client: APIGatewayClient, apiId: string): Promise<string> {
  const plan = await client.send(
    new CreateUsagePlanCommand({
      name: "bench",
      apiStages: [{ apiId, stage: "dev" }],
      throttle: { rateLimit: 1_000_000, burstLimit: 1_000_000 },
      quota: { limit: 100_000_000, period: "MONTH" },
    }),
  );
  const { id: keyId, value = "" } = await client.send(new CreateApiKeyCommand({ enabled: true }));
  await client.send(new CreateUsagePlanKeyCommand({ usagePlanId: plan.id, keyId, keyType: "API_KEY" }));
  return value;
}

async function headerScript(folder: string, name: string, header: string, value: string): Promise<string> {
  const path = join(folder, `${name}.lua`);
  await writeFile(path, `wrk.headers["${header}"] = "${value}"\n`);
  return path;
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** An issuer of this bench's own: discovery, one key, and a token that lasts. */
async function startIssuer(): Promise<{ readonly url: string; readonly token: string; stop(): void }> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwks = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "bench", alg: "RS256", use: "sig" }] };
  let url = "";
  const server = createServer((request, response) => {
    const found =
      request.url?.endsWith("/openid-configuration") === true ? { issuer: url, jwks_uri: `${url}/keys` } : jwks;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(found));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const listening = server.address();
  url = `http://127.0.0.1:${typeof listening === "object" && listening !== null ? listening.port : 0}`;
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: url, aud: "bench", sub: "bench", iat: now, exp: now + 86_400 };
  const signed = `${part({ alg: "RS256", kid: "bench", typ: "JWT" })}.${part(claims)}`;
  const token = `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
  return { url, token, stop: () => server.close() };
}
