import { detectCgroups } from "./cgroups.ts";
import type { Cgroups } from "./cgroups.ts";
import { createNamespacesDriver } from "./namespaces.ts";
import { openOutside } from "./outside.ts";
import type { Outside } from "./outside.ts";
import { createProcessDriver } from "./process.ts";
import type { Sandbox, SandboxDriver, SandboxShape } from "./sandbox.ts";
import { createStage } from "./stage.ts";
import type { ComputeCapabilities } from "../compute.ts";
import type { ComputeLimits } from "../limits.ts";

export interface DetectNeeds {
  /** Tells this compute layer from others on the host: eight hexadecimal digits. */
  readonly instance: string;
  /** The process that supervises this one and its siblings, where there is one. */
  readonly supervisor: number | undefined;
  readonly wanted: "auto" | "process" | "namespaces";
  readonly limits: ComputeLimits;
  readonly runtimesDir: string;
  readonly sdkDir: string | undefined;
  readonly dataDir: string;
  readonly endpointPort: () => number;
  /** What the trial starts. */
  readonly shape: SandboxShape;
}

export interface Host extends Pick<ComputeCapabilities, "driver" | "network" | "cgroups"> {
  readonly sandboxes: SandboxDriver;
  /** The sandbox of the trial: good for the first function. */
  readonly trial: Sandbox | undefined;
}

/** The best driver that works here, found out by starting a sandbox with it. */
export async function detectHost(needs: DetectNeeds): Promise<Host> {
  if (needs.wanted === "process") return plain(needs, "Plain processes were asked for.");
  if (process.platform !== "linux") {
    const why = `Namespaces are Linux's; this is ${process.platform}.`;
    if (needs.wanted === "namespaces") throw new Error(why);
    return plain(needs, why);
  }
  const asRoot = process.getuid?.() === 0;
  const cgroups = detectCgroups(process.pid, needs.instance, needs.supervisor);
  let driver: SandboxDriver | undefined;
  try {
    const stage = await createStage(asRoot, cgroups.afterwards);
    const outside = openOutside(stage, asRoot);
    driver = await createNamespacesDriver({
      stage,
      outside,
      cgroups,
      limits: needs.limits,
      runtimesDir: needs.runtimesDir,
      sdkDir: needs.sdkDir,
      dataDir: needs.dataDir,
      firstUid: asRoot ? firstUidOf(needs.instance) : undefined,
    });
    const trial = await driver.start(needs.shape, needs.endpointPort());
    return isolated(driver, cgroups, trial, asRoot, await outside);
  } catch (error) {
    await driver?.stop();
    const reason = error instanceof Error ? error.message : String(error);
    const why = `Sandboxes of namespaces do not work here (${reason}). Install bubblewrap, and allow user namespaces.`;
    if (needs.wanted === "namespaces") throw new Error(why, { cause: error });
    return plain(needs, why);
  }
}

function isolated(
  sandboxes: SandboxDriver,
  cgroups: Cgroups,
  trial: Sandbox,
  asRoot: boolean,
  outside: Outside | string,
): Host {
  return {
    sandboxes,
    trial,
    driver: {
      name: "namespaces",
      isolates: true,
      why: `Every environment has namespaces and a system call filter of its own${asRoot ? ", and a user of its own on this host" : ""}.`,
    },
    network:
      typeof outside === "string"
        ? {
            name: "endpoint only",
            why: `Environments reach the platform's endpoint and nothing else, not the outside either: ${outside}.`,
          }
        : {
            name: "pasta",
            why: "Environments reach the platform's endpoint and the outside, but not this host and not each other.",
          },
    cgroups: { name: cgroups.name, why: cgroups.why },
  };
}

function plain(needs: DetectNeeds, why: string): Host {
  return {
    sandboxes: createProcessDriver({ runtimesDir: needs.runtimesDir }),
    trial: undefined,
    driver: { name: "process", isolates: false, why },
    network: { name: "host", why: "Plain processes share the host's network." },
    cgroups: { name: "none", why: "Plain processes are not limited." },
  };
}

/** Users that nothing else on a host has: above those that systemd gives to services and containers. Platforms side by side get ranges apart. */
function firstUidOf(instance: string): number {
  return 1_900_000_000 + (Number.parseInt(instance, 16) % 20_000) * 10_000;
}
