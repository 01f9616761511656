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
  const prefix = "CUMULET_SET_";
  const isSet = ([name]) => name.startsWith(prefix);
  const all = Object.entries(process.env);
  const set = all.filter(isSet).map(([name, value]) => [name.slice(prefix.length), value]);
  process.execve(program[0], program, Object.fromEntries([...all.filter((entry) => !isSet(entry)), ...set]));
}
