import { X509Certificate } from "node:crypto";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { TLSSocket } from "node:tls";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateRestApiCommand,
  DeleteClientCertificateCommand,
  GenerateClientCertificateCommand,
  GetClientCertificatesCommand,
  GetSdkTypesCommand,
  PutIntegrationCommand,
  PutMethodCommand,
  UpdateClientCertificateCommand,
  UpdateStageCommand,
} from "@aws-sdk/client-api-gateway";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../../testing/certificates.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let client: APIGatewayClient;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  client = new APIGatewayClient(platform.settings);
});
afterAll(() => platform.stop());

test("Client certificates are real ones, shown to backends that ask", async () => {
  const { $metadata, ...made } = await client.send(new GenerateClientCertificateCommand({ description: "d" }));
  expect($metadata.httpStatusCode).toBe(201);
  const { clientCertificateId = "", pemEncodedCertificate = "" } = made;
  const certificate = new X509Certificate(pemEncodedCertificate);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(Date.parse(certificate.validTo)).toBe(made.expirationDate?.getTime());
  expect(certificate.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);

  const files = makeCertificate(mkdtempSync(join(tmpdir(), "cumulet-backend-")), "localhost", "localhost");
  const backend = createServer(
    {
      cert: readFileSync(files.certFile),
      key: readFileSync(files.keyFile),
      ca: pemEncodedCertificate,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      const { socket } = request;
      response.end(socket instanceof TLSSocket ? socket.getPeerCertificate().subject.CN : "");
    },
  );
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  const address: AddressInfo | string | null = backend.address();
  const port = typeof address === "object" ? address?.port : undefined;

  const { id: restApiId, rootResourceId } = await client.send(new CreateRestApiCommand({ name: "certified" }));
  const method = { restApiId, resourceId: rootResourceId, httpMethod: "GET" };
  await client.send(new PutMethodCommand({ ...method, authorizationType: "NONE" }));
  await client.send(
    new PutIntegrationCommand({
      ...method,
      type: "HTTP_PROXY",
      integrationHttpMethod: "GET",
      uri: `https://localhost:${port}/`,
      tlsConfig: { insecureSkipVerification: true },
    }),
  );
  await client.send(new CreateDeploymentCommand({ restApiId, stageName: "s" }));
  const ask = () => fetch(`${platform.endpoint}/_cumulet/api/${restApiId}/s`);
  expect((await ask()).status).not.toBe(200);
  const attach = (value: string) =>
    client.send(
      new UpdateStageCommand({
        restApiId,
        stageName: "s",
        patchOperations: [{ op: "replace", path: "/clientCertificateId", value }],
      }),
    );
  expect(await attach(clientCertificateId)).toMatchObject({ clientCertificateId });
  expect(await (await ask()).text()).toBe("ApiGateway");
  await expect(client.send(new DeleteClientCertificateCommand({ clientCertificateId }))).rejects.toMatchObject({
    name: "BadRequestException",
  });
  await attach("");
  expect((await ask()).status).not.toBe(200);
  const patchOperations = [{ op: "replace" as const, path: "/description", value: "other" }];
  await client.send(new UpdateClientCertificateCommand({ clientCertificateId, patchOperations }));
  const { items } = await client.send(new GetClientCertificatesCommand({}));
  expect(items).toMatchObject([{ clientCertificateId, description: "other" }]);
  await client.send(new DeleteClientCertificateCommand({ clientCertificateId }));
  await expect(attach(clientCertificateId)).rejects.toMatchObject({ name: "NotFoundException" });
  backend.closeAllConnections();
  backend.close();
});

test("GetSdkTypes tells what AWS generates", async () => {
  const { items } = await client.send(new GetSdkTypesCommand({}));
  expect(items?.map(({ id }) => id)).toEqual(["android", "java", "javascript", "objectivec", "ruby", "swift"]);
});
