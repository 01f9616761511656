import type { MetricDataQuery, MetricDataResult, MetricStat } from "@aws-sdk/client-cloudwatch";
import { notImplemented } from "../../../aws/error.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { invalidQuery, invalidToken } from "../errors.ts";
import { cloudWatchLimits } from "../limits.ts";
import { evaluate } from "../metric-math/evaluate.ts";
import { ExpressionError, namesIn, parseExpression, type Expression } from "../metric-math/expression.ts";
import type { MathValue, TimeSeries } from "../metric-math/values.ts";
import { readBuckets, roundStart } from "../reader.ts";
import { joinSamples, type Sample } from "../sample.ts";
import { parseStatistic, type Statistic } from "../statistic.ts";
import { checkPeriod } from "./get-metric-statistics.ts";
import { onMetrics, settle, toDimensions, type OperationNeeds, type Sdk } from "./needs.ts";

type Query = { readonly id: string; readonly label: string | undefined; readonly returned: boolean } & (
  | {
      readonly kind: "metric";
      readonly stat: MetricStat;
      readonly period: number;
      readonly statistic: Statistic;
    }
  | { readonly kind: "expression"; readonly expression: Expression; readonly period: number | undefined }
);

interface Range {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

export function dataOperations(needs: OperationNeeds) {
  return {
    GetMetricData: {
      authorize: () => onMetrics("GetMetricData"),
      async run(input, call) {
        const sent = input.MetricDataQueries ?? [];
        if (sent.length > cloudWatchLimits.queriesMax) {
          throw invalidQuery(
            `The collection MetricDataQueries must not have a size greater than ${cloudWatchLimits.queriesMax}.`,
          );
        }
        const range = { from: input.StartTime?.getTime() ?? NaN, to: input.EndTime?.getTime() ?? NaN };
        if (!(range.from < range.to)) {
          throw invalidQuery("The parameter StartTime must be less than the parameter EndTime.");
        }
        const most = input.MaxDatapoints ?? cloudWatchLimits.datapointsMax;
        if (most < 1 || most > cloudWatchLimits.datapointsMax) {
          throw invalidQuery(`The value ${most} for parameter MaxDatapoints is invalid.`);
        }
        const queries = sent.map((query, index) => parseQuery(query, index, call));
        checkIds(queries);
        checkSize(queries, range);
        const from = input.NextToken === undefined ? 0 : parseToken(input.NextToken);
        await settle(needs);
        const results = await needs.store.read((reader) => compute(reader, queries, range, call));
        const descending = input.ScanBy !== "TimestampAscending";
        const { page, next } = cutPage(results, descending, from, most);
        return { MetricDataResults: page, Messages: [], ...(next !== undefined && { NextToken: toToken(next) }) };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function parseQuery(query: MetricDataQuery, index: number, call: Call): Query {
  const path = `MetricDataQueries.member.${index + 1}`;
  const { Id: id = "", Label: label } = query;
  if (!/^[a-z][a-zA-Z0-9_]*$/.test(id)) throw invalidQuery(`The value ${id} for parameter ${path}.Id is invalid.`);
  if (label?.includes("${")) throw notImplemented("A dynamic label in GetMetricData");
  if (query.AccountId !== undefined && query.AccountId !== call.account) {
    throw notImplemented("The parameter AccountId of GetMetricData for another account");
  }
  const common = { id, label, returned: query.ReturnData ?? true };
  if ((query.MetricStat === undefined) === (query.Expression === undefined)) {
    throw invalidQuery(`Exactly one of the parameters ${path}.MetricStat and ${path}.Expression must be specified.`);
  }
  if (query.Expression !== undefined) {
    if (/^\s*SELECT\s/i.test(query.Expression)) throw notImplemented("A Metrics Insights query in GetMetricData");
    const expression = inExpression(id, () => parseExpression(query.Expression ?? ""));
    if (query.Period !== undefined) checkPeriod(query.Period);
    return { ...common, kind: "expression", expression, period: query.Period };
  }
  const { MetricStat: stat = { Metric: undefined, Period: undefined, Stat: undefined } } = query;
  if (query.Period !== undefined) {
    throw invalidQuery(`The parameter ${path}.Period must not be specified together with ${path}.MetricStat.`);
  }
  const { Period: period = 0, Stat: name = "" } = stat;
  checkPeriod(period);
  const statistic = parseStatistic(name);
  if (!statistic) throw invalidQuery(`The value ${name} for parameter ${path}.MetricStat.Stat is not supported.`);
  for (const member of ["Namespace", "MetricName"] as const) {
    if (stat.Metric?.[member] === undefined) {
      throw invalidQuery(`The parameter ${path}.MetricStat.Metric.${member} is required.`);
    }
  }
  return { ...common, kind: "metric", stat, period, statistic };
}

function checkIds(queries: readonly Query[]): void {
  const ids = new Set<string>();
  for (const { id } of queries) {
    if (ids.has(id)) throw invalidQuery(`The values for parameter id in MetricDataQueries are not unique: ${id}`);
    ids.add(id);
  }
  if (!queries.some(({ returned }) => returned)) {
    throw invalidQuery("At least one query of MetricDataQueries must return data.");
  }
}

/** No request holds more in memory than the points that it could be answered. */
function checkSize(queries: readonly Query[], { from, to }: Range): void {
  let points = 0;
  for (const query of queries) if (query.kind === "metric") points += Math.ceil((to - from) / 1000 / query.period);
  if (points > cloudWatchLimits.queriesMax * cloudWatchLimits.statisticsDatapointsMax) {
    throw invalidQuery("The request asks for too many data points: increase the period, or decrease the time range.");
  }
}

async function compute(reader: Reader, queries: readonly Query[], range: Range, call: Call): Promise<Result[]> {
  const metrics: { id: string; series: TimeSeries }[] = [];
  const computed = new Map<string, MathValue>();
  for (const query of queries) {
    if (query.kind !== "metric") continue;
    const series = await readMetric(reader, query, range, call);
    metrics.push({ id: query.id, series });
    computed.set(query.id, { kind: "series", series });
  }
  const byId = new Map(queries.map((query) => [query.id, query]));
  const open = new Set<string>();

  const resolve = (id: string): MathValue => {
    const known = computed.get(id);
    if (known) return known;
    const query = byId.get(id);
    if (query?.kind !== "expression") throw new ExpressionError(`Unknown identifier: ${id}`);
    if (open.has(id)) throw new ExpressionError(`Circular reference: ${id}`);
    open.add(id);
    const named = namesIn(query.expression);
    const inputs = metrics.filter((metric) => named.has(metric.id));
    const period = Math.max(1, ...(inputs.length > 0 ? inputs : metrics).map(({ series }) => series.period));
    if (query.period !== undefined && metrics.length > 0 && query.period !== period) {
      throw notImplemented("A Period of an expression that is not the period of its metrics");
    }
    const step = query.period ?? (metrics.length > 0 ? period : 60);
    const steps = { start: roundStart(range.from, step, call.now), end: Math.ceil(range.to / 1000), period: step };
    if ((steps.end - steps.start) / step > cloudWatchLimits.datapointsMax) {
      throw new ExpressionError("The expression spans too many data points");
    }
    const value = evaluate(query.expression, { range: steps, resolve, metrics });
    computed.set(id, value);
    return value;
  };

  return queries.flatMap((query) => {
    const value = query.kind === "metric" ? resolve(query.id) : inExpression(query.id, () => resolve(query.id));
    if (!query.returned) return [];
    if (value.kind === "scalar") {
      throw invalidQuery(
        `Error in expression '${query.id}': The expression must return a time series or an array of them`,
      );
    }
    if (value.kind === "array") {
      return value.items.map((series) => ({ id: query.id, label: query.label ?? (series.label || query.id), series }));
    }
    const label = query.label ?? (query.kind === "metric" ? value.series.label : query.id);
    return [{ id: query.id, label, series: value.series }];
  });
}

async function readMetric(
  reader: Reader,
  { stat, period, statistic }: Extract<Query, { kind: "metric" }>,
  { from, to }: Range,
  call: Call,
): Promise<TimeSeries> {
  const { Namespace: namespace = "", MetricName: metricName = "", Dimensions } = stat.Metric ?? {};
  const dimensions = toDimensions(Dimensions);
  const metric = { account: call.account, region: call.region, namespace, metricName, dimensions };
  const start = roundStart(from, period, call.now);
  const buckets = await readBuckets(reader, { metric, start, end: Math.ceil(to / 1000), period, unit: stat.Unit });
  const samples = new Map<number, Sample[]>();
  for (const { start: at, sample } of buckets) samples.set(at, [...(samples.get(at) ?? []), sample]);
  const points = new Map<number, number>();
  for (const [at, all] of samples) {
    const sample = joinSamples(all);
    const value = sample && statistic(sample);
    if (value !== undefined) points.set(at, value);
  }
  return { label: metricName, period, points };
}

interface Result {
  readonly id: string;
  readonly label: string;
  readonly series: TimeSeries;
}

/** So many data points of all results together, after those of the pages before. */
function cutPage(results: readonly Result[], descending: boolean, from: number, most: number) {
  let skip = from;
  let room = most;
  let total = 0;
  const page: MetricDataResult[] = [];
  for (const { id, label, series } of results) {
    const points = [...series.points];
    if (descending) points.reverse();
    total += points.length;
    const rest = points.slice(skip);
    skip = Math.max(0, skip - points.length);
    const shown = rest.slice(0, room);
    room -= shown.length;
    // On a later page, what was complete before is not told again.
    if (from > 0 && shown.length === 0) continue;
    page.push({
      Id: id,
      Label: label,
      Timestamps: shown.map(([at]) => new Date(at * 1000)),
      Values: shown.map(([, value]) => value),
      StatusCode: shown.length < rest.length ? "PartialData" : "Complete",
    });
  }
  const next = from + most;
  return { page, next: next < total ? next : undefined };
}

function toToken(from: number): string {
  return Buffer.from(`p${from}`).toString("base64url");
}

function parseToken(token: string): number {
  const match = /^p(\d{1,9})$/.exec(Buffer.from(token, "base64url").toString());
  if (!match) throw invalidToken();
  return Number(match[1]);
}

function inExpression<T>(id: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof ExpressionError) throw invalidQuery(`Error in expression '${id}': ${error.message}`);
    throw error;
  }
}
