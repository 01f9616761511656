"use strict";
// The Node.js runtime inside an execution environment. It starts without a function: it opens its listening sockets in its
// own network and hands them out, says that it is ready, and waits to be told which function to become.
const { accessSync, constants, existsSync, writeSync } = require("node:fs");
const net = require("node:net");
const { pathToFileURL } = require("node:url");
const { loadHandler, isDeprecatedCallback } = require("./handler.cjs");
const { errorDocument, failure } = require("./errors.cjs");
const { patchConsole, logLine } = require("./console.cjs");
const { createContext } = require("./context.cjs");

const kind = {
  begin: 1,
  invoke: 2,
  taken: 4,
  ready: 0x81,
  initialized: 0x82,
  initError: 0x83,
  response: 0x84,
  error: 0x85,
  fatal: 0x86,
  streamStart: 0x87,
  streamChunk: 0x88,
  streamEnd: 0x89,
  compiled: 0x8b,
};
const channelFd = 3;

const empty = Buffer.alloc(0);

/** @type {net.Socket} */
let channel;
let preloads = false;
let configuration;
let handler;
let handlerStreams = false;
let current;
// Kept after the invocation: AWS writes it on the lines of whatever still runs then.
let requestId;
// Of a function that takes several at once: who hands them out.
let concurrent;
// The platform may send an invocation while another runs: they are run one after the other.
const following = [];

handOverListeners(() => {
  // What is printed has left when the answer leaves.
  for (const stream of [process.stdout, process.stderr]) stream._handle?.setBlocking?.(true);
  channel = new net.Socket({ fd: channelFd, readable: true, writable: true });
  channel.on("data", createFrameReader(onFrame));
  // The platform is gone: so is the reason to be here.
  channel.on("close", () => process.exit(0));
  channel.on("error", () => process.exit(0));
  send(kind.ready, empty, () => setImmediate(warmUp));
});

/** While there is time: what the first function of a process would wait for. Nothing of it can be told afterwards. */
function warmUp() {
  if (configuration !== undefined) return;
  if (preloads) preload(["client-sts", "client-dynamodb", "client-s3"]);
  createContext({}, {});
  errorDocument(new Error("warm"));
  require("./compile-cache.cjs");
  void loadHandler(__dirname, "context.createContext").then(() => {
    if (configuration === undefined) void loadHandler(__dirname, "warm.handler").catch(() => {});
  });
}

/** One after the other, so that a function that comes in between does not wait for all; imported, they are there for `require` too. */
function preload([name, ...rest]) {
  if (name === undefined || configuration !== undefined) return;
  const next = () => setImmediate(preload, rest);
  try {
    // The function that needs one is told why it cannot be loaded.
    import(pathToFileURL(require.resolve(`./node_modules/@aws-sdk/${name}`)).href).then(next, next);
  } catch {
    next();
  }
}

function handOverListeners(done) {
  const ports = (process.env.CUMULET_LISTEN ?? "").split(",").filter((entry) => entry !== "");
  delete process.env.CUMULET_LISTEN;
  preloads = process.env.CUMULET_PRELOAD === "sdk";
  delete process.env.CUMULET_PRELOAD;
  delete process.env.NODE_CHANNEL_FD;
  delete process.env.NODE_CHANNEL_SERIALIZATION_MODE;
  if (ports.length === 0 || process.send === undefined) return done();
  let left = ports.length;
  for (const entry of ports) {
    const [name, port] = entry.split("=");
    const server = net.createServer();
    server.listen({ host: "127.0.0.1", port: Number(port), backlog: 511 }, () => {
      process.send({ listener: name }, server, {}, () => {
        server.close();
        left -= 1;
        if (left > 0) return;
        process.once("disconnect", done);
        if (!process.connected) done();
      });
    });
  }
}

function createFrameReader(sink) {
  let pending = empty;
  return (chunk) => {
    let data = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (data.length >= 5) {
      const bytes = data.readUInt32BE(0);
      if (data.length < 5 + bytes) break;
      sink(data[4], data.subarray(5, 5 + bytes));
      data = data.subarray(5 + bytes);
    }
    pending = data;
  };
}

function send(frameKind, body, then) {
  const head = Buffer.allocUnsafe(5);
  head.writeUInt32BE(body.length, 0);
  head[4] = frameKind;
  if (body.length === 0) return channel.write(head, then);
  if (body.length < 65_536) return channel.write(Buffer.concat([head, body]), then);
  channel.cork();
  channel.write(head);
  channel.write(body, then);
  channel.uncork();
}

function onFrame(frameKind, body) {
  if (frameKind === kind.invoke) {
    if (concurrent !== undefined) concurrent.invoke(body);
    else if (current === undefined) invoke(body);
    else following.push(body);
    return;
  }
  if (frameKind === kind.taken) concurrent?.taken(body);
  if (frameKind === kind.begin) begin(JSON.parse(body.toString("utf8")));
}

function begin(begun) {
  configuration = begun;
  if (begun.exec !== undefined) return become(begun.exec, begun.environment);
  Object.assign(process.env, begun.environment);
  if (process.env.NODE_PATH !== undefined) require("node:module").Module._initPaths();
  process.chdir(begun.taskRoot);
  process.argv.length = 2;
  if (begun.concurrency !== undefined) {
    concurrent = require("./concurrent.cjs").startConcurrent(begun, send);
    return;
  }
  if (begun.compileCache !== undefined) require("./compile-cache.cjs").useCompileCache(begun.compileCache);
  patchConsole(
    begun.logFormat,
    () => requestId ?? (begun.runtime === "nodejs24.x" ? "-" : undefined),
    () => current?.tenantId,
  );
  guardProcess();
  offerStreaming();
  loadHandler(begun.taskRoot, begun.handler)
    .then((loaded) => {
      handlerStreams = streams(loaded);
      if (begun.runtime === "nodejs24.x" && isDeprecatedCallback(loaded) && !handlerStreams) {
        throw failure(
          "Runtime.CallbackHandlerDeprecated",
          "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
        );
      }
      handler = loaded;
      if (begun.compileCache === true) handOverCompiled();
      send(kind.initialized, empty);
    })
    .catch((error) => {
      logLine("ERROR", begun.runtime === "nodejs24.x" ? "Init Error " : "Uncaught Exception ", error);
      send(kind.initError, errorDocument(error), () => process.exit(1));
    });
}

/** `u32` length of the file's name, the name, the file. */
function handOverCompiled() {
  require("./compile-cache.cjs").handOverCompiled((name, content) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(Buffer.byteLength(name));
    send(kind.compiled, Buffer.concat([head, Buffer.from(name), content]));
  });
}

const streamingHandler = Symbol.for("aws.lambda.runtime.handler.streaming");

function streams(loaded) {
  const marked = loaded[streamingHandler];
  if (!marked) return false;
  if (marked === "response") return true;
  throw failure("Runtime.MalformedStreamingHandler", "Only response streaming is supported.");
}

/** The global `awslambda`, loaded by those who use it. */
function offerStreaming() {
  if (["1", "true"].includes(process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) return;
  Object.defineProperty(globalThis, "awslambda", {
    configurable: true,
    get: () => setAwsLambda(require("./stream.cjs").awslambda),
    set: setAwsLambda,
  });
}

function setAwsLambda(value) {
  Object.defineProperty(globalThis, "awslambda", { configurable: true, writable: true, enumerable: true, value });
  return value;
}

/** A custom runtime takes this process over; from here on it speaks to the Runtime API alone. */
function become(exec, environment) {
  const found = exec.candidates.find((file) => existsSync(file));
  if (found === undefined) invalidEntrypoint(`Couldn't find valid bootstrap(s): [${exec.candidates.join(" ")}]`);
  try {
    accessSync(found, constants.X_OK);
  } catch {
    invalidEntrypoint(`fork/exec ${found}: permission denied`);
  }
  process.chdir(configuration.taskRoot);
  process.execve(found, [found], environment);
}

/** The Runtime API is the way to say it: the platform listens there for a custom runtime. */
function invalidEntrypoint(message) {
  writeSync(2, `${message}\n`);
  process.exit(127);
}

function guardProcess() {
  // AWS: from Node.js 24 on, these end the process as Node.js ends any, and so does a promise nothing can settle any more.
  if (configuration.runtime === "nodejs24.x") return;
  process.on("uncaughtException", (error) => {
    logLine("ERROR", "Uncaught Exception ", error);
    fail(error, 129);
  });
  process.on("unhandledRejection", (reason, promise) => {
    const error = failure("Runtime.UnhandledPromiseRejection", String(reason));
    error.reason = reason;
    error.promise = promise;
    logLine("ERROR", "Unhandled Promise Rejection ", error);
    fail(error, 128);
  });
  // Nothing is left to wait for: answer with what the callback gave, or with null, as AWS does.
  process.on("beforeExit", () => {
    if (current === undefined) return;
    current.settle(current.result);
  });
}

function fail(error, exitCode) {
  const document = errorDocument(error);
  if (current === undefined) return send(kind.initError, document, () => process.exit(exitCode));
  current = undefined;
  send(kind.fatal, document, () => process.exit(exitCode));
}

function invoke(body) {
  const headerBytes = body.readUInt32BE(0);
  const header = JSON.parse(body.toString("utf8", 4, 4 + headerBytes));
  if (header.traceId !== undefined) process.env._X_AMZN_TRACE_ID = header.traceId;
  else delete process.env._X_AMZN_TRACE_ID;
  // Only what the function does keeps the event loop alive now.
  channel.unref();
  const run = { requestId: header.requestId, tenantId: header.tenantId, result: undefined, settle: undefined };
  current = run;
  requestId = header.requestId;

  const finish = (frameKind, document) => {
    if (current !== run) return;
    current = undefined;
    channel.ref();
    send(frameKind, document);
    const next = following.shift();
    if (next !== undefined) invoke(next);
  };
  const succeed = (value) => {
    if (current !== run) return;
    let text;
    try {
      text = value === undefined ? "null" : JSON.stringify(value);
    } catch {
      const name = configuration.runtime === "nodejs24.x" ? "Runtime.JSONStringifyError" : "Error";
      return reject(failure(name, "Unable to stringify response body"));
    }
    finish(kind.response, Buffer.from(text ?? "null"));
  };
  const reject = (error) => {
    if (current !== run) return;
    logLine("ERROR", "Invoke Error ", error);
    finish(kind.error, errorDocument(error));
  };
  run.settle = succeed;

  const context = createContext(configuration, header);
  const callback = (error, value) => {
    if (current !== run) return;
    // AWS: an error is answered at once, a result when the event loop is empty.
    if (error !== undefined && error !== null) return reject(error);
    run.result = value;
    if (!context.callbackWaitsForEmptyEventLoop) setImmediate(succeed, value);
  };
  if (configuration.runtime !== "nodejs24.x") addLegacyMethods(context, callback);

  let event;
  try {
    event = JSON.parse(body.toString("utf8", 4 + headerBytes));
  } catch (error) {
    return reject(error);
  }
  if (typeof event?.ResponseURL === "string") require("./custom-resource.cjs").answerable(event);
  if (handlerStreams) {
    const { runStreaming } = require("./stream.cjs");
    runStreaming(handler, event, context, {
      begin: (contentType) => current === run && send(kind.streamStart, Buffer.from(contentType)),
      write: (bytes, done) => current === run && send(kind.streamChunk, bytes, done),
      end: () => {
        run.responded = current === run;
        if (run.responded) send(kind.streamEnd, empty);
      },
      ready: () => finish(kind.initialized, empty),
      reject: (error) => {
        if (!run.responded) return reject(error);
        // Its answer is complete, so that nobody can be told any more but the log.
        logLine("ERROR", "Invoke Error ", error);
        finish(kind.initialized, empty);
      },
    });
    // AWS: the stream keeps the event loop alive; whoever does not end it runs into the timeout.
    channel.ref();
    return;
  }
  try {
    if (configuration.runtime === "nodejs24.x") {
      const answer = handler(event, context);
      // AWS: with callbacks gone, what a plain function returns is its answer.
      if (isPromise(answer)) answer.then(succeed, reject);
      else succeed(answer);
      return;
    }
    const answer = handler(event, context, callback);
    if (isPromise(answer)) answer.then(succeed, (error) => reject(error ?? "handled"));
  } catch (error) {
    reject(error);
  }
}

function addLegacyMethods(context, callback) {
  context.succeed = (value) => {
    context.callbackWaitsForEmptyEventLoop = false;
    callback(null, value);
  };
  context.fail = (error) => {
    context.callbackWaitsForEmptyEventLoop = false;
    callback(error ?? "handled");
  };
  context.done = (error, value) => {
    context.callbackWaitsForEmptyEventLoop = false;
    callback(error, value);
  };
}

function isPromise(value) {
  return typeof value?.then === "function";
}
