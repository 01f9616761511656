import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Agent } from "node:http";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { expect, test } from "vitest";
import { clientSettings, createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";
import { startTestServer } from "../../src/testing/server.ts";

const bubblewrap = existsSync("/usr/bin/bwrap");

/** Tells what the host knows its environment by; slow enough that several at a time need several. */
const source = `
import { readlinkSync } from "node:fs";
const id = Math.random();
export const handler = async () => {
  await new Promise((resolve) => setTimeout(resolve, 200));
  return { id, network: readlinkSync("/proc/self/ns/net") };
};`;

interface Answer {
  readonly id: number;
  readonly network: string;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly network: string | undefined;
}

function processes(): readonly Process[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const status = readFileSync(`/proc/${name}/status`, "utf8");
      if (/^State:\tZ/m.test(status)) return [];
      const parent = Number(/^PPid:\t(\d+)$/m.exec(status)?.[1]);
      return [{ pid: Number(name), parent, network: readlinkSync(`/proc/${name}/ns/net`) }];
    } catch {
      return [];
    }
  });
}

function descendantsOf(pid: number, all = processes()): readonly Process[] {
  const children = all.filter(({ parent }) => parent === pid);
  return [...children, ...children.flatMap((child) => descendantsOf(child.pid, all))];
}

/** The networks of a worker's sandboxes, which the host does not use itself. */
function networksOf(worker: number): ReadonlySet<string> {
  const host = readlinkSync("/proc/self/ns/net");
  return new Set(descendantsOf(worker).flatMap(({ network }) => (network && network !== host ? [network] : [])));
}

const groupsOf = (worker: number) =>
  execFileSync("find", ["/sys/fs/cgroup", "-name", `cumulet-${worker}-*`], { encoding: "utf8" });

test.skipIf(!bubblewrap)(
  "with a worker that is killed go its sandboxes, networks and control groups, and its sibling's stay (skipped without bubblewrap)",
  async () => {
    const server = await startTestServer(["--workers", "2"]);
    try {
      const settings = { ...clientSettings(server.environment), maxAttempts: 3 };
      const Role = await createFunctionRole(settings, "runs");
      await createNodeFunction(settings, { FunctionName: "where", Role, source });
      const client = new LambdaClient({ ...settings, requestHandler: { httpAgent: new Agent({ keepAlive: false }) } });
      const invoke = async (): Promise<Answer> => {
        const { Payload } = await client.send(new InvokeCommand({ FunctionName: "where" }));
        return JSON.parse(Buffer.from(Payload ?? []).toString("utf8")) as Answer;
      };
      /** An environment of each worker. */
      const findBoth = async () => {
        const answers = await Promise.all([invoke(), invoke(), invoke(), invoke()]);
        const workers = processes().filter(({ parent }) => parent === server.pid);
        return workers.flatMap(({ pid }) => {
          const networks = networksOf(pid);
          const environment = answers.find(({ network }) => networks.has(network));
          return environment ? [{ pid, environment }] : [];
        });
      };
      await expect.poll(async () => (await findBoth()).length, { timeout: 20_000 }).toBe(2);
      const [victim, sibling] = await findBoth();
      if (!victim || !sibling) throw new Error("Both workers have an environment");
      const [lost, kept] = [networksOf(victim.pid), networksOf(sibling.pid)];
      expect([...lost].filter((network) => kept.has(network))).toEqual([]);
      const doomed = new Set(descendantsOf(victim.pid).map(({ pid }) => pid));
      const hadGroups = groupsOf(sibling.pid) !== "";
      expect(groupsOf(victim.pid) !== "").toBe(hadGroups);

      process.kill(victim.pid, "SIGKILL");
      const left = () => processes().filter(({ pid, network }) => doomed.has(pid) || (network && lost.has(network)));
      await expect.poll(left, { timeout: 10_000 }).toEqual([]);
      await expect.poll(() => groupsOf(victim.pid), { timeout: 10_000, interval: 200 }).toBe("");

      expect(networksOf(sibling.pid)).toContain(sibling.environment.network);
      expect(groupsOf(sibling.pid) !== "").toBe(hadGroups);
      const answers = await Promise.all([invoke(), invoke(), invoke()]);
      expect(answers).toContainEqual(sibling.environment);
    } finally {
      await server.stop();
    }
  },
  60_000,
);
