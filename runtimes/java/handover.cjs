"use strict";
// What handover.pl does, for hosts without perl: slower by the start of Node.js.
const net = require("node:net");

const entries = (process.env.CUMULET_LISTEN ?? "").split(",").filter((entry) => entry !== "");
for (const name of ["CUMULET_LISTEN", "NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"]) delete process.env[name];
const program = process.argv.slice(2);
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
  process.execve(program[0], program, { ...process.env, LC_ALL: "C.UTF-8" });
}
