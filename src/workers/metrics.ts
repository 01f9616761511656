import { ofWorkers, type MetricFamily } from "../metering/exposition.ts";
import type { Siblings } from "./siblings.ts";

/** The numbers of all workers, for whichever of them is asked; as they are where there is one. */
export function gatherMetrics(
  siblings: Siblings,
  own: () => Promise<readonly MetricFamily[]>,
): () => Promise<readonly MetricFamily[]> {
  if (siblings.workers === 1) return own;
  siblings.answer("metrics", own);
  return async () => {
    const answers = await siblings.ask("metrics");
    return ofWorkers(answers.map(({ slot, value }) => ({ worker: slot, families: parseFamilies(value) })));
  };
}

/** Of another process of this very program. */
function parseFamilies(value: unknown): readonly MetricFamily[] {
  return value as readonly MetricFamily[];
}
