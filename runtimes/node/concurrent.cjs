"use strict";
// Several invocations at once: worker threads that each load the function, behind the one channel to the platform. This is the
// main thread, which runs nothing of the function: it hands out invocations, and hands on answers and lines of the log.
const { Worker } = require("node:worker_threads");
const { join } = require("node:path");
const { writeMessage } = require("./console.cjs");

const kind = { initError: 0x83, slots: 0x90, lost: 0x96 };
const answers = { response: 0x91, error: 0x92, streamStart: 0x93, streamChunk: 0x94, streamEnd: 0x95 };

/** AWS's client for Node.js (4.0): eight workers for each processor, unless the function says otherwise. */
const workersPerCpu = 8;

/**
 * @param configuration what `begin` said
 * @param send writes a frame
 */
function startConcurrent(configuration, send) {
  const { slots, vcpus } = configuration.concurrency;
  const workers = new Set();
  const owners = new Map();
  let ready = false;
  let failed = false;

  const tellSlots = () => {
    const body = Buffer.allocUnsafe(4);
    const readyOnes = [...workers].filter((worker) => worker.isReady).length;
    body.writeUInt32BE(readyOnes === 0 ? 0 : slots);
    send(kind.slots, body);
  };

  const onMessage = (worker, message) => {
    switch (message.type) {
      case "log":
        return writeMessage(message.text);
      case "ready":
        worker.isReady = true;
        ready = true;
        return tellSlots();
      case "initError":
        // The first that cannot start speaks for all: they load the same function.
        if (ready || failed) return undefined;
        failed = true;
        return send(kind.initError, Buffer.from(message.document), () => process.exit(1));
      default: {
        if (owners.get(message.id) !== worker) return undefined;
        if (message.last) done(message.id);
        return send(answers[message.type], named(message.id, message.payload));
      }
    }
  };

  const done = (id) => {
    const worker = owners.get(id);
    owners.delete(id);
    if (worker !== undefined) worker.load -= 1;
  };

  const onExit = (worker, code) => {
    workers.delete(worker);
    for (const [id, owner] of owners) {
      if (owner !== worker) continue;
      owners.delete(id);
      send(kind.lost, named(id, undefined));
    }
    // Others go on without it; with nobody left this environment is of no use.
    if (workers.size === 0) process.exit(ready ? (code === 0 ? 1 : code) : 1);
    else tellSlots();
  };

  const count = Math.max(
    1,
    Math.min(slots, Number(process.env.AWS_LAMBDA_NODEJS_WORKER_COUNT) || workersPerCpu * vcpus),
  );
  for (let index = 0; index < count; index += 1) {
    const worker = new Worker(join(__dirname, "worker.cjs"), { workerData: configuration, argv: [] });
    worker.load = 0;
    worker.isReady = false;
    worker.on("message", (message) => onMessage(worker, message));
    // It has been written down where it happened.
    worker.on("error", () => {});
    worker.on("exit", (code) => onExit(worker, code));
    workers.add(worker);
  }

  return {
    invoke(body) {
      const headerBytes = body.readUInt32BE(0);
      const header = JSON.parse(body.toString("utf8", 4, 4 + headerBytes));
      const id = header.requestId;
      let worker;
      for (const each of workers) {
        if (each.isReady && (worker === undefined || each.load < worker.load)) worker = each;
      }
      if (worker === undefined) return send(kind.lost, named(id, undefined));
      worker.load += 1;
      owners.set(id, worker);
      tell(worker, { type: "invoke", header, event: body.toString("utf8", 4 + headerBytes) });
    },
    taken(body) {
      const id = body.toString("latin1");
      tell(owners.get(id), { type: "taken", id });
    },
  };
}

function tell(worker, message) {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has none
  worker?.postMessage(message);
}

/** A body that begins with the request's id. */
function named(id, payload) {
  const head = Buffer.allocUnsafe(1 + id.length);
  head[0] = id.length;
  head.write(id, 1, "latin1");
  return payload === undefined ? head : Buffer.concat([head, payload]);
}

module.exports = { startConcurrent };
