import type { Jobs, KindReport } from "../kernel/jobs/jobs.ts";
import type { MetricFamily } from "./exposition.ts";

/** How background work does, by kind. Asks the store: whoever reads numbers does not wait for it longer than `withinMs`. */
export function collectJobs(jobs: Pick<Jobs, "report">, withinMs = 1_000): () => Promise<readonly MetricFamily[]> {
  return async () => {
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), withinMs);
    // A store that is away says so by other numbers.
    const kinds = await Promise.race([jobs.report().catch(() => undefined), late.promise]);
    clearTimeout(timer);
    if (kinds === undefined) return [];
    const of = (value: (kind: KindReport) => number) =>
      kinds.map((kind) => ({ labels: { kind: kind.kind }, value: value(kind) }));
    return [
      {
        name: "cumulet_jobs_overdue_seconds",
        help: "How long the background work that waits longest should have begun, in all processes",
        type: "gauge",
        isShared: true,
        values: of(({ overdueMs }) => overdueMs / 1000),
      },
      {
        name: "cumulet_jobs_running",
        help: "Background work that runs",
        type: "gauge",
        values: of(({ running }) => running),
      },
      {
        name: "cumulet_jobs_failures_total",
        help: "Attempts at background work that have failed",
        type: "counter",
        values: of(({ failures }) => failures),
      },
      {
        name: "cumulet_jobs_given_up_total",
        help: "Background work that was given up after its last attempt",
        type: "counter",
        values: of(({ givenUp }) => givenUp),
      },
    ];
  };
}
