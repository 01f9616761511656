import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";
import { runTool, tools, type ToolResult } from "../../src/testing/tools.ts";

const apps = [
  { name: "sam-node", source: "hello-world/app.mjs" },
  { name: "sam-python", source: "hello_world/app.py" },
] as const;

// sam build wants the very Python that the runtime names; take the one that this machine has.
const useInstalledPython = async (template: string) => {
  const { stdout } = await runTool(tools.python ?? "", ["--version"], { env: {} });
  const version = /Python (\d+\.\d+)/.exec(stdout)?.[1] ?? "3.11";
  await writeFile(template, (await readFile(template, "utf8")).replace("python3.11", `python${version}`));
};

// Without the tool there is nothing to test: the set-up script has said how to get it.
describe.skipIf(tools.sam === undefined)("SAM CLI, only told the endpoint and keys", () => {
  let server: TestServer;
  let folder: string;

  beforeAll(async () => {
    server = await startTestServer();
    folder = await mkdtemp(join(tmpdir(), "cumulet-sam-"));
  });

  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const sam = async (args: readonly string[], cwd: string): Promise<ToolResult> =>
    runTool(tools.sam ?? "", args, { cwd, env: server.environment, timeoutMs: 240_000 });

  const succeed = async (args: readonly string[], cwd: string): Promise<ToolResult> => {
    const result = await sam(args, cwd);
    expect(result.status, `sam ${args.join(" ")}\n${result.stdout}\n${result.stderr}`).toBe(0);
    return result;
  };

  const get = async (apiId: string) => {
    const response = await fetch(`${server.endpoint}/_cumulet/api/${apiId}/Prod/hello`);
    return { status: response.status, body: (await response.json()) as unknown };
  };

  for (const app of apps) {
    test(`builds, deploys, logs, redeploys and deletes ${app.name}`, { timeout: 600_000 }, async () => {
      const cwd = join(folder, app.name);
      await cp(join(import.meta.dirname, "apps", app.name), cwd, { recursive: true });
      await useInstalledPython(join(cwd, "template.yaml"));
      await succeed(["build"], cwd);
      const deploy = ["deploy", "--stack-name", app.name, "--resolve-s3", "--capabilities", "CAPABILITY_IAM"];
      const deployed = await succeed([...deploy, "--no-confirm-changeset", "--no-progressbar"], cwd);
      const apiId =
        /https:\/\/(\w+)\.execute-api\.us-east-1\.amazonaws\.com\/Prod\/hello/.exec(deployed.stdout)?.[1] ?? "";
      expect(await get(apiId)).toEqual({ status: 200, body: { message: "hello world", bundled: true } });

      const logs = await succeed(["logs", "--stack-name", app.name, "--name", "HelloWorldFunction"], cwd);
      expect(logs.stdout).toContain("handling");

      const unchanged = await sam([...deploy, "--no-confirm-changeset", "--no-fail-on-empty-changeset"], cwd);
      expect(unchanged.status, unchanged.stderr).toBe(0);
      expect(unchanged.stdout + unchanged.stderr).toContain("No changes to deploy");

      const source = join(cwd, app.source);
      await writeFile(source, (await readFile(source, "utf8")).replace("hello world", "hello again"));
      await succeed(["build"], cwd);
      await succeed([...deploy, "--no-confirm-changeset"], cwd);
      expect(await get(apiId)).toEqual({ status: 200, body: { message: "hello again", bundled: true } });

      await succeed(["delete", "--stack-name", app.name, "--no-prompts"], cwd);
      expect((await get(apiId)).status).toBe(403);
    });
  }
});
