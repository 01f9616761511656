import { CloudFormationClient, DescribeStackResourcesCommand } from "@aws-sdk/client-cloudformation";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clientSettings } from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";
import { runTool } from "../../src/testing/tools.ts";

const program = join(import.meta.dirname, "../../bin/cumulet");

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await startTestServer(["--sandbox", "process"]);
  folder = await mkdtemp(join(tmpdir(), "cumulet-names-"));
  for (const [place, LogGroupName] of [
    ["one/shop", "of-one"],
    ["two/shop", "of-two"],
  ] as const) {
    await mkdir(join(folder, place), { recursive: true });
    const Resources = { Group: { Type: "AWS::Logs::LogGroup", Properties: { LogGroupName } } };
    await writeFile(
      join(folder, place, "template.json"),
      JSON.stringify({ Resources, Metadata: { Kept: { Of: place } } }),
    );
  }
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const deploy = (place: string, ...more: readonly string[]) =>
  runTool(program, ["deploy", join(folder, place), "--data", server.dataDir, ...more], { env: {} });

const groupsOf = async (StackName: string) => {
  const client = new CloudFormationClient(clientSettings(server.environment));
  const { StackResources = [] } = await client.send(new DescribeStackResourcesCommand({ StackName }));
  return StackResources.map(({ PhysicalResourceId }) => PhysicalResourceId);
};

test("an app does not replace another whose folder has the same name, unless --stack says so", async () => {
  expect(await deploy("one/shop")).toMatchObject({ status: 0 });
  const refused = await deploy("two/shop");
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain(
    `The stack shop was deployed from ${join(folder, "one/shop")}. Give this one another name with --stack, or replace that one with --stack shop.`,
  );
  expect(await groupsOf("shop")).toEqual(["of-one"]);
  // By another way to the same folder it is the same app.
  expect(await deploy("one/shop/template.json")).toMatchObject({ status: 0 });
  expect(await deploy("two/shop", "--stack", "other")).toMatchObject({ status: 0 });
  expect(await groupsOf("other")).toEqual(["of-two"]);
});

test("--stack replaces it, and from then on the stack is that folder's", async () => {
  expect(await deploy("two/shop", "--stack", "other")).toMatchObject({ status: 0 });
  await writeFile(
    join(folder, "two/shop/template.json"),
    JSON.stringify({ Resources: { Group: { Type: "AWS::Logs::LogGroup", Properties: { LogGroupName: "of-both" } } } }),
  );
  expect(await deploy("two/shop", "--stack", "shop")).toMatchObject({ status: 0 });
  expect(await groupsOf("shop")).toEqual(["of-both"]);
  expect((await deploy("one/shop")).stderr).toContain(`was deployed from ${join(folder, "two/shop")}`);
});
