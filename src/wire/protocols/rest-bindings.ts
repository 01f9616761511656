import type { Member, OperationModel, StructureShape } from "../model.ts";
import { asRecord, malformed, setOwn, type WireRequest } from "./protocol.ts";
import { formatScalar, isPresent, parseScalar } from "./scalars.ts";

/**
 * Members bound to the path, query and headers of REST requests and responses, for both REST protocols.
 */

export interface RestBindings {
  /** Read the bound members of an operation's input into `input`. The path is known to match the operation. */
  read(operation: OperationModel, request: WireRequest, input: Record<string, unknown>): void;
  /** Write the bound members of an output; returns the status when a member carries it. */
  write(shape: StructureShape, output: Record<string, unknown>, headers: Record<string, string>): number | undefined;
}

/** What is bound where is found out once for each operation and shape. */
export function createRestBindings(): RestBindings {
  const readers = new Map<OperationModel, readonly Reader[]>();
  const writers = new Map<StructureShape, readonly Writer[]>();
  return {
    read: (operation, request, input) => {
      let reads = readers.get(operation);
      if (!reads) readers.set(operation, (reads = compileReaders(operation)));
      const parts: Parts = { request, labels: undefined, query: undefined };
      for (const { name, read } of reads) {
        const value = read(parts);
        if (value !== undefined) input[name] = value;
      }
    },
    write: (shape, output, headers) => {
      let writes = writers.get(shape);
      if (!writes) writers.set(shape, (writes = compileWriters(shape)));
      let status: number | undefined;
      for (const { name, write } of writes) {
        const value = output[name];
        if (isPresent(value)) status = write(value, headers) ?? status;
      }
      return status;
    },
  };
}

/** A request, and what was read of it for one member and another may need too. */
interface Parts {
  readonly request: WireRequest;
  labels: ReadonlyMap<string, string> | undefined;
  query: ReadonlyMap<string, readonly string[]> | undefined;
}

interface Reader {
  readonly name: string;
  readonly read: (parts: Parts) => unknown;
}

interface Writer {
  readonly name: string;
  /** @returns the status, where that is what it carries */
  readonly write: (value: unknown, headers: Record<string, string>) => number | undefined;
}

function compileReaders(operation: OperationModel): readonly Reader[] {
  const readLabels = compileLabels(operation.uri);
  return (operation.input?.members ?? []).flatMap((member): readonly Reader[] => {
    const { name, location } = member;
    const wire = wireName(member).toLowerCase();
    switch (location) {
      case "uri":
        return [{ name, read: (parts) => readLabel(member, (parts.labels ??= readLabels(parts.request.path))) }];
      case "querystring":
        return [{ name, read: (parts) => readQueryMember(member, (parts.query ??= parseQuery(parts.request.query))) }];
      case "header":
        return [{ name, read: ({ request }) => readHeader(member, request.headers[wire]) }];
      case "headers":
        return [{ name, read: ({ request }) => readPrefixHeaders(member, request.headers) }];
      default:
        return [];
    }
  });
}

/** The labels of `/a/{Name}/{Rest+}` in a path that matches it, percent-decoded. */
function compileLabels(uri: string): (path: string) => ReadonlyMap<string, string> {
  const template = (uri.split("?")[0] ?? "").split("/").slice(1);
  const greedyAt = template.findIndex((part) => part.endsWith("+}"));
  const after = greedyAt < 0 ? 0 : template.length - greedyAt - 1;
  const labelled = template.flatMap((part, index) =>
    part.startsWith("{") ? [{ index, name: part.slice(1, part.endsWith("+}") ? -2 : -1) }] : [],
  );
  return (path) => {
    const segments = path.split("/");
    segments.shift();
    const labels = new Map<string, string>();
    for (const { index, name } of labelled) {
      if (greedyAt < 0 || index < greedyAt) labels.set(name, decode(segments[index] ?? ""));
      else if (index === greedyAt) labels.set(name, decode(segments.slice(index, segments.length - after).join("/")));
      else labels.set(name, decode(segments[segments.length - (template.length - index)] ?? ""));
    }
    return labels;
  };
}

function decode(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed("The path is not well-formed");
  }
}

function readLabel(member: Member, labels: ReadonlyMap<string, string>): unknown {
  const text = labels.get(wireName(member));
  if (text === undefined || text === "" || !isScalar(member)) return undefined;
  return parseScalar(member.shape, text);
}

const noParameters: ReadonlyMap<string, readonly string[]> = new Map();

/** The parameters of a query, decoded, in order; a name without `=` has the empty value. */
export function parseQuery(query: string): ReadonlyMap<string, readonly string[]> {
  if (query === "") return noParameters;
  const parameters = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    const values = parameters.get(name);
    if (values) values.push(value);
    else parameters.set(name, [value]);
  }
  return parameters;
}

function readQueryMember(member: Member, query: ReadonlyMap<string, readonly string[]>): unknown {
  if (member.shape.type === "map") return readQueryMap(member, query);
  const values = query.get(wireName(member));
  const [first] = values ?? [];
  if (values === undefined || first === undefined) return undefined;
  if (member.shape.type === "list") {
    const item = member.shape.member;
    return values.map((text) => (isScalar(item) ? parseScalar(item.shape, text) : text));
  }
  if (!isScalar(member)) return undefined;
  // AWS: an empty parameter of a number or date is as good as absent.
  if (first === "" && member.shape.type !== "string") return undefined;
  return parseScalar(member.shape, first);
}

/** A map takes every parameter, those that other members are bound to as well: Smithy has servers do so. */
function readQueryMap(member: Member, query: ReadonlyMap<string, readonly string[]>): unknown {
  if (member.shape.type !== "map") return undefined;
  const lists = member.shape.value.shape.type === "list";
  const result: Record<string, unknown> = {};
  for (const [name, values] of query) setOwn(result, name, lists ? [...values] : values[0]);
  return Object.keys(result).length > 0 ? result : undefined;
}

function readHeader(member: Member, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  if (member.jsonValue) return readJsonValue(text);
  const { shape } = member;
  if (shape.type === "list") {
    const item = shape.member;
    if (!isScalar(item)) return undefined;
    const dates = item.shape.type === "timestamp" && (item.timestampFormat ?? "rfc822") === "rfc822";
    return splitHeader(text, dates).map((part) => parseScalar(item.shape, part));
  }
  if (!isScalar(member)) return undefined;
  if (text === "" && member.shape.type !== "string") return undefined;
  return parseScalar(member.shape, text);
}

function readJsonValue(text: string): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64").toString("utf8"));
    return typeof value === "string" ? value : JSON.stringify(value);
  } catch {
    throw malformed("A header is not base64-encoded JSON");
  }
}

/** A header's comma-separated values, quoted ones unquoted. HTTP dates have one comma of their own. */
function splitHeader(text: string, dates: boolean): string[] {
  if (dates) {
    const parts = text.split(",").map((part) => part.trim());
    const result: string[] = [];
    for (let index = 0; index + 1 < parts.length; index += 2)
      result.push(`${parts[index] ?? ""}, ${parts[index + 1] ?? ""}`);
    return result;
  }
  if (!text.includes('"')) {
    return text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
  }
  const values: string[] = [];
  let index = 0;
  while (index < text.length) {
    while (text[index] === " " || text[index] === "\t") index += 1;
    let value = "";
    if (text[index] === '"') {
      index += 1;
      while (index < text.length && text[index] !== '"') {
        if (text[index] === "\\") index += 1;
        value += text[index] ?? "";
        index += 1;
      }
      index += 1;
      while (index < text.length && text[index] !== ",") index += 1;
    } else {
      const end = text.indexOf(",", index);
      value = text.slice(index, end < 0 ? text.length : end).trim();
      index = end < 0 ? text.length : end;
    }
    values.push(value);
    index += 1;
  }
  return values;
}

function readPrefixHeaders(member: Member, headers: Readonly<Record<string, string>>): unknown {
  const prefix = (member.locationName ?? "").toLowerCase();
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(prefix)) setOwn(result, name.slice(prefix.length), value);
  }
  return result;
}

function compileWriters(shape: StructureShape): readonly Writer[] {
  return shape.members.flatMap((member): readonly Writer[] => {
    const { name, location } = member;
    if (location === "statusCode") return [{ name, write: Number }];
    if (location === "header") {
      const wire = wireName(member).toLowerCase();
      return [{ name, write: (value, headers) => writeHeader(member, wire, value, headers) }];
    }
    if (location !== "headers") return [];
    const prefix = member.locationName ?? "";
    const write: Writer["write"] = (value, headers) => {
      for (const [key, item] of Object.entries(asRecord(value))) {
        if (isPresent(item)) headers[`${prefix}${key}`.toLowerCase()] = toHeaderText(String(item));
      }
      return undefined;
    };
    return [{ name, write }];
  });
}

function writeHeader(member: Member, name: string, value: unknown, headers: Record<string, string>): undefined {
  if (member.jsonValue) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    headers[name] = Buffer.from(text, "utf8").toString("base64");
  } else if (member.shape.type === "list") {
    if (!Array.isArray(value)) throw new TypeError(`The member ${member.name} is a list`);
    const item = member.shape.member;
    const texts = value.filter(isPresent).map((each: unknown) => quoted(item, formatScalar(item, each, "rfc822")));
    if (texts.length > 0) headers[name] = toHeaderText(texts.join(", "));
  } else {
    headers[name] = toHeaderText(formatScalar(member, value, "rfc822"));
  }
}

function quoted(item: Member, text: string): string {
  if (item.shape.type !== "string" || !/[",]/.test(text)) return text;
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** Nothing a service answers may end a header or begin another. */
export function toHeaderText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/^[\u0020-\u007e\t]*$/.test(text)) return text;
  // oxlint-disable-next-line no-control-regex
  const safe = text.replace(/[\u0000-\u0008\u000a-\u001f\u007f]+/g, " ");
  // HTTP carries bytes: text beyond ASCII goes as its UTF-8 bytes.
  // oxlint-disable-next-line no-control-regex
  return /[^\u0000-\u007f]/.test(safe) ? Buffer.from(safe, "utf8").toString("latin1") : safe;
}

function wireName(member: Member): string {
  return member.locationName ?? member.name;
}

function isScalar(member: Member): member is Member & { shape: Extract<Member["shape"], { enum: unknown }> } {
  return member.shape.type !== "structure" && member.shape.type !== "list" && member.shape.type !== "map";
}
