import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import {
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  PublishLayerVersionCommand,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFunctionRole } from "../../src/testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { startHarness } from "../compute/harness.ts";
import { compileJava } from "../compute/java-package.ts";

const run = promisify(execFile);

async function zipFolder(folder: string): Promise<Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[relative(folder, path)] = await readFile(path);
  }
  return zipSync(files);
}

describe("Java functions through the SDK", () => {
  let platform: TestPlatform;
  let lambda: LambdaClient;
  let missing: string | undefined;
  beforeAll(async () => {
    platform = await startTestPlatform({ sandbox: "auto" });
    lambda = new LambdaClient(platform.settings);
    const compiled = await compileJava();
    if (typeof compiled === "string") return void (missing = compiled);
    const layer = await lambda.send(
      new PublishLayerVersionCommand({
        LayerName: "layered",
        Content: { ZipFile: await zipFolder(compiled.layers) },
        CompatibleRuntimes: ["java17"],
      }),
    );
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: "java",
        Runtime: "java17",
        Handler: "example.Functions::surroundings",
        Role: await createFunctionRole(platform.settings, "java"),
        MemorySize: 256,
        Timeout: 20,
        Layers: [layer.LayerVersionArn ?? ""],
        Environment: { Variables: { MESSAGE: "hello" } },
        Code: { ZipFile: await zipFolder(compiled.code) },
      }),
    );
    await compiled.remove();
    await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 20, minDelay: 0.05 }, { FunctionName: "java" });
  }, 180_000);
  afterAll(() => platform.stop());

  it("CreateFunction with java17, a layer and variables; Invoke answers what the method returns, and its log", async ({
    skip,
  }) => {
    if (missing !== undefined) skip(missing);
    const answer = await lambda.send(
      new InvokeCommand({ FunctionName: "java", Payload: '{"fetch":false}', LogType: "Tail" }),
    );
    expect(answer.FunctionError).toBeUndefined();
    expect(JSON.parse(answer.Payload?.transformToString() ?? "")).toMatchObject({
      variable: "hello",
      layer: "from the layer",
      relative: "a note",
      process: ["hello", "a note"],
    });
    expect(Buffer.from(answer.LogResult ?? "", "base64").toString()).toContain("REPORT RequestId: ");
  });
});

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test</groupId><artifactId>test</artifactId><version>1</version><dependencies><dependency>
<groupId>com.amazonaws</groupId><artifactId>aws-lambda-java-runtime-interface-client</artifactId><version>2.9.0</version>
</dependency></dependencies></project>`;

describe("the official runtime interface client for Java", () => {
  it("runs as a custom runtime, unmodified: answers, errors, and more invocations", async ({ skip }) => {
    const compiled = await compileJava();
    if (typeof compiled === "string") return skip(compiled);
    const folder = await mkdtemp(join(tmpdir(), "cumulet-java-client-"));
    const harness = await startHarness("auto");
    try {
      const { runtimes } = await harness.compute.capabilities();
      const found = runtimes.find(({ runtime, state }) => runtime.startsWith("java") && state !== "missing");
      if (found === undefined || found.state === "missing") return skip("no JDK is here");
      if (!found.path.startsWith("/usr/")) return skip("the JDK is not part of the system that functions see");
      await writeFile(join(folder, "pom.xml"), pom);
      try {
        await run("mvn", ["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], { cwd: folder });
      } catch {
        return skip("the client cannot be had: Maven or its repository is missing");
      }
      const code = join(folder, "code");
      await mkdir(code, { mode: 0o755 });
      await cp(compiled.code, code, { recursive: true });
      await cp(join(folder, "lib"), join(code, "lib"), { recursive: true });
      const main = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda";
      const bootstrap = `#!/bin/sh\nexec ${found.path} -cp '/var/task:/var/task/lib/*' ${main} "$_HANDLER"\n`;
      await writeFile(join(code, "bootstrap"), bootstrap);
      await chmod(join(code, "bootstrap"), 0o755);
      const spec = (handler: string) =>
        harness.define({}, { runtime: "provided.al2023", handler, codeDir: code, memoryMb: 512, timeoutMs: 20_000 });
      const echo = await spec("example.Functions::echo");
      expect(await harness.answer(echo, { a: "é🌍" })).toEqual({ a: "é🌍" });
      expect(await harness.answer(echo, { b: [1] })).toEqual({ b: [1] });
      expect(await harness.answer(await spec("example.Functions::fails"), { kind: "cause" })).toMatchObject({
        errorMessage: "outer",
        errorType: "example.Functions$Refused",
      });
    } finally {
      await harness.stop();
      await compiled.remove();
      await rm(folder, { recursive: true, force: true });
    }
  }, 300_000);
});
