import * as sdk from "@aws-sdk/client-cognito-identity-provider";
import { ApiGatewayV2Client, CreateDomainNameCommand } from "@aws-sdk/client-apigatewayv2";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { request as requestSecure } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../../../testing/certificates.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

const host = "login.example.org";
let folder: string;
let platform: TestPlatform;
let cognito: sdk.CognitoIdentityProviderClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-pool-domains-"));
  platform = await startTestPlatform({ tls: makeCertificate(folder, "listener", "platform.example.org") });
  const own = makeCertificate(folder, "login", host);
  makeCertificate(folder, "shared", "*.example.net");
  await mkdir(certificates(), { recursive: true });
  await copyFile(own.certFile, join(certificates(), "login.crt"));
  await copyFile(own.keyFile, join(certificates(), "login.key"));
  cognito = new sdk.CognitoIdentityProviderClient(platform.settings);
});
afterAll(async () => {
  await platform.stop();
  await rm(folder, { recursive: true });
});

const certificates = () => join(platform.dataDir, "certificates", "000000000000");

async function create(Domain: string, more: Partial<sdk.CustomDomainConfigType> = {}) {
  const { UserPool } = await cognito.send(new sdk.CreateUserPoolCommand({ PoolName: "custom" }));
  const CertificateArn = "arn:aws:acm:us-east-1:000000000000:certificate/login";
  const CustomDomainConfig = { CertificateArn, ...more };
  await cognito.send(new sdk.CreateUserPoolDomainCommand({ UserPoolId: UserPool?.Id, Domain, CustomDomainConfig }));
}

const statusAt = (host: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    const asked = request(`${platform.endpoint}/oauth2/userInfo`, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.once("error", reject).end();
  });

/** The names of the certificate that a host is served with. */
const namesAt = (servername: string) =>
  new Promise<string>((resolve, reject) => {
    const where = { host: "127.0.0.1", port: platform.port, servername, rejectUnauthorized: false };
    const asked = requestSecure({ ...where, path: "/oauth2/userInfo", headers: { host: servername } }, (answer) => {
      answer.resume();
      const { socket } = answer;
      resolve(isTls(socket) ? (socket.getPeerCertificate().subjectaltname ?? "") : "");
    });
    asked.once("error", reject).end();
  });

function isTls(socket: unknown): socket is TLSSocket {
  return typeof socket === "object" && socket !== null && "getPeerCertificate" in socket;
}

test("a custom domain is reached by its host, with any port, and served with its own certificate", async () => {
  await create(host);
  await expect.poll(() => statusAt(`${host}:8443`)).toBe(400);
  expect(await statusAt("other.example.org")).not.toBe(400);
  expect(await namesAt(host)).toContain(`DNS:${host}`);
  expect(await namesAt("platform.example.org")).toBe("DNS:platform.example.org");
});

test("an API's custom domain name is not the host of a pool's domain, nor the other way round", async () => {
  await copyFile(join(folder, "shared.crt"), join(certificates(), "shared.crt"));
  await copyFile(join(folder, "shared.key"), join(certificates(), "shared.key"));
  const CertificateArn = "arn:aws:acm:us-east-1:000000000000:certificate/shared";
  const api = new ApiGatewayV2Client(platform.settings);
  const DomainNameConfigurations = [{ CertificateArn, EndpointType: "REGIONAL" as const }];
  const createForApi = (DomainName: string) =>
    api.send(new CreateDomainNameCommand({ DomainName, DomainNameConfigurations }));
  await create("pool.example.net", { CertificateArn });
  await expect(createForApi("pool.example.net")).rejects.toMatchObject({ name: "ConflictException" });
  await expect(createForApi("POOL.example.net")).rejects.toThrow();
  await createForApi("api.example.net");
  await expect(create("api.example.net", { CertificateArn })).rejects.toMatchObject({
    name: "InvalidParameterException",
  });
});

test.each([
  ["the platform's own host", "platform.example.org", {}],
  ["a host that the certificate does not cover", "other.example.org", {}],
  ["a certificate that does not exist", host, { CertificateArn: "arn:aws:acm:us-east-1:000000000000:certificate/no" }],
  ["a security policy that is not built", host, { SecurityPolicy: "TLS_V1_3_2025" as const }],
  [
    "a certificate of another account",
    host,
    { CertificateArn: "arn:aws:acm:us-east-1:111111111111:certificate/login" },
  ],
])("CreateUserPoolDomain refuses %s", async (_what, domain, more) => {
  await expect(create(domain, more)).rejects.toMatchObject({
    name: expect.stringMatching(/^(?:InvalidParameterException|NotImplemented.*)$/),
  });
});
