import { notImplemented } from "../../../aws/error.ts";
import { ExpressionError, type Expression } from "./expression.ts";
import { average, deviation, itemsOf, mathFunctions, needed, sum, type MathRange } from "./functions.ts";
import { combine, eachNumber, eachSeries, scalar, series, type MathValue, type TimeSeries } from "./values.ts";

export interface MathNeeds {
  readonly range: MathRange;
  /** The result of another query. */
  resolve(id: string): MathValue;
  /** The queries that are no expressions, by id, in the order in which they were sent. */
  readonly metrics: readonly { readonly id: string; readonly series: TimeSeries }[];
}

/** Functions that ask for more than the metrics of the request; refused by name. */
const notBuilt: ReadonlySet<string> = new Set([
  "SEARCH",
  "ANOMALY_DETECTION_BAND",
  "INSIGHT_RULE_METRIC",
  "SERVICE_QUOTA",
  "DB_PERF_INSIGHTS",
  "LAMBDA",
  "LOGS",
]);

/** @throws {ExpressionError}, or the 501 for a function that is not built */
export function evaluate(expression: Expression, needs: MathNeeds): MathValue {
  const value = (at: Expression) => evaluate(at, needs);
  switch (expression.kind) {
    case "number":
      return scalar(expression.value);
    case "text":
      throw new ExpressionError(`A text stands where a value was expected: '${expression.value}'`);
    case "name":
      return needs.resolve(expression.name);
    case "list":
      return { kind: "array", items: expression.items.flatMap((item) => itemsOf(value(item))) };
    case "negative":
      return eachNumber(value(expression.operand), (number) => -number);
    case "operation":
      return combine(value(expression.left), value(expression.right), operator(expression.operator));
    case "call":
      return call(expression.name, expression.arguments, needs);
  }
}

function operator(sign: string): (a: number, b: number) => number {
  switch (sign) {
    case "+":
      return (a, b) => a + b;
    case "-":
      return (a, b) => a - b;
    case "*":
      return (a, b) => a * b;
    case "/":
      return (a, b) => a / b;
    case "^":
      return (a, b) => a ** b;
    case "==":
      return (a, b) => Number(a === b);
    case "!=":
      return (a, b) => Number(a !== b);
    case "<":
      return (a, b) => Number(a < b);
    case ">":
      return (a, b) => Number(a > b);
    case "<=":
      return (a, b) => Number(a <= b);
    case ">=":
      return (a, b) => Number(a >= b);
    case "&&":
    case "AND":
      return (a, b) => Number(a !== 0 && b !== 0);
    default:
      return (a, b) => Number(a !== 0 || b !== 0);
  }
}

function call(name: string, given: readonly Expression[], needs: MathNeeds): MathValue {
  if (notBuilt.has(name)) throw notImplemented(`The metric math function ${name}`);
  const value = (index: number) => {
    const at = given[index];
    return needed(at && evaluate(at, needs), name);
  };
  switch (name) {
    case "METRICS":
      return metrics(given[0], needs);
    case "FILL":
      return fill(value(0), given[1], needs);
    case "IF":
      return choose(value(0), value(1), given.length > 2 ? value(2) : undefined);
    case "SLICE": {
      const items = itemsOf(value(0));
      const from = numberOf(value(1));
      if (given.length > 2) return { kind: "array", items: items.slice(from, numberOf(value(2))) };
      const [only] = items.slice(from, from + 1);
      if (!only) throw new ExpressionError("SLICE is outside of the array");
      return { kind: "series", series: only };
    }
    case "SORT":
      return sort(itemsOf(value(0)), wordOf(given[1]), wordOf(given[2]), given[3] && numberOf(value(3)));
    default: {
      const found = Object.hasOwn(mathFunctions, name) ? mathFunctions[name] : undefined;
      if (!found) throw new ExpressionError(`Unknown function: ${name}`);
      return found(
        given.map((_, index) => value(index)),
        needs.range,
      );
    }
  }
}

function metrics(filter: Expression | undefined, needs: MathNeeds): MathValue {
  if (filter !== undefined && filter.kind !== "text") throw new ExpressionError("METRICS takes a text or nothing");
  const found = needs.metrics.filter(({ id }) => filter === undefined || id.includes(filter.value));
  return { kind: "array", items: found.map((metric) => metric.series) };
}

function fill(value: MathValue, filler: Expression | undefined, needs: MathNeeds): MathValue {
  if (filler === undefined) throw new ExpressionError("FILL takes a value to fill with");
  const word = filler.kind === "name" && ["REPEAT", "LINEAR"].includes(filler.name) ? filler.name : undefined;
  const by = word === undefined ? evaluate(filler, needs) : undefined;
  if (by?.kind === "array") throw new ExpressionError("FILL cannot fill with an array");
  return eachSeries(value, "FILL", (of) => {
    const points: [number, number][] = [];
    const known = [...of.points.keys()];
    let next = 0;
    for (let at = needs.range.start; at < needs.range.end; at += of.period) {
      while ((known[next] ?? Infinity) < at) next += 1;
      const there = of.points.get(at);
      const filled =
        there ?? (by ? fillValue(by, at) : between(of, known[next - 1], known[next], at, word === "LINEAR"));
      if (filled !== undefined) points.push([at, filled]);
    }
    return series(points, of);
  });
}

function fillValue(by: MathValue, at: number): number | undefined {
  if (by.kind === "scalar") return by.value;
  return by.kind === "series" ? by.series.points.get(at) : undefined;
}

function between(of: TimeSeries, before: number | undefined, after: number | undefined, at: number, linear: boolean) {
  const last = before === undefined ? undefined : of.points.get(before);
  if (before === undefined || last === undefined || !linear) return last;
  const next = after === undefined ? undefined : of.points.get(after);
  if (after === undefined || next === undefined) return undefined;
  return last + ((next - last) * (at - before)) / (after - before);
}

/** AWS: the condition is true where it is not 0; without an `else`, what it is false for has no data point. */
function choose(condition: MathValue, then: MathValue, otherwise: MathValue | undefined): MathValue {
  if ([condition, then, otherwise].some((each) => each?.kind === "array")) {
    throw new ExpressionError("IF takes time series and scalars");
  }
  if (condition.kind === "scalar") {
    const chosen = condition.value === 0 ? otherwise : then;
    if (chosen) return chosen;
    return then.kind === "series" ? { kind: "series", series: series([], then.series) } : scalar(NaN);
  }
  return eachSeries(condition, "IF", (of) =>
    series(
      [...of.points].flatMap(([at, number]) => {
        const chosen = number === 0 ? otherwise : then;
        const value = chosen && fillValue(chosen, at);
        return value === undefined ? [] : [[at, value] as const];
      }),
      of,
    ),
  );
}

function sort(items: readonly TimeSeries[], by: string, direction: string, limit: number | undefined): MathValue {
  const measures: Readonly<Record<string, (numbers: readonly number[]) => number>> = {
    SUM: sum,
    AVG: average,
    MIN: (numbers) => Math.min(...numbers),
    MAX: (numbers) => Math.max(...numbers),
    STDDEV: deviation,
  };
  const measure = Object.hasOwn(measures, by) ? measures[by] : undefined;
  if (!measure || !["ASC", "DESC"].includes(direction)) {
    throw new ExpressionError("SORT takes an array, one of AVG, MIN, MAX, SUM, STDDEV, and ASC or DESC");
  }
  const sign = direction === "ASC" ? 1 : -1;
  const sorted = items
    .filter(({ points }) => points.size > 0)
    .map((item) => ({ item, by: measure([...item.points.values()]) }))
    .toSorted((a, b) => sign * (a.by - b.by))
    .map(({ item }) => item);
  return { kind: "array", items: sorted.slice(0, limit ?? sorted.length) };
}

function wordOf(expression: Expression | undefined): string {
  return expression?.kind === "name" ? expression.name : "";
}

function numberOf(value: MathValue): number {
  if (value.kind !== "scalar") throw new ExpressionError("A number was expected");
  return value.value;
}
