"use strict";
// A worker thread of a function that takes several invocations at once: loads the function for itself, and runs what it is handed.
const { parentPort, workerData: configuration } = require("node:worker_threads");
const { loadHandler, isDeprecatedCallback } = require("./handler.cjs");
const { errorDocument, failure } = require("./errors.cjs");
const { patchConsole, logLine, writeTo } = require("./console.cjs");
const { createContext } = require("./context.cjs");
const { createInvokeStore, keys } = require("./invoke-store.cjs");

const answerBytesMax = 6_291_556;

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of worker threads has none
const tell = (message) => parentPort.postMessage(message);

let handler;
let handlerStreams = false;
/** Streamed pieces that the platform has not taken yet, by request. */
const untaken = new Map();
const store = createInvokeStore();

if (process.env.NODE_PATH !== undefined) require("node:module").Module._initPaths();
process.argv.length = 2;
writeTo((text) => tell({ type: "log", text }));
patchConsole(
  "JSON",
  () => store.get(keys.requestId) ?? "-",
  () => store.get(keys.tenantId),
);
offerGlobal();
process.on("uncaughtException", (error) => {
  logLine("ERROR", "Uncaught Exception ", error);
  // AWS: the worker is lost, and what it was running with it.
  process.exit(1);
});

loadHandler(configuration.taskRoot, configuration.handler)
  .then((loaded) => {
    const marked = loaded[Symbol.for("aws.lambda.runtime.handler.streaming")];
    if (marked && marked !== "response")
      throw failure("Runtime.MalformedStreamingHandler", "Only response streaming is supported.");
    handlerStreams = Boolean(marked);
    if (!handlerStreams && isDeprecatedCallback(loaded)) throw callbackRefused();
    handler = loaded;
    parentPort.on("message", (message) => {
      if (message.type === "taken") untaken.get(message.id)?.shift()?.();
      else setImmediate(invoke, message.header, message.event);
    });
    tell({ type: "ready" });
  })
  .catch((error) => {
    logLine("ERROR", "Init Error ", error);
    tell({ type: "initError", document: errorDocument(error) });
  });

function callbackRefused() {
  return failure(
    "Runtime.CallbackHandlerDeprecated",
    configuration.runtime === "nodejs22.x"
      ? "ERROR: Functions on Lambda Managed Instances cannot use callback-based function handlers. Use an async function handler instead. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html."
      : "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
  );
}

/** The global `awslambda`: streaming, and the store that libraries keep what belongs to one invocation in. */
function offerGlobal() {
  if (["1", "true"].includes(process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) return;
  const { awslambda } = require("./stream.cjs");
  globalThis.awslambda = awslambda;
  globalThis.awslambda.InvokeStore = store;
}

function invoke(header, text) {
  const { requestId: id, traceId, tenantId } = header;
  let over = false;
  const finish = (type, payload) => {
    if (over) return;
    over = true;
    untaken.delete(id);
    tell({ type, id, payload, last: true });
  };
  const reject = (error) => {
    if (over) return;
    logLine("ERROR", "Invoke Error ", error);
    finish("error", errorDocument(error));
  };
  const succeed = (value) => {
    let answer;
    try {
      answer = Buffer.from((value === undefined ? undefined : JSON.stringify(value)) ?? "null");
    } catch {
      return reject(failure("Runtime.JSONStringifyError", "Unable to stringify response body"));
    }
    if (answer.length <= answerBytesMax) return finish("response", answer);
    finish(
      "error",
      Buffer.from(
        JSON.stringify({
          errorType: "Function.ResponseSizeTooLarge",
          errorMessage: `Response payload size exceeded maximum allowed payload size (${answerBytesMax} bytes).`,
        }),
      ),
    );
  };
  const context = { [keys.requestId]: id, [keys.traceId]: traceId };
  if (tenantId !== undefined) context[keys.tenantId] = tenantId;
  store.run(context, () => {
    try {
      const given = createContext({ ...configuration, runtime: "nodejs24.x" }, header);
      const event = JSON.parse(text);
      if (typeof event?.ResponseURL === "string") require("./custom-resource.cjs").answerable(event);
      if (handlerStreams) return stream(id, event, given, finish, reject);
      // AWS: what a plain function returns is its answer.
      const answer = handler(event, given);
      if (typeof answer?.then === "function") answer.then(succeed, reject);
      else succeed(answer);
    } catch (error) {
      reject(error);
    }
  });
}

function stream(id, event, context, finish, reject) {
  const { runStreaming } = require("./stream.cjs");
  const waiting = [];
  untaken.set(id, waiting);
  let ended = false;
  runStreaming(handler, event, context, {
    begin: (contentType) => tell({ type: "streamStart", id, payload: Buffer.from(contentType), last: false }),
    write(bytes, done) {
      waiting.push(() => done?.());
      tell({ type: "streamChunk", id, payload: Buffer.from(bytes), last: false });
    },
    end() {
      ended = true;
      finish("streamEnd", undefined);
    },
    ready() {},
    reject(error) {
      if (!ended) return reject(error);
      // Its answer is complete, so that nobody can be told any more but the log.
      logLine("ERROR", "Invoke Error ", error);
    },
  });
}
