import type { ComputeLimits } from "../compute/limits.ts";

/** Of what a host gives to all its workers, the part of one: connections are spread evenly, so is what they need. */
export function shareOfHost(limits: ComputeLimits, workers: number): Partial<ComputeLimits> {
  if (workers === 1) return {};
  const part = (whole: number) => Math.max(1, Math.ceil(whole / workers));
  return {
    environmentsMax: part(limits.environmentsMax),
    waitingMax: part(limits.waitingMax),
    quickRunsMax: part(limits.quickRunsMax),
    startsMax: part(limits.startsMax),
    sandboxStartsMax: part(limits.sandboxStartsMax),
    refillsMax: part(limits.refillsMax),
    blanksMin: part(limits.blanksMin),
    blanksMax: part(limits.blanksMax),
    keptMax: part(limits.keptMax),
  };
}
