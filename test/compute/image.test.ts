import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findCompiler, runtimeSource } from "../../src/testing/image.ts";
import { startHarness, type Harness } from "./harness.ts";

const compiler = await findCompiler();

describe.skipIf(compiler === undefined || process.getuid?.() !== 0)(
  "container images in sandboxes (skipped without a C compiler, or as a plain user)",
  () => {
    let harness: Harness;
    let codeDir: string;

    beforeAll(async () => {
      harness = await startHarness("namespaces");
      codeDir = join(harness.dataDir, "image");
      for (const folder of ["proc", "dev", "tmp", "etc", "app"])
        await mkdir(join(codeDir, folder), { recursive: true });
      for (const file of ["hosts", "resolv.conf", "only-in-the-image"])
        await writeFile(join(codeDir, "etc", file), "x");
      await writeFile(join(harness.dataDir, "main.c"), runtimeSource);
      await promisify(execFile)(compiler ?? "", [
        "-static",
        "-O1",
        "-o",
        join(codeDir, "app/main"),
        join(harness.dataDir, "main.c"),
      ]);
    }, 60_000);
    afterAll(() => harness.stop());

    test("the image's program answers, sees the image and nothing else, and its variables", async () => {
      const spec = await harness.define(
        {},
        {
          codeDir,
          runtime: "",
          handler: "",
          environment: { GREETING: "own" },
          image: {
            entryPoint: ["main", "first"],
            command: ["second"],
            workingDirectory: "/app",
            environment: { PATH: "/app", GREETING: "image", FROM_IMAGE: "yes" },
          },
        },
      );
      const answer = (await harness.answer(spec, { hello: "world" })) as Record<string, unknown>;
      expect(answer).toEqual({
        event: { hello: "world" },
        arguments: ["main", "first", "second"],
        directory: "/app",
        root: ["app", "dev", "etc", "proc", "tmp"],
        greeting: "own",
        fromImage: "yes",
        function: spec.functionName,
        handler: null,
        uid: 993,
        writable: ["/tmp"],
        descriptors: 3,
      });
      expect(await harness.answer(spec, 2)).toMatchObject({ event: 2 });
      expect(harness.log(spec).join("")).toContain("a line of the program");
    });

    test("a program that is not in the image ends the environment with what it is that failed", async () => {
      const spec = await harness.define(
        {},
        {
          codeDir,
          runtime: "",
          handler: "",
          image: { entryPoint: ["/nothing"], command: [], workingDirectory: "/", environment: {} },
        },
      );
      expect(await harness.answer(spec, {})).toMatchObject({ errorType: "Runtime.ExitError" });
    });
  },
);

test("plain processes refuse images by name", async () => {
  const harness = await startHarness("process");
  const image = { entryPoint: ["/app"], command: [], workingDirectory: "/", environment: {} };
  const spec = await harness.define({}, { runtime: "", handler: "", image });
  await expect(harness.invoke(spec, {})).rejects.toThrow("container images");
  await harness.stop();
});
