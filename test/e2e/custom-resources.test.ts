import { setTimeout as delay } from "node:timers/promises";
import { CloudFormationClient, CreateStackCommand, DescribeStackEventsCommand } from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientSettings } from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";
import { deploy, inlineFunction, settle } from "../../src/testing/stacks.ts";

let server: TestServer;
let client: CloudFormationClient;

beforeAll(async () => {
  server = await startTestServer();
  client = new CloudFormationClient(clientSettings(server.environment));
}, 60_000);
afterAll(() => server.stop());

/** A stack with a provider, which is inline code, and a custom resource of its. */
const template = (name: string, Runtime: string, source: string) => ({
  Resources: {
    ...inlineFunction(name, source, { Runtime, Timeout: 30 }),
    Thing: {
      Type: "Custom::Thing",
      Properties: { ServiceToken: { "Fn::GetAtt": ["Function", "Arn"] }, ServiceTimeout: 60, Word: "hello" },
    },
  },
  Outputs: { Id: { Value: { Ref: "Thing" } }, Shout: { Value: { "Fn::GetAtt": ["Thing", "Shout"] } } },
});

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
      const made = await deploy(client, StackName, template(StackName, Runtime, source));
      expect(made).toEqual({ status: "CREATE_COMPLETE", failures: [], outputs: { Id, Shout: "HELLO" } });
      expect(await deploy(client, StackName, undefined)).toMatchObject({ status: "DELETE_COMPLETE", failures: [] });
    },
    60_000,
  );
});

test("a function of a SAM template makes the custom resources of that template", { timeout: 60_000 }, async () => {
  const InlineCode = `const response = require("cfn-response");
exports.handler = (event, context) => response.send(event, context, response.SUCCESS, { Shout: "SAM" }, "sam");`;
  const Properties = { Runtime: "nodejs22.x", Handler: "index.handler", InlineCode };
  const made = await deploy(client, "sam", {
    Transform: "AWS::Serverless-2016-10-31",
    Resources: {
      Provider: { Type: "AWS::Serverless::Function", Properties },
      Thing: { Type: "Custom::Thing", Properties: { ServiceToken: { "Fn::GetAtt": ["Provider", "Arn"] } } },
    },
    Outputs: { Shout: { Value: { "Fn::GetAtt": ["Thing", "Shout"] } } },
  });
  expect(made).toEqual({ status: "CREATE_COMPLETE", failures: [], outputs: { Shout: "SAM" } });
});

test("what a function says when it cannot is what the stack's events say", { timeout: 60_000 }, async () => {
  const source = `const response = require("cfn-response");
exports.handler = (event, context) =>
  response.send(event, context, event.RequestType === "Create" ? response.FAILED : response.SUCCESS, {}, "x");`;
  const { status, failures } = await deploy(client, "refused", template("refused", "nodejs22.x", source));
  expect(status).toBe("ROLLBACK_COMPLETE");
  expect(failures).toContainEqual(
    expect.stringMatching(
      /^Thing: Received response status \[FAILED\] from custom resource\. Message returned: See the details/,
    ),
  );
});

test("kill -9 of the server while a function works only delays the stack", { timeout: 120_000 }, async () => {
  const source = `const response = require("cfn-response");
exports.handler = async (event, context) => {
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await response.send(event, context, response.SUCCESS, { Shout: event.RequestId }, "late");
};`;
  const TemplateBody = JSON.stringify(template("killed", "nodejs22.x", source));
  await client.send(new CreateStackCommand({ StackName: "killed", TemplateBody, Capabilities: ["CAPABILITY_IAM"] }));
  for (;;) {
    const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName: "killed" }));
    if (StackEvents.some(({ LogicalResourceId }) => LogicalResourceId === "Thing")) break;
    await delay(50);
  }
  // The function has been invoked by then, or will be: either must do.
  await server.killAndRestart();
  expect(await settle(client, "killed")).toMatchObject({ status: "CREATE_COMPLETE", outputs: { Id: "late" } });
});
