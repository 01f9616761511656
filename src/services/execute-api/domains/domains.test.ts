import { mkdir, copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { request as requestPlain } from "node:http";
import { request as requestSecure, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import * as rest from "@aws-sdk/client-api-gateway";
import * as http from "@aws-sdk/client-apigatewayv2";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal } from "../../../testing/access.ts";
import { makeAuthority, makeCertificate, type CertificateFiles } from "../../../testing/certificates.ts";
import { createFunctionRole, createNodeFunction } from "../../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

const account = "000000000000";
const functionArn = `arn:aws:lambda:us-east-1:${account}:function:echo`;
let folder: string;
let platform: TestPlatform;
let v1: rest.APIGatewayClient;
let v2: http.ApiGatewayV2Client;
let shop: CertificateFiles;
let restApiId: string;
let httpApiId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-domains-"));
  const tls = makeCertificate(folder, "listener", "localhost", "platform.example.org");
  platform = await startTestPlatform({ durable: true, sandbox: "process", tls });
  shop = makeCertificate(folder, "shop", "shop.example.com", "mutual.example.com", "*.wild.example.com");
  const certificates = join(platform.dataDir, "certificates", account);
  await mkdir(certificates, { recursive: true });
  await copyFile(shop.certFile, join(certificates, "shop.crt"));
  await copyFile(shop.keyFile, join(certificates, "shop.key"));
  v1 = new rest.APIGatewayClient(platform.settings);
  v2 = new http.ApiGatewayV2Client(platform.settings);
  const Role = await createFunctionRole(platform.settings, "echo");
  const source = "export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });";
  await createNodeFunction(platform.settings, { FunctionName: "echo", Role, source });
  await new LambdaClient(platform.settings).send(
    new AddPermissionCommand({
      FunctionName: "echo",
      StatementId: "gateway",
      Action: "lambda:InvokeFunction",
      Principal: "apigateway.amazonaws.com",
    }),
  );
  const uri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`;
  const definition = {
    swagger: "2.0",
    info: { title: "rest", version: "1" },
    paths: {
      "/": { get: { "x-amazon-apigateway-integration": { type: "aws_proxy", httpMethod: "POST", uri } } },
      "/{proxy+}": {
        "x-amazon-apigateway-any-method": {
          "x-amazon-apigateway-integration": { type: "aws_proxy", httpMethod: "POST", uri },
        },
      },
    },
  };
  const body = Buffer.from(JSON.stringify(definition));
  restApiId = (await v1.send(new rest.ImportRestApiCommand({ body }))).id ?? "";
  await v1.send(new rest.CreateDeploymentCommand({ restApiId, stageName: "prod" }));
  httpApiId =
    (await v2.send(new http.CreateApiCommand({ Name: "http", ProtocolType: "HTTP", Target: functionArn }))).ApiId ?? "";
});
afterAll(async () => {
  await platform.stop();
  await rm(folder, { recursive: true, force: true });
});

const arn = (name: string) => `arn:aws:acm:us-east-1:${account}:certificate/${name}`;
const createDomain = (DomainName: string, more: Partial<http.CreateDomainNameCommandInput> = {}) =>
  v2.send(
    new http.CreateDomainNameCommand({
      DomainName,
      DomainNameConfigurations: [{ CertificateArn: arn("shop"), EndpointType: "REGIONAL" }],
      ...more,
    }),
  );
const map = (DomainName: string, ApiId: string, Stage: string, ApiMappingKey?: string) =>
  v2.send(new http.CreateApiMappingCommand({ DomainName, ApiId, Stage, ApiMappingKey }));

interface Answer {
  readonly status: number;
  readonly body: ReturnType<typeof JSON.parse>;
  readonly subject?: string;
}

/** A request with a Host of its own, by plain HTTP. */
function ask(host: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: platform.port, path, headers: { ...headers, host }, agent: false };
    requestPlain(options, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body: parse(body) }), reject);
    })
      .once("error", reject)
      .end();
  });
}

function askSecurely(servername: string, path: string, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settings = {
      host: "127.0.0.1",
      port: platform.port,
      path,
      servername,
      rejectUnauthorized: false,
      agent: false,
    };
    requestSecure({ ...settings, headers: { host: servername }, ...options }, (response) => {
      const { subject } = (response.socket as TLSSocket).getPeerCertificate();
      text(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, body: parse(body), subject: String(subject.CN) }),
        reject,
      );
    })
      .once("error", reject)
      .end();
  });
}

function parse(body: string): unknown {
  return body.startsWith("{") ? JSON.parse(body) : body;
}

describe("a request to a custom domain", () => {
  beforeAll(async () => {
    await createDomain("shop.example.com");
    await map("shop.example.com", restApiId, "prod", "orders");
    await map("shop.example.com", restApiId, "prod", "orders/v2");
    await map("shop.example.com", httpApiId, "$default", "pets");
  });

  test("is answered by the stage of its base path, and the event tells the path as sent", async () => {
    const { status, body } = await ask("shop.example.com", "/orders/a%20b?x=1");
    expect(status).toBe(200);
    expect(body.path).toBe("/orders/a%20b");
    expect(body.pathParameters).toEqual({ proxy: "a b" });
    expect(body.requestContext).toMatchObject({
      domainName: "shop.example.com",
      domainPrefix: "shop",
      path: "/orders/a%20b",
      resourcePath: "/{proxy+}",
      stage: "prod",
      apiId: restApiId,
    });
    expect(body.requestContext.identity).not.toHaveProperty("clientCert");
  });

  test("takes the longest base path, by whole parts", async () => {
    expect((await ask("shop.example.com", "/orders/v2/x")).body.pathParameters).toEqual({ proxy: "x" });
    expect((await ask("shop.example.com", "/orders/v20/x")).body.pathParameters).toEqual({ proxy: "v20/x" });
    expect((await ask("shop.example.com", "/orders/v2")).body.resource).toBe("/");
  });

  test("to an HTTP API tells rawPath as sent", async () => {
    const { body } = await ask("SHOP.example.com:8443", "/pets/7");
    expect(body).toMatchObject({ version: "2.0", rawPath: "/pets/7", routeKey: "$default" });
    expect(body.requestContext).toMatchObject({ domainName: "shop.example.com", http: { path: "/pets/7" } });
    expect(body.requestContext).not.toHaveProperty("authentication");
  });

  test("that no mapping leads anywhere is 403 Forbidden", async () => {
    expect(await ask("shop.example.com", "/ordersx")).toEqual({ status: 403, body: { message: "Forbidden" } });
    expect((await ask("shop.example.com", "/Orders/x")).status).toBe(403);
    expect((await ask("shop.example.com", "/")).status).toBe(403);
  });

  test("is not found by X-Forwarded-Host", async () => {
    const { status } = await ask("127.0.0.1", "/orders/x", { "x-forwarded-host": "shop.example.com" });
    expect(status).not.toBe(200);
  });

  test("still answers when the API's default endpoint is disabled, which then does not", async () => {
    const { ApiId = "" } = await v2.send(
      new http.CreateApiCommand({
        Name: "hidden",
        ProtocolType: "HTTP",
        Target: functionArn,
        DisableExecuteApiEndpoint: true,
      }),
    );
    await map("shop.example.com", ApiId, "$default", "hidden");
    expect((await ask("shop.example.com", "/hidden/x")).status).toBe(200);
    expect((await ask(`${ApiId}.execute-api.us-east-1.localhost`, "/x")).status).toBe(404);
  });

  test("follows a mapping that is changed or deleted at once, and a restart", async () => {
    const { ApiMappingId } = await map("shop.example.com", restApiId, "prod", "moving");
    expect((await ask("shop.example.com", "/moving/x")).status).toBe(200);
    await platform.restart();
    expect((await ask("shop.example.com", "/moving/x")).status).toBe(200);
    const at = { DomainName: "shop.example.com", ApiMappingId };
    await v2.send(new http.UpdateApiMappingCommand({ ...at, ApiId: restApiId, ApiMappingKey: "moved" }));
    expect((await ask("shop.example.com", "/moving/x")).status).toBe(403);
    expect((await ask("shop.example.com", "/moved/x")).status).toBe(200);
    await v2.send(new http.DeleteApiMappingCommand(at));
    expect((await ask("shop.example.com", "/moved/x")).status).toBe(403);
  });
});

describe("base path mappings of REST APIs", () => {
  const domainName = "base.wild.example.com";
  beforeAll(() =>
    v1.send(
      new rest.CreateDomainNameCommand({
        domainName,
        regionalCertificateArn: arn("shop"),
        endpointConfiguration: { types: ["REGIONAL"] },
      }),
    ),
  );

  test("without a stage let the path name it", async () => {
    const made = await v1.send(new rest.CreateBasePathMappingCommand({ domainName, restApiId, basePath: "any" }));
    expect(made).toMatchObject({ basePath: "any", restApiId });
    expect((await ask(domainName, "/any/prod/x")).body.requestContext).toMatchObject({
      stage: "prod",
      path: "/any/prod/x",
    });
    expect((await ask(domainName, "/any/none/x")).status).toBe(403);
  });

  test("without a base path are (none), and answer all", async () => {
    await v1.send(new rest.CreateBasePathMappingCommand({ domainName, restApiId, stage: "prod" }));
    const { items = [] } = await v1.send(new rest.GetBasePathMappingsCommand({ domainName }));
    expect(items.map(({ basePath }) => basePath)).toContain("(none)");
    expect((await ask(domainName, "/deep/er")).body.path).toBe("/deep/er");
    const patchOperations = [{ op: "replace" as const, path: "/basePath", value: "moved" }];
    const at = { domainName, basePath: "(none)" };
    const moved = await v1.send(new rest.UpdateBasePathMappingCommand({ ...at, patchOperations }));
    expect(moved.basePath).toBe("moved");
    expect((await ask(domainName, "/deep/er")).status).toBe(403);
    await v1.send(new rest.DeleteBasePathMappingCommand({ domainName, basePath: "moved" }));
    expect(await refusal(v1.send(new rest.GetBasePathMappingCommand({ domainName, basePath: "moved" })))).toMatchObject(
      { name: "NotFoundException", status: 404 },
    );
  });

  test.each([
    [{ basePath: "any" }, "ConflictException", "Base path already exists for this domain name"],
    [{ basePath: "a/b" }, "BadRequestException", /Base path mapping can only contain/],
    [{ basePath: "x", restApiId: "nonesuch" }, "NotFoundException", /Invalid API identifier specified/],
    [{ basePath: "x", stage: "nonesuch" }, "NotFoundException", "Invalid stage identifier specified"],
    [{ domainName: "no.example.com" }, "NotFoundException", "Invalid domain name identifier specified"],
  ])("with %j are refused", async (more, name, message) => {
    const refused = await refusal(v1.send(new rest.CreateBasePathMappingCommand({ domainName, restApiId, ...more })));
    expect(refused.name).toBe(name);
    expect(refused.message).toMatch(message);
  });
});

const path = (...AnyOf: string[]) => ({ MatchBasePaths: { AnyOf } });
const header = (Header: string, ValueGlob: string) => ({ MatchHeaders: { AnyOf: [{ Header, ValueGlob }] } });

describe("routing rules", () => {
  const domainName = "rules.wild.example.com";
  const rule = (Priority: number, Conditions: http.RoutingRuleCondition[], invoke: object = {}) =>
    v2.send(
      new http.CreateRoutingRuleCommand({
        DomainName: domainName,
        Priority,
        Conditions,
        Actions: [{ InvokeApi: { ApiId: restApiId, Stage: "prod", ...invoke } }],
      }),
    );
  beforeAll(async () => {
    await createDomain(domainName, { RoutingMode: "ROUTING_RULE_THEN_API_MAPPING" });
    await v1.send(new rest.CreateDeploymentCommand({ restApiId, stageName: "beta" }));
    await map(domainName, httpApiId, "$default");
  });

  test("go before mappings, the lowest priority number first", async () => {
    expect((await ask(domainName, "/x", { "x-version": "beta-1" })).body.version).toBe("2.0");
    const header = { MatchHeaders: { AnyOf: [{ Header: "X-Version", ValueGlob: "beta*" }] } };
    const made = await rule(20, [header], { Stage: "beta" });
    expect(made.RoutingRuleArn).toBe(
      `arn:aws:apigateway:us-east-1:${account}:/domainnames/${domainName}/routingrules/${made.RoutingRuleId}`,
    );
    expect((await ask(domainName, "/x", { "x-version": "beta-1" })).body.requestContext.stage).toBe("beta");
    expect((await ask(domainName, "/x", { "x-version": "Beta-1" })).body.version).toBe("2.0");
    await rule(10, [header, { MatchBasePaths: { AnyOf: ["users"] } }], { StripBasePath: true });
    const { body } = await ask(domainName, "/users/7", { "x-version": "beta-1" });
    expect(body.requestContext).toMatchObject({ stage: "prod", path: "/users/7" });
    expect(body.pathParameters).toEqual({ proxy: "7" });
    expect((await ask(domainName, "/usersx", { "x-version": "beta-1" })).body.requestContext.stage).toBe("beta");
  });

  test("are listed by priority, replaced, and deleted", async () => {
    const at = { DomainName: domainName };
    const { RoutingRules = [] } = await v2.send(new http.ListRoutingRulesCommand(at));
    expect(RoutingRules.map(({ Priority }) => Priority)).toEqual([10, 20]);
    const [first] = RoutingRules;
    const RoutingRuleId = first?.RoutingRuleId;
    const Actions = first?.Actions;
    const put = new http.PutRoutingRuleCommand({ ...at, RoutingRuleId, Priority: 30, Conditions: [], Actions });
    expect((await refusal(v2.send(put))).message).toContain("StripBasePath");
    await v2.send(new http.DeleteRoutingRuleCommand({ ...at, RoutingRuleId }));
    expect((await v2.send(new http.ListRoutingRulesCommand(at))).RoutingRules).toHaveLength(1);
    expect((await refusal(v2.send(new http.GetRoutingRuleCommand({ ...at, RoutingRuleId })))).name).toBe(
      "NotFoundException",
    );
  });

  test("refuse what AWS refuses", async () => {
    expect((await refusal(rule(20, []))).name).toBe("ConflictException");
    expect((await refusal(rule(0, []))).name).toBe("BadRequestException");
    expect((await refusal(rule(50, [path("a"), path("b")]))).message).toContain("one base path condition");
    expect((await refusal(rule(50, [header("authorization", "x")]))).message).toContain("not supported");
    expect((await refusal(rule(50, [header("x", "a*b")]))).message).toContain("wildcard");
    expect((await refusal(rule(50, [{}]))).name).toBe("BadRequestException");
    expect((await refusal(rule(50, [], { ApiId: httpApiId, Stage: "$default" }))).message).toContain("REST APIs");
    expect((await refusal(rule(50, [], { Stage: "none" }))).name).toBe("NotFoundException");
    expect((await refusal(rule(50, [], { StripBasePath: true }))).name).toBe("BadRequestException");
  });
});

describe("a domain name", () => {
  test("is answered as AWS describes it, by both APIs", async () => {
    const made = await createDomain("tell.wild.example.com", { Tags: { a: "b" } });
    expect(made).toMatchObject({
      ApiMappingSelectionExpression: "$request.basepath",
      DomainName: "tell.wild.example.com",
      DomainNameArn: "arn:aws:apigateway:us-east-1::/domainnames/tell.wild.example.com",
      DomainNameConfigurations: [
        {
          ApiGatewayDomainName: expect.stringMatching(/^d-[a-z0-9]{10}\.execute-api\.us-east-1\.localhost$/),
          CertificateArn: arn("shop"),
          DomainNameStatus: "AVAILABLE",
          EndpointType: "REGIONAL",
          HostedZoneId: "Z1UJRXOUMOOFQ8",
          IpAddressType: "ipv4",
          SecurityPolicy: "TLS_1_2",
        },
      ],
      RoutingMode: "API_MAPPING_ONLY",
      Tags: { a: "b" },
    });
    const told = await v1.send(new rest.GetDomainNameCommand({ domainName: "tell.wild.example.com" }));
    expect(told).toMatchObject({
      domainName: "tell.wild.example.com",
      regionalCertificateArn: arn("shop"),
      endpointConfiguration: { types: ["REGIONAL"], ipAddressType: "ipv4" },
      domainNameStatus: "AVAILABLE",
      routingMode: "BASE_PATH_MAPPING_ONLY",
      tags: { a: "b" },
    });
    await v2.send(new http.DeleteDomainNameCommand({ DomainName: "tell.wild.example.com" }));
    expect((await refusal(v2.send(new http.GetDomainNameCommand({ DomainName: "tell.wild.example.com" })))).name).toBe(
      "NotFoundException",
    );
  });

  test("with an uploaded certificate is EDGE, and never tells its key", async () => {
    const upload = makeCertificate(folder, "upload", "upload.example.net");
    const made = await v1.send(
      new rest.CreateDomainNameCommand({
        domainName: "upload.example.net",
        certificateName: "mine",
        certificateBody: await readFile(upload.certFile, "utf8"),
        certificatePrivateKey: await readFile(upload.keyFile, "utf8"),
      }),
    );
    expect(made).toMatchObject({ certificateName: "mine", distributionHostedZoneId: "Z2FDTNDATAQYW2" });
    expect(JSON.stringify(made)).not.toContain("PRIVATE");
    await map("upload.example.net", restApiId, "prod");
    expect(await askSecurely("upload.example.net", "/x")).toMatchObject({ status: 200, subject: "upload" });
  });

  test.each([
    ["shop.example.com", {}, "ConflictException", "The domain name you provided already exists."],
    ["other.example.com", {}, "BadRequestException", /not covered by the provided certificate/],
    ["*.example.com", {}, "BadRequestException", /not covered by the provided certificate/],
    ["nodots", {}, "BadRequestException", "Invalid domain name identifier specified"],
    ["a..b", {}, "BadRequestException", "Invalid domain name identifier specified"],
    ["127.0.0.1", {}, "BadRequestException", "Invalid domain name identifier specified"],
    ["platform.example.org", {}, "BadRequestException", /platform itself/],
    ["*.example.org", {}, "BadRequestException", /platform itself/],
    ["x.execute-api.example.com", {}, "BadRequestException", /platform itself/],
    ["lambda.us-east-1.localhost", {}, "BadRequestException", /platform itself/],
    ["sts.amazonaws.com", {}, "BadRequestException", /platform itself/],
    ["new.wild.example.com", { DomainNameConfigurations: [] }, "BadRequestException", /certificate ARN/],
    [
      "new.wild.example.com",
      { DomainNameConfigurations: [{ CertificateArn: arn("none") }] },
      "BadRequestException",
      /does not exist: it names the files/,
    ],
    [
      "new.wild.example.com",
      { DomainNameConfigurations: [{ CertificateArn: arn("shop").replace(account, "111111111111") }] },
      "BadRequestException",
      /does not exist/,
    ],
    [
      "new.wild.example.com",
      { DomainNameConfigurations: [{ CertificateArn: arn("shop"), SecurityPolicy: "TLS_1_0" as const }] },
      "NotImplemented",
      /SecurityPolicy TLS_1_0/,
    ],
  ])("%s with %j is refused: %s", async (name, more, code, message) => {
    const refused = await refusal(createDomain(name, more));
    expect(refused.name).toBe(code);
    expect(refused.message).toMatch(message);
  });

  test("that begins with a star answers for names one label longer, and a longer name of its own wins", async () => {
    await createDomain("*.wild.example.com");
    await map("*.wild.example.com", httpApiId, "$default");
    expect((await ask("any.wild.example.com", "/x")).body.requestContext).toMatchObject({
      domainName: "any.wild.example.com",
      domainPrefix: "any",
    });
    expect((await ask("a.b.wild.example.com", "/x")).status).not.toBe(200);
    expect((await ask("rules.wild.example.com", "/x", { "x-version": "beta" })).body.requestContext.stage).toBe("beta");
  });
});

describe("TLS", () => {
  test("shows the certificate of the domain that the client asks for, and the listener's for any other", async () => {
    expect(await askSecurely("shop.example.com", "/orders/x")).toMatchObject({ status: 200, subject: "shop" });
    expect((await askSecurely("platform.example.org", "/_cumulet/health")).subject).toBe("listener");
  });

  test("of a custom domain is not older than 1.2", async () => {
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    await expect(askSecurely("shop.example.com", "/orders/x", old)).rejects.toThrow();
  });
});

const withStore = (TruststoreUri: string) =>
  refusal(createDomain("trust.wild.example.com", { MutualTlsAuthentication: { TruststoreUri } }));

describe("mutual TLS", () => {
  const DomainName = "mutual.example.com";
  let authority: ReturnType<typeof makeAuthority>;
  let options: (files: CertificateFiles) => Promise<RequestOptions>;
  beforeAll(async () => {
    authority = makeAuthority(folder, "authority");
    options = async ({ certFile, keyFile }) => ({ cert: await readFile(certFile), key: await readFile(keyFile) });
    const s3 = new S3Client({ ...platform.settings, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "trust" }));
    const bundle = `${await readFile(authority.certFile, "utf8")}\n-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n`;
    await s3.send(new PutObjectCommand({ Bucket: "trust", Key: "bundle.pem", Body: bundle }));
    await s3.send(new PutObjectCommand({ Bucket: "trust", Key: "empty.pem", Body: "nothing" }));
    const made = await createDomain(DomainName, {
      MutualTlsAuthentication: { TruststoreUri: "s3://trust/bundle.pem" },
    });
    expect(made.MutualTlsAuthentication).toEqual({
      TruststoreUri: "s3://trust/bundle.pem",
      TruststoreWarnings: ["Certificate 2 in the truststore could not be parsed"],
    });
    await map(DomainName, restApiId, "prod", "rest");
    await map(DomainName, httpApiId, "$default", "http");
  });

  test("lets in who shows a certificate of the truststore, and tells the event of it", async () => {
    const client = authority.sign("client");
    const { status, body } = await askSecurely(DomainName, "/rest/x", await options(client));
    expect(status).toBe(200);
    expect(body.requestContext.identity.clientCert).toEqual({
      clientCertPem: (await readFile(client.certFile, "utf8")).trim() + "\n",
      subjectDN: "C=DE,O=Test,CN=client",
      issuerDN: "O=Test,CN=authority",
      serialNumber: "a1:b2:c3",
      validity: { notBefore: expect.stringMatching(/ GMT$/), notAfter: expect.stringMatching(/ GMT$/) },
    });
    const v2 = await askSecurely(DomainName, "/http/x", await options(client));
    expect(v2.body.requestContext.authentication.clientCert.subjectDN).toBe("C=DE,O=Test,CN=client");
  });

  test("refuses at the handshake who shows none, a foreign one, or one that has ended", async () => {
    const foreign = makeAuthority(folder, "foreign").sign("stranger");
    const ended = authority.sign("ended", -1);
    await expect(askSecurely(DomainName, "/rest/x")).rejects.toThrow();
    await expect(askSecurely(DomainName, "/rest/x", await options(foreign))).rejects.toThrow();
    await expect(askSecurely(DomainName, "/rest/x", await options(ended))).rejects.toThrow();
  });

  test("is not got around by plain HTTP, or by a handshake for another domain", async () => {
    expect((await ask(DomainName, "/rest/x")).status).toBe(403);
    const around = { headers: { host: DomainName }, ...(await options(authority.sign("around"))) };
    expect((await askSecurely("shop.example.com", "/rest/x", around)).status).toBe(403);
  });

  test("refuses a truststore that is not there or holds nothing", async () => {
    expect((await withStore("s3://trust/none.pem")).message).toMatch(/could not be read/);
    expect((await withStore("s3://trust/empty.pem")).message).toMatch(/no valid certificates/);
    expect((await withStore("https://trust/empty.pem")).message).toMatch(/s3:\/\/bucket\/key/);
  });

  test("ends when the truststore is taken away", async () => {
    await v2.send(new http.UpdateDomainNameCommand({ DomainName, MutualTlsAuthentication: { TruststoreUri: "" } }));
    expect((await askSecurely(DomainName, "/rest/x")).status).toBe(200);
  });
});
