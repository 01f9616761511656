/** A family of values for Prometheus' text format, version 0.0.4. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly values: readonly MetricValue[];
  /** The same in every process of the data folder, not of one of them. */
  readonly isShared?: true;
}

export interface MetricValue {
  /** `_bucket`, `_sum`, `_count` of a histogram. */
  readonly suffix?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Where numbers about this process come from, asked for when they are read. */
export type Collector = () => readonly MetricFamily[];

/** Source: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function toExposition(families: readonly MetricFamily[]): string {
  let text = "";
  for (const { name, help, type, values } of families) {
    if (values.length === 0) continue;
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const { suffix = "", labels = {}, value } of values) {
      const pairs = Object.entries(labels).map(([label, of]) => `${label}="${escape(of)}"`);
      text += `${name}${suffix}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${toText(value)}\n`;
    }
  }
  return text;
}

/**
 * The families of several processes as one: each value says which process it is of, so that sums and rates come out right
 * whichever of them comes and goes.
 */
export function ofWorkers(
  parts: readonly { readonly worker: number; readonly families: readonly MetricFamily[] }[],
): MetricFamily[] {
  const byName = new Map<string, MetricFamily>();
  for (const { worker, families } of parts) {
    for (const family of families) {
      const known = byName.get(family.name);
      if (family.isShared === true) {
        if (known === undefined) byName.set(family.name, family);
        continue;
      }
      const own = family.values.map((value) => ({ ...value, labels: { worker: String(worker), ...value.labels } }));
      byName.set(family.name, { ...family, values: [...(known?.values ?? []), ...own] });
    }
  }
  return [...byName.values()];
}

/** The values of one histogram: counts for each upper bound are not yet summed up. */
export function histogramValues(
  labels: Readonly<Record<string, string>>,
  bounds: readonly number[],
  counts: readonly number[],
  sum: number,
): MetricValue[] {
  let total = 0;
  const values: MetricValue[] = [];
  for (const [index, bound] of bounds.entries()) {
    total += counts[index] ?? 0;
    values.push({ suffix: "_bucket", labels: { ...labels, le: String(bound) }, value: total });
  }
  total += counts[bounds.length] ?? 0;
  values.push({ suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: total });
  values.push({ suffix: "_sum", labels, value: sum }, { suffix: "_count", labels, value: total });
  return values;
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function toText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}
