import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Hosts of a test's own: network namespaces on one bridge, reached by nobody but this process and each other. */
export interface TestNetwork {
  /** The namespace that holds the bridge: where what all hosts use runs. */
  readonly hub: Host;
  addHost(): Promise<Host>;
  remove(): Promise<void>;
}

export interface Host {
  readonly address: string;
  /** The file of its network namespace. */
  readonly namespace: string;
  /** What goes before a command for it to run there. */
  readonly enter: readonly string[];
  /** Lets nothing through between it and another address, as a switch that has failed. */
  cutOff(from: string): Promise<void>;
  reconnect(): Promise<void>;
}

/** Why networks cannot be made here; undefined where they can. */
export function noNetworks(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "only root makes network namespaces";
  for (const tool of ["ip", "nsenter", "nft"]) {
    try {
      execFileSync("sh", ["-c", `command -v ${tool} || test -x /usr/sbin/${tool}`], { stdio: "ignore" });
    } catch {
      return `${tool} is missing (apt-get install iproute2 util-linux nftables)`;
    }
  }
  const name = `cumulet-try-${process.pid}`;
  try {
    execFileSync("ip", ["netns", "add", name], { stdio: "ignore" });
    execFileSync("ip", ["netns", "delete", name], { stdio: "ignore" });
    return existsSync("/proc/self/ns/net") ? undefined : "there are no network namespaces here";
  } catch {
    return "network namespaces cannot be made here";
  }
}

export async function createNetwork(): Promise<TestNetwork> {
  // Two test files may run at once: each has names and addresses of its own.
  const id = process.pid % 65_536;
  const prefix = `10.${77 + (id >> 8 > 127 ? 1 : 0)}.${id % 256}`;
  const names: string[] = [];

  async function addNamespace(suffix: string): Promise<string> {
    const name = `cu${id}${suffix}`;
    await run("ip", ["netns", "add", name]);
    names.push(name);
    await run("ip", ["-n", name, "link", "set", "lo", "up"]);
    return name;
  }

  /** A cable from a host's namespace (or, without one, from this process) to the bridge. */
  async function plug(name: string | undefined, suffix: string, address: string): Promise<void> {
    const outer = `cu${id}${suffix}b`;
    const inner = `cu${id}${suffix}`;
    const there = name === undefined ? [] : ["netns", name];
    const at = name === undefined ? [] : ["-n", name];
    await run("ip", ["link", "add", outer, "type", "veth", "peer", "name", inner]);
    if (there.length > 0) await run("ip", ["link", "set", inner, ...there]);
    await run("ip", ["link", "set", outer, "netns", hubName]);
    await run("ip", ["-n", hubName, "link", "set", outer, "master", "bridge", "up"]);
    await run("ip", [...at, "address", "add", `${address}/24`, "dev", inner]);
    await run("ip", [...at, "link", "set", inner, "up"]);
    if (name !== undefined) await run("ip", [...at, "route", "add", "default", "via", `${prefix}.1`]);
  }

  const toHost = (name: string, address: string): Host => {
    const namespace = `/run/netns/${name}`;
    const nft = (text: string) => run("nsenter", [`--net=${namespace}`, "nft", text]);
    return {
      address,
      namespace,
      enter: ["nsenter", `--net=${namespace}`, "--"],
      cutOff: async (from) => {
        await nft(
          `add table ip cut; add chain ip cut in { type filter hook input priority -10; }; add chain ip cut out { type filter hook output priority -10; }; add rule ip cut in ip saddr ${from} drop; add rule ip cut out ip daddr ${from} drop`,
        );
      },
      reconnect: async () => {
        await nft("delete table ip cut");
      },
    };
  };

  const hubName = await addNamespace("h");
  await run("ip", ["-n", hubName, "link", "add", "bridge", "type", "bridge"]);
  await run("ip", ["-n", hubName, "address", "add", `${prefix}.1/24`, "dev", "bridge"]);
  await run("ip", ["-n", hubName, "link", "set", "bridge", "up"]);
  await plug(undefined, "r", `${prefix}.254`);
  let hosts = 0;
  return {
    hub: toHost(hubName, `${prefix}.1`),
    addHost: async () => {
      hosts += 1;
      const name = await addNamespace(`n${hosts}`);
      const address = `${prefix}.${10 + hosts}`;
      await plug(name, `n${hosts}`, address);
      return toHost(name, address);
    },
    remove: async () => {
      await run("ip", ["link", "delete", `cu${id}r`]).catch(() => {});
      for (const name of names) await run("ip", ["netns", "delete", name]).catch(() => {});
    },
  };
}
