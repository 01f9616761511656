import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHarness } from "./harness.ts";
import type { Harness } from "./harness.ts";

const bubblewrap = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"].some((path) => existsSync(path));

/** Runs what the event asks for and tells what came of it. */
const intruder = `
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
const attempt = (action) => { try { return { done: action() }; } catch (error) { return { refused: error.code ?? error.message }; } };
const reach = (port, host) => new Promise((resolve) => {
  const socket = connect({ port, host, timeout: 500 }, () => { socket.destroy(); resolve({ done: "connected" }); });
  socket.on("error", (error) => resolve({ refused: error.code }));
  socket.on("timeout", () => { socket.destroy(); resolve({ refused: "timeout" }); });
});
const everywhere = (folder, deep) => {
  let found = [];
  for (const entry of (attempt(() => readdirSync(folder, { withFileTypes: true })).done ?? [])) {
    const path = folder + "/" + entry.name;
    found.push(path);
    if (entry.isDirectory() && deep > 0) found = found.concat(everywhere(path, deep - 1));
  }
  return found;
};
export const handler = async (event) => {
  switch (event.what) {
    case "read": return attempt(() => readFileSync(event.path, "utf8"));
    case "list": return attempt(() => readdirSync(event.path));
    case "write": return attempt(() => writeFileSync(event.path, "x"));
    case "run": return attempt(() => execFileSync(event.command[0], event.command.slice(1), { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }));
    case "reach": return reach(event.port, event.host);
    case "kill": return attempt(() => process.kill(event.pid, 0));
    case "processes": return readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).map((pid) => attempt(() => readFileSync("/proc/" + pid + "/cmdline", "utf8").replaceAll("\\0", " ")).done);
    case "environments": return readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).map((pid) => attempt(() => readFileSync("/proc/" + pid + "/environ", "utf8")).done ?? "");
    case "search": return everywhere("/", 3).filter((path) => !path.startsWith("/proc/") && !path.startsWith("/usr/") && path.includes(event.name));
    case "status": return readFileSync("/proc/self/status", "utf8");
    case "fill": for (let mb = 0; ; mb += 1) { const tried = attempt(() => writeFileSync("/tmp/fill", Buffer.alloc(1_048_576), { flag: "a" })); if (tried.refused) return { mb, ...tried }; }
    case "hold": { const held = []; for (;;) held.push(Buffer.alloc(8_388_608, 1)); }
    case "fork": return attempt(() => execFileSync("/bin/sh", ["-c", "i=0; while [ $i -lt 3000 ]; do sleep 5 & i=$((i+1)); done; echo $i"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  }
};`;

describe.skipIf(!bubblewrap)("a function in a sandbox of namespaces (skipped where bubblewrap is missing)", () => {
  let harness: Harness;
  let other: Awaited<ReturnType<Harness["define"]>>;
  let spec: Awaited<ReturnType<Harness["define"]>>;
  const attempt = (event: unknown) => harness.answer(spec, event);

  beforeAll(async () => {
    harness = await startHarness("namespaces");
    await writeFile(join(harness.dataDir, "credentials"), "root key");
    other = await harness.define(
      { "index.mjs": `export const handler = async () => "here"; // other function's secret code` },
      { environment: { OTHER: "other function's secret" }, functionName: "other" },
    );
    spec = await harness.define(
      { "index.mjs": intruder },
      { memoryMb: 192, timeoutMs: 15_000, ephemeralStorageMb: 64 },
    );
    expect(await harness.answer(other, {})).toBe("here");
  });
  afterAll(() => harness.stop());

  it("cannot read the server's data folder, its credentials or another function's code", async () => {
    for (const path of [harness.dataDir, other.codeDir]) {
      expect(await attempt({ what: "list", path })).toEqual({ refused: "ENOENT" });
    }
    expect(await attempt({ what: "read", path: join(harness.dataDir, "credentials") })).toEqual({ refused: "ENOENT" });
    expect(await attempt({ what: "read", path: join(other.codeDir, "index.mjs") })).toEqual({ refused: "ENOENT" });
    expect(await attempt({ what: "list", path: "/tmp" })).toEqual({ done: [] });
  });

  it("does not find the host's homes, secrets and sockets", async () => {
    for (const path of ["/root", "/home", "/run", "/sys", "/srv", "/var/lib", "/etc/shadow", "/mnt", "/work"]) {
      expect([path, await attempt({ what: "list", path })]).toEqual([path, { refused: "ENOENT" }]);
    }
    expect(await attempt({ what: "search", name: "cumulet-" })).toEqual([]);
    expect(await attempt({ what: "search", name: "docker.sock" })).toEqual([]);
  });

  it("sees its own processes alone, and nothing of another function's environment", async () => {
    const processes = (await attempt({ what: "processes" })) as string[];
    expect(processes.length).toBeLessThanOrEqual(3);
    expect(processes.filter((line) => !/bwrap|bootstrap\.cjs/u.test(line))).toEqual([]);
    expect(JSON.stringify(await attempt({ what: "environments" }))).not.toContain("other function's secret");
    expect(await attempt({ what: "kill", pid: process.pid })).toEqual({ refused: "ESRCH" });
  });

  it("cannot change its code or its system", async () => {
    for (const path of ["/var/task/index.mjs", "/opt/x", "/var/runtime/x", "/usr/x", "/etc/passwd", "/x"]) {
      expect([path, await attempt({ what: "write", path })]).toEqual([path, { refused: "EROFS" }]);
    }
  });

  it("has no capabilities, no way to get any, and a system call filter", async () => {
    const status = (await attempt({ what: "status" })) as string;
    expect(status).toMatch(/^Uid:\t993\t993/mu);
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
      expect(status).toMatch(new RegExp(`^${set}:\t0000000000000000$`, "mu"));
    }
    expect(status).toMatch(/^NoNewPrivs:\t1$/mu);
    expect(status).toMatch(/^Seccomp:\t2$/mu);
    for (const command of [
      ["unshare", "--user", "true"],
      ["unshare", "--mount", "true"],
      ["mount", "-t", "tmpfs", "x", "/tmp"],
      ["nsenter", "--net=/proc/1/ns/net", "true"],
    ]) {
      expect([command[0], await attempt({ what: "run", command })]).toEqual([
        command[0],
        { refused: expect.anything() },
      ]);
    }
  });

  it("reaches the platform's endpoint, but nothing else that listens on the host", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      expect(await attempt({ what: "reach", host: "127.0.0.1", port: harness.port })).toEqual({ done: "connected" });
      const hosts = Object.values(networkInterfaces()).flatMap((list) =>
        (list ?? []).filter(({ family }) => family === "IPv4"),
      );
      for (const { address } of hosts) {
        expect(await attempt({ what: "reach", host: address, port })).toEqual({ refused: expect.anything() });
      }
    } finally {
      server.close();
    }
  });

  it("has a /tmp of the configured size", async () => {
    const small = await harness.define(
      { "index.mjs": intruder },
      { ephemeralStorageMb: 16, memoryMb: 512, timeoutMs: 15_000 },
    );
    const filled = (await harness.answer(small, { what: "fill" })) as { mb: number; refused: string };
    expect(filled.refused).toBe("ENOSPC");
    expect(filled.mb).toBe(16);
  });

  it("is ended when it uses more memory than it has, with Runtime.OutOfMemory, and the next invocation works", async ({
    skip,
  }) => {
    const { cgroups } = await harness.compute.capabilities();
    if (cgroups.name === "none") skip(`this host lets us make no cgroups: ${cgroups.why}`);
    expect(await attempt({ what: "hold" })).toMatchObject({
      errorType: "Runtime.OutOfMemory",
      errorMessage: expect.stringMatching(/Error: Runtime exited with error: signal: killed$/u),
    });
    expect(harness.log(spec).join("")).toMatch(
      /Max Memory Used: 192 MB\t.*Status: error\tError Type: Runtime\.OutOfMemory\n/u,
    );
    expect(await attempt({ what: "list", path: "/tmp" })).toEqual({ done: [] });
  });

  it("cannot start more processes than an environment may have", async ({ skip }) => {
    const limited = await startHarness("namespaces", { processesMax: 64 });
    try {
      const { cgroups } = await limited.compute.capabilities();
      if (cgroups.name === "none") skip(`this host lets us make no cgroups: ${cgroups.why}`);
      const forking = await limited.define({ "index.mjs": intruder }, { timeoutMs: 1_500 });
      expect(JSON.stringify(await limited.answer(forking, { what: "fork" }))).not.toContain('"done"');
    } finally {
      await limited.stop();
    }
  });
});
