import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ResponseSink } from "../../src/compute/compute.ts";
import { startHarness, type Harness } from "./harness.ts";

interface Collected extends ResponseSink {
  readonly types: string[];
  readonly chunks: string[];
  readonly ended: () => boolean;
}

function collect(): Collected {
  const types: string[] = [];
  const chunks: string[] = [];
  let isEnded = false;
  return {
    types,
    chunks,
    ended: () => isEnded,
    start: (contentType) => types.push(contentType),
    write: (bytes) => {
      chunks.push(Buffer.from(bytes).toString());
      return undefined;
    },
    end: () => {
      isEnded = true;
    },
  };
}

/** A custom runtime that streams. */
const runtime = (after: string) => `#!${process.execPath}
      const http = require("node:http");
      const base = "http://" + process.env.AWS_LAMBDA_RUNTIME_API + "/2018-06-01/runtime/invocation/";
      const run = () => http.get(base + "next", (next) => {
        next.resume();
        const id = next.headers["lambda-runtime-aws-request-id"];
        const post = http.request(base + id + "/response", { method: "POST", headers: {
          "Lambda-Runtime-Function-Response-Mode": "streaming", "Transfer-Encoding": "chunked", "Content-Type": "text/y",
          Trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body" } }, (answer) => { answer.resume(); answer.on("end", run); });
        post.write("one ");
        ${after}
      });
      run();`;

describe("A streamed answer", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness("process");
  });
  afterAll(() => harness.stop());

  const stream = (body: string) =>
    harness.define({
      "index.mjs": `export const handler = awslambda.streamifyResponse(async (event, stream, context) => {${body}});`,
    });

  test("reaches its sink, content type first", async () => {
    const spec = await stream(
      `stream.setContentType("text/x"); stream.write("a"); stream.write({ b: 1 }); stream.write(new Uint8Array([99])); stream.end(["d"]);`,
    );
    const sink = collect();
    const outcome = await harness.invoke(spec, {}, { sink });
    expect(outcome).toMatchObject({ outcome: "success", stream: { contentType: "text/x", delivered: true } });
    expect(outcome.payload).toHaveLength(0);
    expect(sink.types).toEqual(["text/x"]);
    expect(sink.chunks.join("")).toBe('a{"b":1}c["d"]');
    expect(sink.ended()).toBe(true);
  });

  test("is gathered where nobody takes it", async () => {
    const spec = await stream(`stream.write("a"); stream.end("b");`);
    const outcome = await harness.invoke(spec, {});
    expect(Buffer.from(outcome.payload).toString()).toBe("ab");
    expect(outcome.stream).toEqual({ contentType: "application/octet-stream", delivered: false });
  });

  test("has its prelude and eight zero bytes before its first byte, and also when there is none", async () => {
    for (const body of [`http.end("body")`, "http.end()"]) {
      const spec = await stream(
        `const http = awslambda.HttpResponseStream.from(stream, { statusCode: 201 }); ${body};`,
      );
      const sink = collect();
      await harness.invoke(spec, {}, { sink });
      expect(sink.types).toEqual(["application/vnd.awslambda.http-integration-response"]);
      expect(sink.chunks.join("")).toBe(`{"statusCode":201}${"\0".repeat(8)}${body.includes("body") ? "body" : ""}`);
    }
  });

  test("that breaks off midway is an error, after what had been sent", async () => {
    const spec = await stream(`stream.write("begun"); await new Promise(setImmediate); throw new TypeError("broken")`);
    const sink = collect();
    const outcome = await harness.invoke(spec, {}, { sink });
    expect(sink.chunks.join("")).toBe("begun");
    expect(sink.ended()).toBe(false);
    expect(outcome.outcome).toBe("error");
    expect(JSON.parse(Buffer.from(outcome.payload).toString())).toMatchObject({
      errorType: "TypeError",
      errorMessage: "broken",
    });
    expect((await harness.invoke(spec, {}, { sink: collect() })).outcome).toBe("error");
  });

  test.for([
    ["throws before its first byte", `throw new Error("no")`, "Error"],
    [
      "exits midway",
      `stream.write("a", () => process.exit(3)); await new Promise(() => setInterval(() => {}, 1000));`,
      "Runtime.ExitError",
    ],
    ["destroys its stream", `stream.write("a"); stream.destroy();`, "Runtime.StreamError"],
    [
      "sets its content type too late",
      `stream.write("a"); stream.setContentType("b")`,
      "Runtime.InvalidStreamingOperation",
    ],
  ])("is an error when the function %s", async ([, body, errorType]) => {
    const outcome = await harness.invoke(await stream(body ?? ""), {}, { sink: collect() });
    expect(outcome.outcome).toBe("error");
    expect(JSON.parse(Buffer.from(outcome.payload).toString())).toMatchObject({ errorType });
  });

  test("of a function that never ends it times out", async () => {
    const spec = await stream(`stream.write("a"); setInterval(() => {}, 1000); await new Promise(() => {});`);
    const outcome = await harness.invoke({ ...spec, timeoutMs: 300 }, {}, { sink: collect() });
    expect(outcome.report.status).toBe("timeout");
  });

  test("of a handler that is not async is refused", async () => {
    const spec = await harness.define({
      "index.mjs": `export const handler = awslambda.streamifyResponse((event, stream) => { stream.end("x") });`,
    });
    expect((await harness.invoke(spec, {}, { sink: collect() })).outcome).toBe("error");
  });

  test("that nobody ends runs into the timeout, also when nothing is left to wait for", async () => {
    const sink = collect();
    const spec = await stream(`stream.write("a");`);
    const { report } = await harness.invoke({ ...spec, timeoutMs: 300 }, {}, { sink });
    expect(report.status).toBe("timeout");
    expect(sink.chunks.join("")).toBe("a");
  });

  test("is only for handlers that are marked with what there is to stream, and the global can be kept away", async () => {
    const odd = await harness.define({
      "index.mjs": `export const handler = async () => 1; handler[Symbol.for("aws.lambda.runtime.handler.streaming")] = "request";`,
    });
    expect(await harness.answer(odd, {})).toMatchObject({ errorType: "Runtime.MalformedStreamingHandler" });
    const none = await harness.define(
      { "index.mjs": `export const handler = async () => typeof awslambda` },
      { environment: { AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA: "1" } },
    );
    expect(await harness.answer(none, {})).toBe("undefined");
  });

  test("can end before its function does", async () => {
    const spec = await stream(
      `stream.end("a"); await new Promise((resolve) => setTimeout(resolve, 50)); console.log("after");`,
    );
    const sink = collect();
    expect((await harness.invoke(spec, {}, { sink })).outcome).toBe("success");
    expect(harness.log(spec).join("")).toContain("after");
  });

  test("slows the function down to the pace of its sink, and holds no more than a little of it", async () => {
    const spec = await stream(`
      const piece = Buffer.alloc(65536, "x"); let sent = 0;
      for (let count = 0; count < 320; count += 1) {
        if (!stream.write(piece)) await new Promise((resolve) => stream.once("drain", resolve));
        sent += piece.length;
        if (count === 31) console.log("half a way");
      }
      stream.end();`);
    let release: (() => void) | undefined;
    let bytes = 0;
    let calls = 0;
    const first = Promise.withResolvers<void>();
    const sink: ResponseSink = {
      start: () => {},
      end: () => {},
      write: (chunk) => {
        bytes += chunk.byteLength;
        calls += 1;
        if (calls > 1) return undefined;
        first.resolve();
        return new Promise((resolve) => {
          release = resolve;
        });
      },
    };
    const running = harness.invoke({ ...spec, timeoutMs: 20_000 }, {}, { sink });
    await first.promise;
    // Whatever is on its way arrives within these turns; the function would have sent all by then.
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(bytes).toBeLessThan(512 * 1024);
    release?.();
    expect((await running).outcome).toBe("success");
    expect(bytes).toBe(320 * 65_536);
  });

  test("of more than a function may stream is an error", async () => {
    const small = await startHarness("process", { streamedBytesMax: 100_000, responseBytesMax: 80_000 });
    try {
      const spec = await small.define({
        "index.mjs": `export const handler = awslambda.streamifyResponse(async (event, stream) => { stream.end(Buffer.alloc(event.bytes)) });`,
      });
      const outcome = await small.invoke(spec, { bytes: 100_001 }, { sink: collect() });
      expect(JSON.parse(Buffer.from(outcome.payload).toString())).toMatchObject({
        errorType: "Function.ResponseSizeTooLarge",
      });
      expect((await small.invoke(spec, { bytes: 100_000 }, { sink: collect() })).outcome).toBe("success");
      expect((await small.invoke(spec, { bytes: 80_001 })).outcome).toBe("error");
    } finally {
      await small.stop();
    }
  });

  test("of a custom runtime arrives by the Runtime API as it is sent", async () => {
    const good = await harness.define({ bootstrap: runtime(`post.end("two");`) }, { runtime: "provided.al2023" });
    const sink = collect();
    const outcome = await harness.invoke(good, {}, { sink });
    expect(outcome).toMatchObject({ outcome: "success", stream: { contentType: "text/y", delivered: true } });
    expect(sink.chunks.join("")).toBe("one two");

    const document = JSON.stringify({ errorType: "Midway", errorMessage: "broken" });
    const bad = await harness.define(
      {
        bootstrap: runtime(
          `post.addTrailers({ "Lambda-Runtime-Function-Error-Type": "Midway", "Lambda-Runtime-Function-Error-Body": "${Buffer.from(document).toString("base64")}" }); post.end();`,
        ),
      },
      { runtime: "provided.al2023" },
    );
    const broken = await harness.invoke(bad, {}, { sink: collect() });
    expect(broken.outcome).toBe("error");
    expect(Buffer.from(broken.payload).toString()).toBe(document);
    expect((await harness.invoke(bad, {}, { sink: collect() })).outcome).toBe("error");
  });
});

test("A streamed answer leaves its sandbox too", async () => {
  const harness = await startHarness("auto");
  try {
    const spec = await harness.define({
      "index.mjs": `export const handler = awslambda.streamifyResponse(async (event, stream) => { stream.end("out") });`,
    });
    const sink = collect();
    const { outcome } = await harness.invoke({ ...spec, runtime: "nodejs24.x" }, {}, { sink });
    expect(outcome).toBe("success");
    expect(sink.chunks.join("")).toBe("out");
  } finally {
    await harness.stop();
  }
});
