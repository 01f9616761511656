import type { MetricDatum } from "./datum.ts";
import { cloudWatchLimits } from "./limits.ts";
import { sortDimensions } from "./model.ts";
import { sampleOf } from "./sample.ts";

/** Whether a log event may hold metrics: cheap, for it is asked of every line. */
export function mayHoldMetrics(message: string): boolean {
  return message.startsWith("{") && message.includes('"_aws"');
}

/**
 * The metrics of a log event in the Embedded Metric Format. What breaks the format is left out, as AWS leaves it out.
 * Source: CloudWatch user guide, "Specification: Embedded metric format".
 */
export function parseEmbeddedMetrics(
  message: string,
  place: { readonly account: string; readonly region: string },
  now: number,
): MetricDatum[] {
  const root = parseObject(message);
  const about = root && asObject(root["_aws"]);
  const timestamp = about?.["Timestamp"];
  if (!root || !about || typeof timestamp !== "number") return [];
  if (timestamp < now - cloudWatchLimits.tooOldMs || timestamp > now + cloudWatchLimits.tooNewMs) return [];
  return asArray(about["CloudWatchMetrics"]).flatMap((each) => {
    const directive = asObject(each);
    const namespace = directive?.["Namespace"];
    if (!directive || !isName(namespace) || namespace.startsWith("AWS/")) return [];
    // Without sets of dimensions there is one, which is empty.
    const sets = "Dimensions" in directive ? asArray(directive["Dimensions"]) : [[]];
    const metrics = asArray(directive["Metrics"]).slice(0, cloudWatchLimits.embeddedMetricsMax);
    return sets.flatMap((set) => {
      const dimensions = readDimensions(root, set);
      if (!dimensions) return [];
      return metrics.flatMap((metric) => {
        const definition = asObject(metric);
        const metricName = definition?.["Name"];
        const values = isName(metricName) ? readValues(root[metricName]) : undefined;
        if (!definition || !isName(metricName) || !values) return [];
        const unit = typeof definition["Unit"] === "string" ? definition["Unit"] : "None";
        const resolution = definition["StorageResolution"] === 1 ? 1 : 60;
        const sample = sampleOf(values);
        return [{ ...place, namespace, metricName, dimensions, unit, timestamp, resolution, sample } as const];
      });
    });
  });
}

function readDimensions(root: Readonly<Record<string, unknown>>, set: unknown) {
  const names = asArray(set);
  if (names.length > 30 || new Set(names).size !== names.length) return undefined;
  const dimensions: { name: string; value: string }[] = [];
  for (const name of names) {
    const value = typeof name === "string" ? root[name] : undefined;
    if (!isName(name) || typeof value !== "string" || value === "" || value.length > 1024) return undefined;
    dimensions.push({ name, value });
  }
  return sortDimensions(dimensions);
}

function readValues(given: unknown): ReadonlyMap<number, number> | undefined {
  const values = new Map<number, number>();
  for (const value of Array.isArray(given) ? given : [given]) {
    if (typeof value !== "number" || !Number.isFinite(value) || Math.abs(value) > cloudWatchLimits.valueMost) {
      return undefined;
    }
    values.set(value, (values.get(value) ?? 0) + 1);
  }
  return values.size === 0 || values.size > cloudWatchLimits.embeddedMetricsMax ? undefined : values;
}

function isName(text: unknown): text is string {
  return typeof text === "string" && /^[\x20-\x7e]{1,255}$/.test(text) && !text.startsWith(":");
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined;
}

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
