import type { Reader } from "../../../kernel/store/store.ts";
import type { Place } from "../model.ts";
import { capacityLimits } from "./limits.ts";
import { functionScalingKey, type FunctionScaling } from "./model.ts";

interface EnvironmentBounds {
  readonly min: number;
  /** Infinite where nobody has set it. */
  readonly max: number;
}

/** What applies to a published version: what was asked for, over AWS's defaults. */
export function boundsOf(scaling: FunctionScaling | undefined): EnvironmentBounds {
  const max = scaling?.max ?? Infinity;
  return { min: scaling?.min ?? Math.min(max, capacityLimits.environmentsMinDefault), max };
}

export function readFunctionScaling(
  reader: Reader,
  place: Place,
  name: string,
  version: string,
): Promise<FunctionScaling | undefined> {
  return reader.get<FunctionScaling>(functionScalingKey(place, name, version));
}
