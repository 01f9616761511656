/** What a fleet is by, when it is looked at. */
export interface FleetLoad {
  /** Environments that take invocations now. */
  readonly environments: number;
  /** Places in them that are taken, of those there are. */
  readonly occupied: number;
  readonly slots: number;
  /** Processors that they have used since the look before, of those they have. */
  readonly vcpusUsed: number;
  readonly vcpus: number;
  /** Invocations that were refused since the look before. */
  readonly refused: number;
}

/** 0 to 1: of the processors or of the places, whichever is scarcer. */
export function utilizationOf(load: FleetLoad): number {
  if (load.environments === 0) return 0;
  if (load.refused > 0) return 1;
  const places = load.slots === 0 ? 0 : load.occupied / load.slots;
  const processors = load.vcpus === 0 ? 0 : load.vcpusUsed / load.vcpus;
  return Math.min(1, Math.max(places, processors));
}

/**
 * How many environments bring the utilization to its target, within the bounds. Source: developer guide, "Scaling Lambda Managed
 * Instances": by processor use and by saturation of the concurrency, with room for twice the traffic.
 */
export function environmentsFor(
  load: FleetLoad,
  bounds: { readonly min: number; readonly max: number; readonly target: number },
): number {
  const utilization = utilizationOf(load);
  // A little above the target is no reason to start another one, nor a little below to end one.
  const needed = Math.ceil((load.environments * utilization) / bounds.target - 0.05);
  return Math.min(bounds.max, Math.max(bounds.min, needed));
}
