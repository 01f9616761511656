import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RuntimeAvailability } from "../../src/compute/compute.ts";
import { createInterpreters } from "../../src/compute/interpreters.ts";
import { runCli } from "../../src/cli/cli.ts";

const own = { executable: process.execPath, version: process.version };

describe("cumulet runtimes", () => {
  let dataDir: string;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "cumulet-test-"));
  });
  afterAll(() => rm(dataDir, { recursive: true, force: true }));

  const cli = async (...args: string[]) => {
    const out: string[] = [];
    const err: string[] = [];
    const status = await runCli(["runtimes", "--data", dataDir, ...args], {
      out: (line) => out.push(line),
      err: (line) => err.push(line),
      write: (text) => err.push(text),
      terminal: false,
    });
    return { status, out: out.join("\n"), err: err.join("\n") };
  };

  it("lists every runtime with its state, and the version and place of what runs it or how to get that", async () => {
    const { status, out } = await cli("--json");
    expect(status).toBe(0);
    const listed = JSON.parse(out) as RuntimeAvailability[];
    expect(listed.map(({ runtime }) => runtime)).toEqual(
      expect.arrayContaining(["nodejs20.x", "nodejs24.x", "python3.9", "python3.14", "provided.al2023"]),
    );
    for (const item of listed) {
      if (item.state !== "missing")
        expect(item).toMatchObject({ version: expect.any(String), path: expect.any(String) });
      if (item.state !== "available") expect(item).toMatchObject({ remedy: expect.stringMatching(/\.$/u) });
    }
    expect((await cli()).out).toMatch(/^ {2}ok +nodejs24\.x +24\./mu);
  });

  it.each([
    [
      ["install", "python3.12"],
      1,
      /^cumulet: Only nodejs20\.x and later can be installed this way, not python3\.12\./u,
    ],
    [["install", "nodejs18.x"], 1, /^cumulet: Only nodejs20\.x and later/u],
    [["install"], 64, /^Usage: /u],
    [["remove", "nodejs20.x"], 64, /^Usage: /u],
    [["--what"], 64, /^cumulet: Unknown option '--what'/u],
  ])("refuses %j", async (args, status, said) => {
    const answer = await cli(...args);
    expect(answer.status).toBe(status);
    expect(answer.err).toMatch(said);
  });

  it("finds a version of Node.js that is installed while the platform runs, without a restart", async () => {
    const interpreters = createInterpreters(own, dataDir);
    expect(await interpreters.describe("nodejs23.x")).toMatchObject({
      state: "substituted",
      remedy: "Get it with: cumulet runtimes install nodejs23.x.",
    });
    // It answers as any Node.js does when it is asked for its version.
    const bin = join(dataDir, "runtimes", "node-23.1.0", "bin");
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, "node"), "#!/bin/sh\necho v23.1.0\n", { mode: 0o755 });
    expect(await interpreters.describe("nodejs23.x")).toEqual({
      runtime: "nodejs23.x",
      state: "available",
      version: "23.1.0",
      path: join(bin, "node"),
    });
  });
});
