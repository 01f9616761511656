import { notImplemented } from "../../../aws/error.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { invalidCombination, invalidValue } from "../errors.ts";
import { cloudWatchLimits } from "../limits.ts";
import { readBuckets, roundStart } from "../reader.ts";
import { basic, extended, type Statistic } from "../statistic.ts";
import { onMetrics, settle, toDimensions, type OperationNeeds, type Sdk } from "./needs.ts";

export function statisticsOperations(needs: OperationNeeds) {
  return {
    GetMetricStatistics: {
      authorize: () => onMetrics("GetMetricStatistics"),
      async run(input, call) {
        const { Namespace: namespace = "", MetricName: metricName = "", Period: period = 0 } = input;
        checkPeriod(period);
        const [from, to] = [input.StartTime?.getTime() ?? NaN, input.EndTime?.getTime() ?? NaN];
        if (!(from < to)) {
          throw from === to
            ? invalidValue("The parameter StartTime must not equal parameter EndTime.")
            : invalidValue("The parameter StartTime must be less than the parameter EndTime.");
        }
        const statistics = named(input.Statistics ?? [], basic, "Statistics");
        const extendedStatistics = named(input.ExtendedStatistics ?? [], extended, "ExtendedStatistics");
        if (statistics.length + extendedStatistics.length === 0) {
          throw invalidCombination("Must specify either Statistics or ExtendedStatistics");
        }
        if (statistics.length > 0 && extendedStatistics.length > 0) {
          throw notImplemented("GetMetricStatistics with both Statistics and ExtendedStatistics");
        }
        const asked = Math.ceil((to - from) / 1000 / period);
        if (asked > cloudWatchLimits.statisticsDatapointsMax) {
          throw invalidCombination(
            `You have requested up to ${asked.toLocaleString("en-US")} datapoints, which exceeds the limit of 1,440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.`,
          );
        }
        await settle(needs);
        const dimensions = toDimensions(input.Dimensions);
        const metric = { account: call.account, region: call.region, namespace, metricName, dimensions };
        const start = roundStart(from, period, call.now);
        const buckets = await needs.store.read((reader) =>
          readBuckets(reader, { metric, start, end: Math.ceil(to / 1000), period, unit: input.Unit }),
        );
        const datapoints = buckets.flatMap(({ start: at, unit, sample }) => {
          const values = compute(statistics, sample);
          const extendedValues = compute(extendedStatistics, sample);
          if (values.length + extendedValues.length === 0) return [];
          return [
            {
              Timestamp: new Date(at * 1000),
              ...Object.fromEntries(values),
              ...(extendedValues.length > 0 && { ExtendedStatistics: Object.fromEntries(extendedValues) }),
              // Stored from what PutMetricData took, which the model has checked.
              Unit: unit as "None",
            },
          ];
        });
        return { Label: metricName, Datapoints: datapoints };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

export function checkPeriod(period: number): void {
  const short = [1, 5, 10, 20, 30];
  if (!(period > 0) || (period % 60 !== 0 && !short.includes(period))) {
    throw invalidValue("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.");
  }
}

type Named = readonly (readonly [name: string, statistic: Statistic])[];

function named(names: readonly string[], parse: (name: string) => Statistic | undefined, parameter: string): Named {
  return names.map((name, index) => {
    const statistic = parse(name);
    if (!statistic) throw invalidValue(`The value ${name} for parameter ${parameter}.member.${index + 1} is invalid.`);
    return [name, statistic] as const;
  });
}

function compute(statistics: Named, sample: Parameters<Statistic>[0]): [string, number][] {
  return statistics.flatMap(([name, statistic]) => {
    const value = statistic(sample);
    return value === undefined ? [] : [[name, value] as [string, number]];
  });
}
