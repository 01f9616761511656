import { startFastify, startFun, startServerlessOffline } from "./peers.ts";
import type { Started } from "./process.ts";
import { requestRows } from "./rows.ts";
import { startCumulet } from "./server.ts";
import type { Row } from "./table.ts";
import { measureRequests, type Throughput } from "./throughput.ts";

export interface RequestsMeasured {
  readonly many: Readonly<Record<string, Throughput>>;
  readonly alone: Readonly<Record<string, Throughput>>;
  readonly residentMb: Readonly<Record<string, number>>;
}

/** Warm requests of Cumulet beside its peers. A peer that does not start, or fails under load, is left out and named. */
export async function compareRequests(dataDir: string): Promise<RequestsMeasured> {
  const cumulet = await startCumulet(dataDir, "bench/app");
  const started: (Started & { readonly name: string; readonly url: string })[] = [
    { ...cumulet, name: "cumulet", url: cumulet.url("bench-hello") },
  ];
  try {
    const peers = { fastify: startFastify, "serverless-offline": startServerlessOffline, "@vercel/fun": startFun };
    for (const [name, start] of Object.entries(peers)) {
      try {
        started.push({ ...(await start()), name });
      } catch (error) {
        console.error(
          `${name} did not start and is left out: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
    // It gives up requests when many come at once: its processes are started one by one.
    const targets = started.filter(({ name }) => name !== "@vercel/fun");
    const many = await measureRequests(targets, { inFlight: 32, rounds: 5, roundSeconds: 3 });
    const alone = await measureRequests(started, { inFlight: 1, rounds: 3, roundSeconds: 2 });
    const residentMb = targets.map(({ name, ...target }) => [name, target.residentMb()] as const);
    return {
      many: Object.fromEntries(many),
      alone: Object.fromEntries(alone),
      residentMb: Object.fromEntries(residentMb),
    };
  } finally {
    await Promise.all(started.map((target) => target.stop()));
  }
}

export function requestsRows({ many, alone, residentMb }: RequestsMeasured): Row[] {
  return [
    ...requestRows(many, "32 in flight"),
    ...requestRows(alone, "1 in flight"),
    ...Object.entries(residentMb).map(([name, value]) => ({
      what: `resident memory after that, ${name}`,
      value,
      unit: "MB",
    })),
  ];
}
