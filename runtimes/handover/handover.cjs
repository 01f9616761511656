"use strict";
// What handover.pl does, for hosts without perl: slower by the start of Node.js.
const { readSync } = require("node:fs");
const net = require("node:net");

const channelFd = 3;
const entries = (process.env.CUMULET_LISTEN ?? "").split(",").filter((entry) => entry !== "");
for (const name of ["CUMULET_LISTEN", "NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"]) delete process.env[name];
let left = entries.length;
for (const entry of entries) {
  const [name, port] = entry.split("=");
  const server = net.createServer();
  server.listen({ host: "127.0.0.1", port: Number(port), backlog: 511 }, () => {
    process.send({ listener: name }, server, {}, () => {
      server.close();
      left -= 1;
      if (left > 0) return;
      process.once("disconnect", become);
      if (!process.connected) become();
    });
  });
}

function become() {
  const fields = receive(receive(4).readUInt32BE(0)).toString("utf8").split("\0").slice(0, -1);
  const count = Number(fields[0]);
  const program = fields.slice(1, 1 + count);
  const variables = fields.slice(1 + count).map((field) => {
    const at = field.indexOf("=");
    return [field.slice(0, at), field.slice(at + 1)];
  });
  process.execve(program[0], program, { ...process.env, ...Object.fromEntries(variables) });
}

function receive(bytes) {
  const held = Buffer.alloc(bytes);
  for (let at = 0; at < bytes;) {
    const read = readOnce(held, at);
    // Without the platform there is no reason to be here.
    if (read === 0) process.exit(0);
    at += read;
  }
  return held;
}

/** The channel may be in a mode in which reading does not wait. */
function readOnce(held, at) {
  for (;;) {
    try {
      return readSync(channelFd, held, at, held.length - at, null);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}
