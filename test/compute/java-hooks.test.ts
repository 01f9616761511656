import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec } from "../../src/compute/compute.ts";
import { startHarness, type Harness } from "./harness.ts";

const run = promisify(execFile);
const source = join(import.meta.dirname, "java/example/Hooks.java");

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test</groupId><artifactId>test</artifactId><version>1</version><dependencies><dependency>
<groupId>org.crac</groupId><artifactId>crac</artifactId><version>1.5.0</version>
</dependency></dependencies></project>`;

describe("SnapStart hooks of a Java function, through the library org.crac as it is", () => {
  let harness: Harness;
  let folder = "";
  let runtime = "java17";
  let missing: string | undefined;
  beforeAll(async () => {
    harness = await startHarness("auto");
    folder = await mkdtemp(join(tmpdir(), "cumulet-hooks-"));
    const { runtimes } = await harness.compute.capabilities();
    const found = runtimes.find((item) => item.runtime.startsWith("java") && item.state === "available");
    if (found === undefined) return void (missing = "no JDK is here");
    runtime = found.runtime;
    await writeFile(join(folder, "pom.xml"), pom);
    try {
      await run("mvn", ["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=code/lib"], { cwd: folder });
    } catch {
      return void (missing = "the library cannot be had: Maven or its repository is missing");
    }
    const code = join(folder, "code");
    await mkdir(code, { recursive: true, mode: 0o755 });
    const [jar = ""] = await readdir(join(code, "lib"));
    await run("javac", ["--release", "11", "-cp", join(code, "lib", jar), "-d", code, source]);
  }, 180_000);
  afterAll(async () => {
    await harness.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const define = (overrides: Partial<FunctionSpec>) =>
    harness.define(
      {},
      { runtime, handler: "example.Hooks::handle", codeDir: join(folder, "code"), timeoutMs: 20_000, ...overrides },
    );
  const snapStart = { snapStart: true, version: "1" } as const;

  it("run before the snapshot, the last registered first, and after the restore in their order", async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const spec = await define(snapStart);
    const order = ["before second", "before first", "after first", "after second"];
    expect(await harness.answer(spec, {})).toEqual(order);
    expect(await harness.answer(spec, {})).toEqual(order);
    expect(harness.log(spec).join("")).toContain("RESTORE_REPORT Restore Duration: ");
  }, 60_000);

  it("do not run without SnapStart", async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    expect(await harness.answer(await define({}), {})).toEqual([]);
  });

  it.for([
    ["before", "com.amazonaws.services.lambda.crac.CheckpointException", "not now: first"],
    ["after", "com.amazonaws.services.lambda.crac.RestoreException", "no way back: second"],
  ] as const)("fail the invocation when one of them throws %s it", async ([FAIL, errorType, said], { skip }) => {
    if (missing !== undefined) skip(missing);
    const spec = await define({ ...snapStart, environment: { FAIL } });
    expect(await harness.answer(spec, {})).toMatchObject({ errorType, errorMessage: errorType });
    expect(harness.log(spec).join("")).toContain(`Suppressed: java.lang.IllegalStateException: ${said}`);
  });
});
