import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec } from "../../src/compute/compute.ts";
import { startHarness } from "../compute/harness.ts";
import type { Harness } from "../compute/harness.ts";
import { buildClient } from "./clients.ts";
import type { ClientName } from "./clients.ts";

const sources = join(import.meta.dirname, "cases");
const requestId = "8476a536-e9f4-4d65-9aad-4c1ea9ac8b7d";

/** The same function on the runtime of Lambda's name and on the official client: same answers, same log. */
const pairs: readonly {
  readonly runtime: string;
  readonly client: ClientName;
  readonly handler: string;
  readonly cases: readonly string[];
  readonly unstarted: readonly string[];
}[] = [
  {
    runtime: "nodejs24.x",
    client: "node",
    handler: "cases.handler",
    cases: ["nothing", "plain", "symbol", "circular", "bigint", "date", "text", "thrownText", "thrownNumber"].concat([
      "thrownObject",
      "thrownUnreadable",
      "own",
      "sync",
      "args",
      "context",
      "log",
    ]),
    unstarted: [
      "cases.absent",
      "cases.number",
      "cases.callback",
      "fails.handler",
      "requires.handler",
      "nowhere.handler",
    ].concat(["syntax.handler", "../cases.handler", "cases"]),
  },
  {
    runtime: "python3.11",
    client: "python",
    handler: "cases.handler",
    cases: ["nothing", "bytes", "nested", "nan", "text", "set", "date", "keys", "recurse", "unicode", "context"].concat(
      ["log", "environment"],
    ),
    unstarted: ["cases.absent", "fails.handler", "syntax.handler", "nowhere.handler", "cases", "sys.handler"],
  },
];

describe.each(pairs)("$runtime beside the official client", ({ runtime, client, handler, cases, unstarted }) => {
  let harness: Harness;
  let missing: string | undefined;
  let define: (own: boolean, overrides?: Partial<FunctionSpec>) => Promise<FunctionSpec>;
  beforeAll(async () => {
    harness = await startHarness("auto");
    const codeDir = join(harness.dataDir, "code", "cases");
    await cp(sources, codeDir, { recursive: true });
    await writeFile(join(codeDir, "syntax.cjs"), "exports.handler = async () => {");
    await writeFile(join(codeDir, "syntax.py"), "def handler(");
    const built = await buildClient(client);
    const found = await harness.compute.runtime(runtime);
    const { driver } = await harness.compute.capabilities();
    if ("missing" in built) missing = built.missing;
    else if (found.state !== "available") missing = `${runtime} is not here. ${found.remedy}`;
    else if (!driver.isolates) missing = driver.why;
    const official = "folder" in built ? { runtime: "provided.al2023", layersDir: built.folder } : {};
    define = (own, overrides) =>
      harness.define(
        {},
        {
          functionName: "f",
          handler,
          codeDir,
          ...(own ? { runtime } : { ...official, environment: { AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}` } }),
          ...overrides,
        },
      );
  }, 900_000);
  afterAll(() => harness.stop());

  const answer = async (spec: FunctionSpec, event: unknown) => {
    const { outcome, payload } = await harness.invoke(spec, event, { requestId });
    const text = Buffer.from(payload).toString("utf8");
    return { outcome, text: outcome === "success" ? text : withoutOwnFrames(text) };
  };

  it.each(cases)("answers the same: %s", async (name) => {
    if (missing !== undefined) return;
    const [own, official] = [await define(true), await define(false)];
    expect(await answer(own, { case: name })).toEqual(await answer(official, { case: name }));
  });

  it.each(unstarted)("answers the same when it cannot start: %s", async (wanted) => {
    if (missing !== undefined) return;
    const [own, official] = [await define(true, { handler: wanted }), await define(false, { handler: wanted })];
    expect(await answer(own, {})).toEqual(await answer(official, {}));
  });
});

/** The runtime's own places in a stack are its own business, and so is where it looks for modules from. */
function withoutOwnFrames(text: string): unknown {
  const document = JSON.parse(text) as Record<string, unknown>;
  if (document["errorType"] === "Runtime.ImportModuleError") {
    return [document["errorType"], String(document["errorMessage"]).split("\n")[0]];
  }
  for (const name of ["trace", "stackTrace"]) {
    const frames = document[name];
    if (Array.isArray(frames)) document[name] = frames.filter((frame) => !ownFrame.test(String(frame)));
  }
  return document;
}

const ownFrame = /\/var\/runtime|\/opt\/|node:|Previous line repeated/u;
