import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ecr from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientSettings } from "../../src/testing/functions.ts";
import { pushImage } from "../../src/testing/image.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";
import { runTool, tools } from "../../src/testing/tools.ts";

describe.skipIf(tools.sam === undefined)("SAM CLI with a container image (skipped without SAM CLI)", () => {
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

  test("deploys a function from an image that has been pushed", { timeout: 120_000 }, async () => {
    const client = new ecr.ECRClient(clientSettings(server.environment));
    await client.send(new ecr.CreateRepositoryCommand({ repositoryName: "app" }));
    const { authorizationData } = await client.send(new ecr.GetAuthorizationTokenCommand({}));
    const login = authorizationData?.[0]?.authorizationToken ?? "";
    const config = { Entrypoint: ["/main"] };
    await pushImage(server.endpoint, login, "app", "v1", { layers: [], config });
    const repository = `${new URL(server.endpoint).host}/app`;
    const template = {
      Transform: "AWS::Serverless-2016-10-31",
      Resources: {
        Function: {
          Type: "AWS::Serverless::Function",
          Properties: { PackageType: "Image", ImageUri: `${repository}:v1` },
        },
      },
    };
    await writeFile(join(folder, "template.json"), JSON.stringify(template));
    const args = ["deploy", "--template-file", "template.json", "--stack-name", "image", "--no-confirm-changeset"];
    const deployed = await runTool(
      tools.sam ?? "",
      [...args, "--image-repository", repository, "--capabilities", "CAPABILITY_IAM", "--resolve-s3"],
      { cwd: folder, env: server.environment },
    );
    expect(deployed.status, deployed.stdout + deployed.stderr).toBe(0);
    expect(deployed.stdout).toContain("Successfully created/updated stack");
  });
});
