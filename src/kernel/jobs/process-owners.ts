import type { Ids } from "../ids.ts";
import { hasEnded, thisProcess } from "../process-identity.ts";
import type { JobOwners } from "./lease-watch.ts";

/**
 * Owners by name of their process: the system tells which of those on this machine still run, so that what a killed
 * process had leased runs again at once. Where it cannot tell (another machine or container, a system without `/proc`,
 * this machine before it was started again), the lease's time decides.
 */
export function createProcessOwners(ids: Ids): JobOwners {
  const self = thisProcess().process;
  const machine = self?.machine ?? "";
  return {
    // Two platforms may be in one process.
    id: [machine, self?.identity ?? "", ids.random(8, "abcdefghijklmnopqrstuvwxyz")].join("|"),
    hasEnded: (id) => {
      const [theirMachine, identity, tail] = id.split("|");
      if (machine === "" || theirMachine !== machine || !identity || tail === undefined) return false;
      return hasEnded(identity);
    },
  };
}
