import { setTimeout as delay } from "node:timers/promises";
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
} from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientSettings } from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";

let server: TestServer;
let client: CloudFormationClient;

beforeAll(async () => {
  server = await startTestServer();
  client = new CloudFormationClient(clientSettings(server.environment));
}, 60_000);
afterAll(() => server.stop());

/** A stack with a provider, which is inline code, and a custom resource of its. */
const template = (Runtime: string, ZipFile: string) =>
  JSON.stringify({
    Resources: {
      Role: {
        Type: "AWS::IAM::Role",
        Properties: {
          AssumeRolePolicyDocument: {
            Version: "2012-10-17",
            Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
          },
        },
      },
      Provider: {
        Type: "AWS::Lambda::Function",
        Properties: {
          Runtime,
          Handler: "index.handler",
          Timeout: 30,
          Role: { "Fn::GetAtt": ["Role", "Arn"] },
          Code: { ZipFile },
        },
      },
      Thing: {
        Type: "Custom::Thing",
        Properties: { ServiceToken: { "Fn::GetAtt": ["Provider", "Arn"] }, ServiceTimeout: 60, Word: "hello" },
      },
    },
    Outputs: { Id: { Value: { Ref: "Thing" } }, Shout: { Value: { "Fn::GetAtt": ["Thing", "Shout"] } } },
  });

async function settled(StackName: string) {
  for (;;) {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName }));
    const stack = Stacks?.[0];
    if (stack && !stack.StackStatus?.endsWith("_IN_PROGRESS")) {
      const { StackEvents } = await client.send(new DescribeStackEventsCommand({ StackName }));
      const reasons = StackEvents?.map((each) => each.ResourceStatusReason).filter((each) => each !== undefined);
      const outputs = Object.fromEntries((stack.Outputs ?? []).map((each) => [each.OutputKey, each.OutputValue]));
      return { status: stack.StackStatus, reasons, outputs, StackId: stack.StackId ?? "" };
    }
    await delay(50);
  }
}

const deploy = async (StackName: string, TemplateBody: string) => {
  await client.send(new CreateStackCommand({ StackName, TemplateBody, Capabilities: ["CAPABILITY_IAM"] }));
};

/** Node.js: whoever answers on port 443 of the address's host, in TLS, as many do. */
const port443 = (open: string) => `
const https = require("https");
const url = require("url");
exports.handler = async (event, context) => {
  const { StackId, RequestId, LogicalResourceId, ResourceProperties } = event;
  const body = JSON.stringify({
    Status: "SUCCESS", PhysicalResourceId: "node-" + event.RequestType.length, StackId, RequestId, LogicalResourceId,
    Data: { Shout: ResourceProperties.Word.toUpperCase() },
  });
  const parsed = url.parse(event.ResponseURL);
  await new Promise((resolve, reject) => {
    const request = ${open}, resolve);
    request.on("error", reject);
    request.end(body);
  });
};`;

const headers = `headers: { "content-type": "", "content-length": body.length }`;

/** Python: as crhelper does, a connection of http.client to the address's host. */
const httpClient = `
import json
from http.client import HTTPSConnection
from urllib.parse import urlsplit

def handler(event, context):
    body = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    body.update(Status="SUCCESS", PhysicalResourceId="python", Data={"Shout": event["ResourceProperties"]["Word"].upper()})
    address = urlsplit(event["ResponseURL"])
    connection = HTTPSConnection(address.netloc)
    connection.request("PUT", address.path, body=json.dumps(body), headers={"content-type": ""})
    print(connection.getresponse().status)
`;

describe("A custom resource is made and deleted by a function that answers", () => {
  test.each<[string, string, string, string]>([
    [
      "with cfn-response",
      "nodejs22.x",
      `const response = require("cfn-response");
exports.handler = (event, context) =>
  response.send(event, context, response.SUCCESS, { Shout: event.ResourceProperties.Word.toUpperCase() }, "module");`,
      "module",
    ],
    [
      "on port 443 of the host",
      "nodejs24.x",
      port443(`https.request({ hostname: parsed.hostname, port: 443, path: parsed.path, method: "PUT", ${headers} }`),
      "node-6",
    ],
    [
      "over https.request without a port",
      "nodejs22.x",
      port443(`https.request({ hostname: parsed.hostname, path: parsed.path, method: "PUT", ${headers} }`),
      "node-6",
    ],
    [
      "over https.request with the address",
      "nodejs22.x",
      port443(`https.request(event.ResponseURL, { method: "PUT", ${headers} }`),
      "node-6",
    ],
    [
      "with cfnresponse in Python",
      "python3.11",
      `import cfnresponse
def handler(event, context):
    cfnresponse.send(event, context, cfnresponse.SUCCESS, {"Shout": event["ResourceProperties"]["Word"].upper()}, "pymodule")`,
      "pymodule",
    ],
    ["with http.client in Python", "python3.11", httpClient, "python"],
  ])(
    "%s",
    async (how, Runtime, source, Id) => {
      const StackName = how.replaceAll(/[^a-z0-9]/gi, "-");
      await deploy(StackName, template(Runtime, source));
      const made = await settled(StackName);
      expect(made).toMatchObject({ status: "CREATE_COMPLETE", outputs: { Id, Shout: "HELLO" } });
      await client.send(new DeleteStackCommand({ StackName }));
      expect(await settled(made.StackId)).toMatchObject({ status: "DELETE_COMPLETE" });
    },
    60_000,
  );
});

test("a function of a SAM template makes the custom resources of that template", { timeout: 60_000 }, async () => {
  const InlineCode = `const response = require("cfn-response");
exports.handler = (event, context) => response.send(event, context, response.SUCCESS, { Shout: "SAM" }, "sam");`;
  const Properties = { Runtime: "nodejs22.x", Handler: "index.handler", InlineCode };
  const TemplateBody = JSON.stringify({
    Transform: "AWS::Serverless-2016-10-31",
    Resources: {
      Provider: { Type: "AWS::Serverless::Function", Properties },
      Thing: { Type: "Custom::Thing", Properties: { ServiceToken: { "Fn::GetAtt": ["Provider", "Arn"] } } },
    },
    Outputs: { Shout: { Value: { "Fn::GetAtt": ["Thing", "Shout"] } } },
  });
  const StackName = "sam";
  const Capabilities = ["CAPABILITY_IAM" as const, "CAPABILITY_AUTO_EXPAND" as const];
  await client.send(new CreateStackCommand({ StackName, TemplateBody, Capabilities }));
  expect(await settled(StackName)).toMatchObject({ status: "CREATE_COMPLETE", outputs: { Shout: "SAM" } });
});

test("what a function says when it cannot is what the stack's events say", { timeout: 60_000 }, async () => {
  const source = `const response = require("cfn-response");
exports.handler = (event, context) =>
  response.send(event, context, event.RequestType === "Create" ? response.FAILED : response.SUCCESS, {}, "x");`;
  await deploy("refused", template("nodejs22.x", source));
  const { status, reasons } = await settled("refused");
  expect(status).toBe("ROLLBACK_COMPLETE");
  expect(reasons).toContainEqual(
    expect.stringMatching(
      /^Received response status \[FAILED\] from custom resource\. Message returned: See the details/,
    ),
  );
});

test("kill -9 of the server while a function works only delays the stack", { timeout: 120_000 }, async () => {
  const source = `const response = require("cfn-response");
exports.handler = async (event, context) => {
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await response.send(event, context, response.SUCCESS, { Shout: event.RequestId }, "late");
};`;
  await deploy("killed", template("nodejs22.x", source));
  for (;;) {
    const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName: "killed" }));
    if (StackEvents.some(({ LogicalResourceId }) => LogicalResourceId === "Thing")) break;
    await delay(50);
  }
  // The function has been invoked by then, or will be: either must do.
  await server.killAndRestart();
  expect(await settled("killed")).toMatchObject({ status: "CREATE_COMPLETE", outputs: { Id: "late" } });
});
