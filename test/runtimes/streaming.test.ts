import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { FunctionSpec, ResponseSink } from "../../src/compute/compute.ts";
import { startHarness, type Harness } from "../compute/harness.ts";
import { buildClient } from "./clients.ts";

let harness: Harness;
let missing: string | undefined;
let folder: string;
let spec: FunctionSpec;

const source = `
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const http = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
  http.write("begun ");
  if (event.fail) { await new Promise((resolve) => setTimeout(resolve, 20)); throw new RangeError("midway"); }
  http.write(Buffer.alloc(event.bytes ?? 0, "x"));
  http.end("ended");
});`;

beforeAll(async () => {
  harness = await startHarness("auto");
  folder = await mkdtemp(join(tmpdir(), "cumulet-test-"));
  const built = await buildClient("node");
  if ("missing" in built) {
    missing = built.missing;
    return;
  }
  const codeDir = join(folder, "code");
  await cp(built.folder, codeDir, { recursive: true });
  await writeFile(join(codeDir, "index.mjs"), source);
  const overrides = { runtime: "provided.al2023", handler: "index.handler", memoryMb: 512 };
  spec = { ...(await harness.define({}, overrides)), codeDir };
}, 900_000);
afterAll(async () => {
  await harness.stop();
  await rm(folder, { recursive: true, force: true });
});

function collect(): ResponseSink & { readonly types: string[]; text(): string } {
  const types: string[] = [];
  const chunks: Uint8Array[] = [];
  return {
    types,
    text: () => Buffer.concat(chunks).toString(),
    start: (contentType) => types.push(contentType),
    write: (bytes) => {
      chunks.push(bytes);
      return undefined;
    },
    end: () => undefined,
  };
}

it("the official Node.js client streams, with the prelude of HTTP answers", async ({ skip }) => {
  if (missing !== undefined) skip(missing);
  for (const bytes of [0, 10_000_000]) {
    const sink = collect();
    const outcome = await harness.invoke(spec, { bytes }, { sink });
    expect(outcome).toMatchObject({ outcome: "success", stream: { delivered: true } });
    expect(sink.types).toEqual(["application/vnd.awslambda.http-integration-response"]);
    expect(sink.text()).toBe(`{"statusCode":201}${"\0".repeat(8)}begun ${"x".repeat(bytes)}ended`);
  }
});

it("the official Node.js client tells an error midway in its trailers", async ({ skip }) => {
  if (missing !== undefined) skip(missing);
  const sink = collect();
  const outcome = await harness.invoke(spec, { fail: true }, { sink });
  expect(sink.text()).toContain("begun ");
  expect(outcome.outcome).toBe("error");
  expect(JSON.parse(Buffer.from(outcome.payload).toString())).toMatchObject({
    errorType: "RangeError",
    errorMessage: "midway",
  });
  expect((await harness.invoke(spec, {}, { sink: collect() })).outcome).toBe("success");
});
