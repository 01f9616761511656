import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { APIGatewayClient, GetDomainNameCommand, GetStageCommand } from "@aws-sdk/client-api-gateway";
import { ApiGatewayV2Client, GetTagsCommand } from "@aws-sdk/client-apigatewayv2";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../../../testing/certificates.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { deploy } from "../../../testing/stacks.ts";

const account = "000000000000";
const certificate = `arn:aws:acm:us-east-1:${account}:certificate/stacks`;
let folder: string;
let platform: TestPlatform;
let cloudformation: CloudFormationClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-domain-stacks-"));
  platform = await startTestPlatform({ sandbox: "process" });
  cloudformation = new CloudFormationClient(platform.settings);
  const files = makeCertificate(folder, "stacks", "*.example.com");
  const certificates = join(platform.dataDir, "certificates", account);
  await mkdir(certificates, { recursive: true });
  await copyFile(files.certFile, join(certificates, "stacks.crt"));
  await copyFile(files.keyFile, join(certificates, "stacks.key"));
});
afterAll(async () => {
  await platform.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Status and body of a request with a Host of its own. */
function ask(host: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: platform.port, path, headers: { host }, agent: false };
    request(options, (response) => {
      text(response).then((body) => resolve(`${response.statusCode} ${body}`), reject);
    })
      .once("error", reject)
      .end();
  });
}

const mock = {
  type: "mock",
  requestTemplates: { "application/json": '{"statusCode": 200}' },
  responses: { default: { statusCode: "200", responseTemplates: { "application/json": "mocked" } } },
};
const definition = {
  swagger: "2.0",
  info: { title: "stacks", version: "1" },
  paths: { "/x": { get: { responses: { "200": { description: "" } }, "x-amazon-apigateway-integration": mock } } },
};

function template(basePath: string, more: object = {}) {
  const Stage = { Ref: "Stage" };
  return {
    Resources: {
      Account: {
        Type: "AWS::ApiGateway::Account",
        Properties: { CloudWatchRoleArn: `arn:aws:iam::${account}:role/logs` },
      },
      Api: { Type: "AWS::ApiGateway::RestApi", Properties: { Body: definition } },
      Deployment: { Type: "AWS::ApiGateway::Deployment", Properties: { RestApiId: { Ref: "Api" } } },
      Stage: {
        Type: "AWS::ApiGateway::Stage",
        DependsOn: "Account",
        Properties: {
          RestApiId: { Ref: "Api" },
          DeploymentId: { Ref: "Deployment" },
          StageName: "prod",
          AccessLogSetting: {
            DestinationArn: `arn:aws:logs:us-east-1:${account}:log-group:stacks`,
            Format: "$context.requestId",
          },
        },
      },
      Domain: {
        Type: "AWS::ApiGateway::DomainName",
        Properties: {
          DomainName: "one.example.com",
          RegionalCertificateArn: certificate,
          EndpointConfiguration: { Types: ["REGIONAL"] },
          Tags: [{ Key: "team", Value: "a" }],
        },
      },
      Mapping: {
        Type: "AWS::ApiGateway::BasePathMapping",
        Properties: { DomainName: { Ref: "Domain" }, RestApiId: { Ref: "Api" }, Stage, BasePath: basePath },
      },
      Second: {
        Type: "AWS::ApiGatewayV2::DomainName",
        Properties: {
          DomainName: "two.example.com",
          DomainNameConfigurations: [{ CertificateArn: certificate, EndpointType: "REGIONAL" }],
          RoutingMode: "ROUTING_RULE_THEN_API_MAPPING",
          Tags: { team: "b" },
          ...more,
        },
      },
      SecondMapping: {
        Type: "AWS::ApiGatewayV2::ApiMapping",
        Properties: { DomainName: { Ref: "Second" }, ApiId: { Ref: "Api" }, Stage, ApiMappingKey: `deep/${basePath}` },
      },
      Rule: {
        Type: "AWS::ApiGatewayV2::RoutingRule",
        Properties: {
          DomainNameArn: { "Fn::GetAtt": ["Second", "DomainNameArn"] },
          Priority: 5,
          Conditions: [{ MatchBasePaths: { AnyOf: ["ruled"] } }],
          Actions: [{ InvokeApi: { ApiId: { Ref: "Api" }, Stage, StripBasePath: true } }],
        },
      },
    },
    Outputs: {
      Target: { Value: { "Fn::GetAtt": ["Domain", "RegionalDomainName"] } },
      Mapping: { Value: { Ref: "Mapping" } },
      RuleArn: { Value: { Ref: "Rule" } },
      Zone: { Value: { "Fn::GetAtt": ["Second", "RegionalHostedZoneId"] } },
    },
  };
}

test("domain names, mappings, routing rules and access logs come, change and go with a stack", async () => {
  const made = await deploy(cloudformation, "domains", template("first"));
  expect(made).toMatchObject({ status: "CREATE_COMPLETE", failures: [] });
  expect(made.outputs).toMatchObject({
    Target: expect.stringMatching(/^d-[a-z0-9]{10}\.execute-api\.us-east-1\./),
    Mapping: "one.example.com|first",
    RuleArn: expect.stringContaining("/domainnames/two.example.com/routingrules/"),
    Zone: "Z1UJRXOUMOOFQ8",
  });
  expect(await ask("one.example.com", "/first/x")).toBe("200 mocked");
  expect(await ask("two.example.com", "/deep/first/x")).toBe("200 mocked");
  expect(await ask("two.example.com", "/ruled/x")).toBe("200 mocked");
  const v1 = new APIGatewayClient(platform.settings);
  const { tags } = await v1.send(new GetDomainNameCommand({ domainName: "one.example.com" }));
  expect(tags).toMatchObject({ team: "a" });

  const changed = await deploy(cloudformation, "domains", template("second", { Tags: { team: "c" } }));
  expect(changed).toMatchObject({ status: "UPDATE_COMPLETE", failures: [] });
  expect(await ask("one.example.com", "/first/x")).toContain("403");
  expect(await ask("one.example.com", "/second/x")).toBe("200 mocked");
  expect(await ask("two.example.com", "/deep/second/x")).toBe("200 mocked");
  const ResourceArn = "arn:aws:apigateway:us-east-1::/domainnames/two.example.com";
  const told = await new ApiGatewayV2Client(platform.settings).send(new GetTagsCommand({ ResourceArn }));
  expect(told.Tags).toMatchObject({ team: "c" });

  expect(await deploy(cloudformation, "domains", undefined)).toMatchObject({ status: "DELETE_COMPLETE" });
  expect(await ask("one.example.com", "/second/x")).not.toContain("mocked");
}, 60_000);

const sam = (route53: object) => ({
  Transform: "AWS::Serverless-2016-10-31",
  Resources: {
    Api: {
      Type: "AWS::Serverless::Api",
      Properties: {
        StageName: "prod",
        DefinitionBody: definition,
        Domain: { DomainName: "sam.example.com", CertificateArn: certificate, BasePath: ["a", "b"], ...route53 },
      },
    },
  },
  Outputs: { Api: { Value: { Ref: "Api" } } },
});

test("SAM's Domain makes a domain name and its mappings; its DNS records are refused by name", async () => {
  const made = await deploy(cloudformation, "sam-domains", sam({}));
  expect(made).toMatchObject({ status: "CREATE_COMPLETE", failures: [] });
  expect(await ask("sam.example.com", "/a/x")).toBe("200 mocked");
  expect(await ask("sam.example.com", "/b/x")).toBe("200 mocked");
  const stage = { restApiId: made.outputs["Api"], stageName: "prod" };
  expect(await new APIGatewayClient(platform.settings).send(new GetStageCommand(stage))).not.toHaveProperty(
    "accessLogSettings",
  );
  await expect(deploy(cloudformation, "sam-records", sam({ Route53: { HostedZoneId: "Z1" } }))).rejects.toThrow(
    /AWS::Route53::RecordSetGroup/,
  );
  expect(await deploy(cloudformation, "sam-domains", undefined)).toMatchObject({ status: "DELETE_COMPLETE" });
}, 60_000);
