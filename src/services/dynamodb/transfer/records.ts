import { StringDecoder } from "node:string_decoder";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { Readable } from "node:stream";
import { validation } from "../errors.ts";
import type { KeyAttribute } from "../model.ts";
import { parseItem, setAttribute, type AttributeValue, type Item } from "../values/attribute-value.ts";

/** Ours: characters of one record of an import; an item has at most 400 KB. */
export const recordCharactersMax = 4 * 1024 * 1024;

/** What stands in a source where an item should: its text, and bytes of the source since the one before. */
export interface SourceRecord {
  readonly text: string;
  readonly bytes: number;
}

/** The rest of an object cannot be read. */
export class UnreadableSourceError extends Error {}

/** Text of a source, decompressed. @throws {UnreadableSourceError} */
export async function* readText(
  body: AsyncIterable<Uint8Array>,
  compression: "NONE" | "GZIP" | "ZSTD",
): AsyncIterable<string> {
  const decoder = new StringDecoder("utf8");
  const decompress =
    compression === "GZIP" ? createGunzip() : compression === "ZSTD" ? createZstdDecompress() : undefined;
  let chunks: AsyncIterable<Uint8Array> = body;
  if (decompress) {
    const source = Readable.from(body);
    source.on("error", (error) => decompress.destroy(error));
    chunks = source.pipe(decompress);
  }
  try {
    for await (const chunk of chunks) yield decoder.write(Buffer.from(chunk));
  } catch (error) {
    if (!decompress || !isZlibError(error)) throw error;
    throw new UnreadableSourceError(`The object could not be decompressed: ${String(error)}`);
  }
  yield decoder.end();
}

function isZlibError(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return typeof error.code === "string" && /^(?:Z_|ZSTD_|ERR_ZSTD)/.test(error.code);
}

/**
 * Records of a source: lines, but for line breaks within quotes where there are quotes. Empty ones are left out.
 *
 * @throws {UnreadableSourceError} for one that does not end
 */
export async function* readRecords(text: AsyncIterable<string>, hasQuotes: boolean): AsyncIterable<SourceRecord> {
  let rest = "";
  let from = 0;
  let quoted = false;
  for await (const part of text) {
    rest += part;
    let start = 0;
    for (let at = from; at < rest.length; at += 1) {
      const character = rest.charCodeAt(at);
      if (hasQuotes && character === 34) quoted = !quoted;
      if (character !== 10 || quoted) continue;
      const record = toRecord(rest.slice(start, at), 1);
      start = at + 1;
      if (record) yield record;
    }
    rest = rest.slice(start);
    from = rest.length;
    if (rest.length > recordCharactersMax) {
      throw new UnreadableSourceError(`A record is longer than ${recordCharactersMax} characters`);
    }
  }
  const last = toRecord(rest, 0);
  if (last) yield last;
}

function toRecord(text: string, breaks: number): SourceRecord | undefined {
  const trimmed = text.endsWith("\r") ? text.slice(0, -1) : text;
  return trimmed.trim() === "" ? undefined : { text: trimmed, bytes: Buffer.byteLength(text) + breaks };
}

/** An item in DynamoDB's JSON, as exports have it. @throws {ValidationException | SerializationException} */
export function parseJsonRecord(text: string): Item {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw validation("The record is not valid JSON");
  }
  const item = typeof parsed === "object" && parsed !== null && "Item" in parsed ? parsed.Item : undefined;
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    throw validation("The record is not an object with an Item");
  }
  return parseItem({ ...item });
}

/** Fields of a line of comma-separated values, quotes taken off. @throws {ValidationException} for quotes that are not escaped */
export function parseFields(text: string, delimiter: string): readonly string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] === '"') {
      let field = "";
      for (at += 1; ; at += 1) {
        if (at >= text.length) throw validation("A quoted field does not end");
        if (text[at] !== '"') field += text[at];
        else if (text[at + 1] === '"') {
          field += '"';
          at += 1;
        } else break;
      }
      at += 1;
      fields.push(field);
      if (at < text.length && text[at] !== delimiter) throw validation("A quoted field goes on after its quotes");
    } else {
      const found = text.indexOf(delimiter, at);
      const end = found < 0 ? text.length : found;
      const field = text.slice(at, end);
      if (field.includes('"')) throw validation("A field has quotes that are not escaped");
      fields.push(field);
      at = end;
    }
    if (at >= text.length) return fields;
    at += 1;
  }
}

/**
 * An item of comma-separated values: keys of the table and its indexes have their types, all else are strings. Source: developer guide,
 * "Amazon S3 import formats for DynamoDB".
 *
 * @throws {ValidationException}
 */
export function parseCsvRecord(
  text: string,
  csv: { readonly delimiter: string; readonly header: readonly string[]; readonly keys: readonly KeyAttribute[] },
): Item {
  const fields = parseFields(text, csv.delimiter);
  if (fields.length !== csv.header.length) {
    throw validation(`The record has ${fields.length} columns, and the header ${csv.header.length}`);
  }
  const raw: Record<string, AttributeValue> = {};
  csv.header.forEach((name, at) => {
    const field = fields[at] ?? "";
    const type = csv.keys.find((each) => each.name === name)?.type ?? "S";
    setAttribute(raw, name, type === "N" ? { N: field } : type === "B" ? { B: field } : { S: field });
  });
  return parseItem(raw);
}
