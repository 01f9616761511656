import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { zipOf } from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";
import { runTool, tools } from "../../src/testing/tools.ts";

const app = join(import.meta.dirname, "apps/plain/template.yaml");

describe.each([
  // 2.9, as Debian 12 has it, cannot package: its upload knows no endpoint but AWS's.
  { name: "AWS CLI v2", path: tools.awsV2, packages: false, payload: "e30=" },
  { name: "AWS CLI v1", path: tools.awsV1, packages: true, payload: "{}" },
])("$name, only told the endpoint and keys", ({ path, packages, payload }) => {
  // Without the tool there is nothing to test: the set-up script has said how to get it.
  if (path === undefined) return test.skip("the tool is not installed");
  let server: TestServer;
  let folder: string;

  beforeAll(async () => {
    server = await startTestServer();
    folder = await mkdtemp(join(tmpdir(), "cumulet-aws-"));
    // Version 1 presigns with Signature Version 2 unless told otherwise, which AWS refuses for buckets made since 2020.
    await writeFile(join(folder, "config"), "[default]\ns3 =\n  signature_version = s3v4\n");
  });

  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  // Versions before AWS_ENDPOINT_URL take the option.
  const aws = (args: readonly string[]) =>
    runTool(path, ["--endpoint-url", server.endpoint, ...args], {
      cwd: folder,
      env: { ...server.environment, AWS_CONFIG_FILE: join(folder, "config") },
    });

  const succeed = async (args: readonly string[]): Promise<string> => {
    const result = await aws(args);
    expect(result.status, `aws ${args.join(" ")}\n${result.stdout}\n${result.stderr}`).toBe(0);
    return result.stdout;
  };

  const output = async (key: string) =>
    (
      await succeed([
        "cloudformation",
        "describe-stacks",
        "--stack-name",
        "plain",
        "--query",
        `Stacks[0].Outputs[?OutputKey=='${key}'].OutputValue`,
        "--output",
        "text",
      ])
    ).trim();

  const greet = async () => (await fetch(`${server.endpoint}/_cumulet/api/${await output("ApiId")}/greet/ada`)).text();

  test(
    "cloudformation package and deploy bring an app up, change it and take it down",
    { timeout: 180_000 },
    async () => {
      await succeed(["s3", "mb", "s3://artifacts"]);
      if (packages) {
        const packaged = [
          "--template-file",
          app,
          "--s3-bucket",
          "artifacts",
          "--output-template-file",
          "packaged.yaml",
        ];
        await succeed(["cloudformation", "package", ...packaged]);
      } else {
        const source = await readFile(join(app, "../src/index.mjs"), "utf8");
        await writeFile(join(folder, "code.zip"), zipOf({ "index.mjs": source }));
        await succeed(["s3", "cp", "code.zip", "s3://artifacts/code.zip"]);
        const template = await readFile(app, "utf8");
        await writeFile(join(folder, "packaged.yaml"), template.replace("src/", "s3://artifacts/code.zip"));
      }
      const deploy = ["cloudformation", "deploy", "--stack-name", "plain", "--template-file", "packaged.yaml"];
      const capabilities = ["--capabilities", "CAPABILITY_IAM"];

      const missing = await aws([...deploy, ...capabilities]);
      expect(missing.status).not.toBe(0);
      expect(missing.stderr).toContain("Parameters: [Greeting] must have values");

      await succeed([...deploy, ...capabilities, "--parameter-overrides", "Greeting=Hello"]);
      expect(await greet()).toBe("Hello, ada");

      const same = await aws([...deploy, ...capabilities, "--parameter-overrides", "Greeting=Hello"]);
      expect(same.stdout + same.stderr).toContain("No changes to deploy");

      await succeed([...deploy, ...capabilities, "--parameter-overrides", "Greeting=Welcome"]);
      expect(await greet()).toBe("Welcome, ada");

      const name = await output("FunctionName");
      await succeed(["lambda", "invoke", "--function-name", name, "--payload", payload, "answer.json"]);
      const group = `/aws/lambda/${name}`;
      // Version 1 has no tail.
      const read = packages ? ["filter-log-events", "--log-group-name", group] : ["tail", group, "--since", "10m"];
      expect(await succeed(["logs", ...read])).toContain("REPORT RequestId");

      await succeed(["cloudformation", "delete-stack", "--stack-name", "plain"]);
      await succeed(["cloudformation", "wait", "stack-delete-complete", "--stack-name", "plain"]);
      const gone = await aws(["lambda", "get-function", "--function-name", name]);
      expect(gone.stderr).toContain("ResourceNotFoundException");
    },
  );

  test("s3 commands move, list, sync and presign objects", { timeout: 120_000 }, async () => {
    await succeed(["s3", "mb", "s3://things"]);
    await succeed(["s3", "cp", app, "s3://things/a/template.yaml"]);
    expect(await succeed(["s3", "ls", "s3://things/a/"])).toContain("template.yaml");
    await succeed(["s3", "cp", "s3://things/a/template.yaml", "back.yaml"]);
    await succeed(["s3", "mv", "s3://things/a/template.yaml", "s3://things/b/template.yaml"]);
    await succeed(["s3", "sync", join(app, "../src"), "s3://things/src"]);
    const url = (await succeed(["s3", "presign", "s3://things/b/template.yaml"])).trim();
    const presigned = await fetch(url);
    expect(presigned.status).toBe(200);
    expect(await presigned.text()).toContain("AWS::Serverless-2016-10-31");
    await succeed(["s3", "rm", "s3://things", "--recursive"]);
    await succeed(["s3", "rb", "s3://things"]);
    const gone = await aws(["s3", "ls", "s3://things"]);
    expect(gone.stderr).toContain("NoSuchBucket");
  });
});
