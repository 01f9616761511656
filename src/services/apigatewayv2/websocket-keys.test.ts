import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls, { TLSSocket } from "node:tls";
import * as rest from "@aws-sdk/client-api-gateway";
import * as sdk from "@aws-sdk/client-apigatewayv2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal } from "../../testing/access.ts";
import { makeCertificate } from "../../testing/certificates.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { connectClient, type TestClient } from "../execute-api/websocket/client.ts";

let platform: TestPlatform;
let client: sdk.ApiGatewayV2Client;
let v1: rest.APIGatewayClient;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  client = new sdk.ApiGatewayV2Client(platform.settings);
  v1 = new rest.APIGatewayClient(platform.settings);
});
afterAll(() => platform.stop());

/** An API whose routes answer with their own keys, or with what an endpoint says. */
async function createApi(routes: Readonly<Record<string, Partial<sdk.CreateRouteCommandInput>>>, endpoint?: string) {
  const { ApiId = "" } = await client.send(
    new sdk.CreateApiCommand({
      Name: "a",
      ProtocolType: "WEBSOCKET",
      RouteSelectionExpression: "$request.body.action",
    }),
  );
  for (const [RouteKey, more] of Object.entries(routes)) {
    const { IntegrationId = "" } = await client.send(
      endpoint === undefined
        ? new sdk.CreateIntegrationCommand({
            ApiId,
            IntegrationType: "MOCK",
            TemplateSelectionExpression: "200",
            RequestTemplates: { "200": '{"statusCode":200}' },
          })
        : new sdk.CreateIntegrationCommand({
            ApiId,
            IntegrationType: "HTTP_PROXY",
            IntegrationMethod: "POST",
            IntegrationUri: endpoint,
          }),
    );
    if (endpoint === undefined) {
      const answer = { IntegrationResponseKey: "$default", TemplateSelectionExpression: "a" };
      const ResponseTemplates = { a: "$context.routeKey [$context.identity.apiKeyId]" };
      await client.send(
        new sdk.CreateIntegrationResponseCommand({ ApiId, IntegrationId, ...answer, ResponseTemplates }),
      );
    }
    const { RouteId = "" } = await client.send(
      new sdk.CreateRouteCommand({
        ApiId,
        RouteKey,
        Target: `integrations/${IntegrationId}`,
        RouteResponseSelectionExpression: "$default",
        ...more,
      }),
    );
    await client.send(new sdk.CreateRouteResponseCommand({ ApiId, RouteId, RouteResponseKey: "$default" }));
  }
  await client.send(new sdk.CreateStageCommand({ ApiId, StageName: "prod", AutoDeploy: true }));
  return ApiId;
}

async function createPlan(apiId: string, more: Partial<rest.CreateUsagePlanCommandInput>, stage?: rest.ApiStage) {
  const { id: keyId = "", value = "" } = await v1.send(new rest.CreateApiKeyCommand({ name: "k", enabled: true }));
  const apiStages = [{ apiId, stage: "prod", ...stage }];
  const { id: usagePlanId } = await v1.send(new rest.CreateUsagePlanCommand({ name: "p", apiStages, ...more }));
  await v1.send(new rest.CreateUsagePlanKeyCommand({ usagePlanId, keyId, keyType: "API_KEY" }));
  return { keyId, value, usagePlanId };
}

const connect = (apiId: string, headers: Record<string, string> = {}) =>
  connectClient(`ws://127.0.0.1:${platform.port}/_cumulet/api/${apiId}/prod`, { headers });

async function ask(asked: TestClient, action: string): Promise<string> {
  asked.send({ action });
  const frame = await asked.next();
  return frame.startsWith("{") ? JSON.parse(frame).message : frame;
}

describe("A route of messages that requires an API key", () => {
  test("takes that of the handshake, counts it for the plan, and refuses who showed none or a wrong one", async () => {
    const apiId = await createApi({ $default: {}, keyed: { ApiKeyRequired: true } });
    const { keyId, value } = await createPlan(apiId, { quota: { limit: 2, period: "DAY" } });
    const nobody = await connect(apiId);
    expect([await ask(nobody, "other"), await ask(nobody, "keyed")]).toEqual(["$default []", "Forbidden"]);
    const wrong = await connect(apiId, { "x-api-key": `${value}x` });
    expect(await ask(wrong, "keyed")).toBe("Forbidden");
    const known = await connect(apiId, { "x-api-key": value });
    expect([await ask(known, "other"), await ask(known, "keyed"), await ask(known, "keyed")]).toEqual([
      "$default []",
      `keyed [${keyId}]`,
      `keyed [${keyId}]`,
    ]);
    expect(await ask(known, "keyed")).toBe("Limit Exceeded");
    for (const { socket } of [nobody, wrong, known]) socket.terminate();
  });

  test("is limited by its own rate in the plan, others by the plan's", async () => {
    const apiId = await createApi({ a: { ApiKeyRequired: true }, b: { ApiKeyRequired: true } });
    const throttle = { a: { rateLimit: 0.001, burstLimit: 1 } };
    const { keyId, value, usagePlanId } = await createPlan(apiId, {}, { throttle });
    const known = await connect(apiId, { "x-api-key": value });
    expect([await ask(known, "a"), await ask(known, "a")]).toEqual([`a [${keyId}]`, "Too Many Requests"]);
    const path = `/apiStages/${apiId}:prod/throttle/b/burstLimit`;
    const patchOperations = [
      { op: "replace" as const, path, value: "0" },
      { op: "replace" as const, path: path.replace("burst", "rate"), value: "1" },
    ];
    const { apiStages } = await v1.send(new rest.UpdateUsagePlanCommand({ usagePlanId, patchOperations }));
    expect(apiStages?.[0]?.throttle).toEqual({ ...throttle, b: { rateLimit: 1, burstLimit: 0 } });
    expect(await ask(known, "b")).toBe("Too Many Requests");
    known.socket.terminate();
    const wrong = [{ ...patchOperations[0], path: path.replace("/b/", "/~1b~1GET/") }];
    const refused = await refusal(
      v1.send(new rest.UpdateUsagePlanCommand({ usagePlanId, patchOperations: wrong as rest.PatchOperation[] })),
    );
    expect(refused.name).toBe("BadRequestException");
  });
});

test("A stage's client certificate is shown to HTTPS endpoints, and stays while a stage has it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cumulet-endpoint-"));
  const made = await v1.send(new rest.GenerateClientCertificateCommand({}));
  const { clientCertificateId: ClientCertificateId = "", pemEncodedCertificate = "" } = made;
  const files = makeCertificate(folder, "localhost", "localhost");
  const [cert, key] = await Promise.all([files.certFile, files.keyFile].map((file) => readFile(file, "utf8")));
  const trusted = tls.getCACertificates("default");
  tls.setDefaultCACertificates([...trusted, cert ?? ""]);
  const options = { cert, key, ca: pemEncodedCertificate, requestCert: true, rejectUnauthorized: false };
  const endpoint = createServer(options, ({ socket }, response) => {
    response.end(socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate().subject.CN : "nobody");
  });
  await new Promise<void>((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
  const { port } = endpoint.address() as AddressInfo;
  try {
    const ApiId = await createApi({ $default: {} }, `https://localhost:${port}/`);
    const asked = await connect(ApiId);
    expect(await ask(asked, "x")).toBe("nobody");
    const attach = (id: string) =>
      client.send(new sdk.UpdateStageCommand({ ApiId, StageName: "prod", ClientCertificateId: id }));
    expect((await attach(ClientCertificateId)).ClientCertificateId).toBe(ClientCertificateId);
    endpoint.closeAllConnections();
    expect(await ask(asked, "x")).toBe("ApiGateway");
    expect((await refusal(attach("none"))).name).toBe("NotFoundException");
    const gone = new rest.DeleteClientCertificateCommand({ clientCertificateId: ClientCertificateId });
    expect((await refusal(v1.send(gone))).message).toBe("Client certificate is in use by a stage");
    expect(await attach("")).not.toHaveProperty("ClientCertificateId");
    await v1.send(gone);
    asked.socket.terminate();
  } finally {
    tls.setDefaultCACertificates(trusted);
    endpoint.closeAllConnections();
    endpoint.close();
    await rm(folder, { recursive: true, force: true });
  }
});

test("An HTTP API's stage has no client certificate", async () => {
  const { ApiId } = await client.send(new sdk.CreateApiCommand({ Name: "h", ProtocolType: "HTTP" }));
  const create = new sdk.CreateStageCommand({ ApiId, StageName: "s", ClientCertificateId: "abc" });
  expect((await refusal(client.send(create))).name).toBe("BadRequestException");
});
