import { isHeaderName, sentHeaderName, sentHeaderValue } from "./response-headers.ts";

/** What a function answered, read by the rules of its payload format. */
export interface FunctionResponse {
  readonly statusCode: number;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly hasContentType: boolean;
  readonly body: string;
  readonly isBase64Encoded: boolean;
  /** Format 2.0, when the function answered with anything else than a response: it is the body, as JSON. */
  readonly inferred: boolean;
}

const restMembers = new Set(["isBase64Encoded", "statusCode", "headers", "multiValueHeaders", "body"]);

/**
 * Read a REST API's proxy response; undefined when it is malformed. AWS: no member is required, but none other is
 * allowed; scalars are taken as text.
 */
export function parseRestResponse(payload: Uint8Array): FunctionResponse | undefined {
  const value = parseJson(payload);
  if (!isObject(value) || Object.keys(value).some((name) => !restMembers.has(name))) return undefined;
  return parseFields(value, value["statusCode"] ?? 200, undefined);
}

/** Read format 1.0 of an HTTP API; undefined when it is malformed. */
export function parseResponseV1(payload: Uint8Array): FunctionResponse | undefined {
  const value = parseJson(payload);
  if (!isObject(value) || value["statusCode"] === undefined) return undefined;
  return parseFields(value, value["statusCode"], undefined);
}

/** Read format 2.0; undefined when it is malformed. Without `statusCode` the whole answer is the body of a 200. */
export function parseResponseV2(payload: Uint8Array): FunctionResponse | undefined {
  const text = asText(payload);
  const value = parseText(text);
  if (value === invalid) return undefined;
  if (isObject(value) && value["statusCode"] !== undefined) {
    return parseFields(value, value["statusCode"], value["cookies"]);
  }
  return {
    statusCode: 200,
    headers: [],
    hasContentType: false,
    body: typeof value === "string" ? value : text,
    isBase64Encoded: false,
    inferred: true,
  };
}

function parseFields(
  value: Readonly<Record<string, unknown>>,
  status: unknown,
  cookies: unknown,
): FunctionResponse | undefined {
  const statusCode = parseStatus(status);
  const body = parseScalar(value["body"] ?? "");
  const isBase64Encoded = parseFlag(value["isBase64Encoded"]);
  if (statusCode === undefined || body === undefined || isBase64Encoded === undefined) return undefined;
  const headers: string[] = [];
  const many = value["multiValueHeaders"] ?? undefined;
  const single = value["headers"] ?? none;
  if (!isObject(single)) return undefined;
  if (many !== undefined) {
    if (!isObject(many)) return undefined;
    for (const [name, list] of Object.entries(many)) {
      if (!Array.isArray(list) || !list.every((item) => appendHeader(headers, name, item))) return undefined;
    }
  }
  for (const name of Object.keys(single)) {
    // AWS: the lists of `multiValueHeaders` win over `headers` of the same name, whose value they usually repeat.
    if (many !== undefined && hasHeader(many, name)) continue;
    const item = single[name];
    if (item !== null && !appendHeader(headers, name, item)) return undefined;
  }
  if (cookies !== undefined && cookies !== null) {
    if (!Array.isArray(cookies) || !cookies.every((item) => appendHeader(headers, "set-cookie", item)))
      return undefined;
  }
  let hasContentType = false;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    if (name.length === contentType.length && name.toLowerCase() === contentType) hasContentType = true;
  }
  return { statusCode, headers, hasContentType, body, isBase64Encoded, inferred: false };
}

const none: Readonly<Record<string, unknown>> = {};
const contentType = "content-type";

function hasHeader(headers: Readonly<Record<string, unknown>>, name: string): boolean {
  if (Object.hasOwn(headers, name)) return true;
  const lower = name.toLowerCase();
  return Object.keys(headers).some((other) => other.toLowerCase() === lower);
}

function appendHeader(headers: string[], name: string, item: unknown): boolean {
  const text = parseScalar(item);
  const value = text === undefined ? undefined : sentHeaderValue(text);
  if (value === undefined || !isHeaderName(name)) return false;
  const sent = sentHeaderName(name);
  if (sent !== undefined) headers.push(sent, value);
  return true;
}

function parseScalar(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function parseFlag(value: unknown): boolean | undefined {
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  return value === "true" ? true : value === "false" ? false : undefined;
}

function parseStatus(value: unknown): number | undefined {
  const status = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
  // An interim status would leave the client waiting for the final one.
  return typeof status === "number" && Number.isInteger(status) && status >= 200 && status <= 599 ? status : undefined;
}

const invalid = Symbol("not JSON");

function parseJson(payload: Uint8Array): unknown {
  return parseText(asText(payload));
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return invalid;
  }
}

function asText(payload: Uint8Array): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("utf8");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
