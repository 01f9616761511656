export type TelemetryType = "platform" | "function" | "extension";

/** What an extension asks for with the Telemetry API or the Logs API. */
export interface Subscription {
  readonly api: "telemetry" | "logs";
  readonly types: readonly TelemetryType[];
  readonly protocol: "HTTP" | "TCP";
  readonly port: number;
  readonly path: string;
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** Lines that are JSON come as objects. */
  readonly objects: boolean;
  hears(type: TelemetryType, event: string): boolean;
}

export const telemetryPath = "/2022-07-01/telemetry";
export const logsPath = "/2020-08-15/logs";

/**
 * The body of a subscription.
 *
 * @returns what is wrong with it, as a sentence
 * Source: "Lambda Telemetry API reference", "Lambda Logs API reference": members, defaults, minima and maxima.
 */
export function parseSubscription(api: Subscription["api"], text: string | undefined): Subscription | string {
  const body = toObject(text);
  if (body === undefined) return "The request body is not a JSON object";
  const versions = schemaVersions[api];
  const { schemaVersion = api === "logs" ? versions[0] : undefined, types, destination, buffering = {} } = body;
  if (typeof schemaVersion !== "string" || !versions.includes(schemaVersion)) {
    return `schemaVersion must be one of ${versions.join(", ")}`;
  }
  if (!Array.isArray(types) || types.length === 0 || !types.every(isType)) {
    return "types must be a non-empty list of platform, function, extension";
  }
  const wanted = new Set(types);
  const found = parseDestination(destination);
  if (typeof found === "string") return found;
  if (!isObject(buffering)) return "buffering must be an object";
  const numbers: number[] = [];
  for (const [name, least, most, usual] of bufferingLimits[api]) {
    const value: unknown = buffering[name] ?? usual;
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
      return `buffering.${name} must be an integer between ${least} and ${most}`;
    }
    numbers.push(value);
  }
  const [maxItems = 0, maxBytes = 0, timeoutMs = 0] = numbers;
  return {
    api,
    types: [...wanted],
    ...found,
    maxItems,
    maxBytes,
    timeoutMs,
    objects: api === "telemetry" && schemaVersion !== "2022-07-01",
    hears: (type, event) =>
      wanted.has(type) &&
      (type !== "platform" || (api === "logs" ? logsEvents.has(event) : event !== logsSubscription)),
  };
}

const schemaVersions: Readonly<Record<Subscription["api"], readonly string[]>> = {
  telemetry: ["2022-07-01", "2022-12-13", "2025-01-29"],
  logs: ["2020-08-15", "2021-03-18"],
};

/** Name, least, most, and what it is where it is not given. */
const bufferingLimits = {
  telemetry: [
    ["maxItems", 1_000, 10_000, 1_000],
    ["maxBytes", 262_144, 1_048_576, 262_144],
    ["timeoutMs", 25, 30_000, 1_000],
  ],
  logs: [
    ["maxItems", 1_000, 10_000, 10_000],
    ["maxBytes", 262_144, 1_048_576, 262_144],
    ["timeoutMs", 25, 30_000, 1_000],
  ],
} as const;

const logsSubscription = "platform.logsSubscription";
const logsEvents = new Set([
  "platform.start",
  "platform.runtimeDone",
  "platform.report",
  "platform.extension",
  logsSubscription,
  "platform.logsDropped",
]);

function parseDestination(destination: unknown): Pick<Subscription, "protocol" | "port" | "path"> | string {
  if (!isObject(destination)) return "destination is required";
  if (destination["protocol"] === "TCP") {
    const port = destination["port"];
    if (!isPort(port)) return "destination.port must be a port other than that of the Runtime API";
    return { protocol: "TCP", port, path: "" };
  }
  if (destination["protocol"] !== "HTTP") return "destination.protocol must be HTTP or TCP";
  const { URI, method = "POST", encoding = "JSON" } = destination;
  if (method !== "POST") return "destination.method must be POST";
  if (encoding !== "JSON") return "destination.encoding must be JSON";
  const uri = typeof URI === "string" ? URL.parse(URI) : null;
  if (uri === null || uri.protocol !== "http:" || !hosts.has(uri.hostname)) {
    return "destination.URI must be of the form http://sandbox.localdomain:PORT or http://sandbox:PORT";
  }
  const port = uri.port === "" ? 80 : Number(uri.port);
  if (!isPort(port)) return "destination.URI must have a port other than that of the Runtime API";
  return { protocol: "HTTP", port, path: `${uri.pathname}${uri.search}` };
}

const hosts = new Set(["sandbox.localdomain", "sandbox"]);
const runtimeApiPort = 9001;

function isPort(value: unknown): value is number {
  return (
    typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536 && value !== runtimeApiPort
  );
}

function isType(value: unknown): value is TelemetryType {
  return value === "platform" || value === "function" || value === "extension";
}

function toObject(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
