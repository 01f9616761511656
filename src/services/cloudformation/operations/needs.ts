import type { EngineNeeds } from "../engine/run.ts";
import type { SamTransform } from "../template/transforms.ts";

/** What the operations on stacks work with. */
export interface OperationNeeds extends EngineNeeds {
  readonly transformSam: SamTransform;
}
