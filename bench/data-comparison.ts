import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startCumulet } from "./server.ts";
import { median, ratio } from "./statistics.ts";
import type { Row } from "./table.ts";
import type { DataPeer } from "./data-peers.ts";
import { load, type Load, type Prepared } from "./signed-load.ts";

/** Rounds by kind of request (with how many are in flight), then by target. */
export type Comparison = Readonly<Record<string, Readonly<Record<string, readonly Load[]>>>>;

interface Started {
  readonly target: DataPeer;
  /** Requests by what they are. */
  readonly kinds: Readonly<Record<string, readonly Prepared[]>>;
}

// All together less than the five minutes that a signature of DynamoDB's is good for.
const rounds = 4;
const roundMs = 800;
/** Of large objects few: they fill memory and disk, and one connection is busy with each. */
const inFlightsOf = (kind: string) => [1, kind.endsWith(" MB") ? 4 : 32];

/** Signatures are checked, commits are synced before they are answered. */
export async function startSelf(folder: string): Promise<DataPeer> {
  const server = await startCumulet(folder);
  return {
    ...server,
    credentials: {
      accessKeyId: server.environment["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: server.environment["AWS_SECRET_ACCESS_KEY"] ?? "",
    },
  };
}

/** All targets run at once and take turns, round by round. One that does not start, as there is no Java, is left out and named. */
export async function compareTargets(
  folder: string,
  starts: Readonly<Record<string, (data: string) => Promise<DataPeer>>>,
  kindsOf: (name: string, target: DataPeer) => Promise<Started["kinds"]>,
): Promise<Comparison> {
  const targets = new Map<string, Started>();
  try {
    for (const [name, start] of Object.entries(starts)) {
      const data = join(folder, name.replaceAll(" ", "-"));
      try {
        await mkdir(data, { recursive: true });
        const target = await start(data);
        try {
          targets.set(name, { target, kinds: await kindsOf(name, target) });
        } catch (error) {
          await target.stop();
          throw error;
        }
      } catch (error) {
        console.error(`${name} is left out:`, error);
      }
    }
    const measured: Record<string, Record<string, Load[]>> = {};
    const kinds = new Set([...targets.values()].flatMap((each) => Object.keys(each.kinds)));
    for (const kind of kinds) {
      for (const inFlight of inFlightsOf(kind)) {
        const byTarget: Record<string, Load[]> = {};
        const failed = new Set<string>();
        // The first round is not counted: what is compiled later is not what is compared.
        for (let round = 0; round <= rounds; round += 1) {
          for (const [name, { target, kinds: requestsOf }] of targets) {
            const requests = requestsOf[kind];
            if (!requests || failed.has(name)) continue;
            try {
              const found = await load(target, requests, { inFlight, ms: roundMs });
              if (round > 0) (byTarget[name] ??= []).push(found);
            } catch (error) {
              if (name === "Cumulet") throw error;
              console.error(`${name} fails at ${kind}, ${inFlight} in flight, and is left out there:`, error);
              failed.add(name);
              delete byTarget[name];
            }
          }
        }
        measured[`${kind}, ${inFlight} in flight`] = byTarget;
      }
    }
    return measured;
  } finally {
    await Promise.all([...targets.values()].map(({ target }) => target.stop()));
  }
}

/** @param aims by target and kind, where more than one is in flight */
export function comparisonRows(
  measured: Comparison,
  aims: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Row[] {
  return Object.entries(measured).flatMap(([kind, byTarget]) => {
    const perSecond = (name: string) => (byTarget[name] ?? []).map((each) => each.perSecond);
    const speeds = Object.entries(byTarget).flatMap(([name, loads]): Row[] => [
      { what: `${kind}, ${name}`, value: Math.round(median(perSecond(name))), unit: "1/s" },
      {
        what: `${kind}, ${name}, processor time of the server`,
        value: Math.round(median(loads.map((each) => each.serverMicros))),
        unit: "µs",
      },
    ]);
    const others = Object.keys(byTarget).filter((name) => name !== "Cumulet");
    const ratios = others.map((name): Row => {
      const [asked = "", inFlight] = kind.split(/, (?=\d+ in flight$)/);
      const aim = inFlight === "1 in flight" ? undefined : aims[name]?.[asked];
      const value = ratio(perSecond("Cumulet"), perSecond(name));
      return { what: `Cumulet / ${name}, ${kind}`, value, unit: "×", aim };
    });
    return speeds.concat(ratios);
  });
}
