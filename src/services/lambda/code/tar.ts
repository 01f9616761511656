/** One entry of a tar archive. `content` must be read, or left, before the next entry is asked for. */
export interface TarEntry {
  readonly kind: "file" | "folder" | "link" | "hardLink" | "other";
  /** As the archive says, never to be trusted. */
  readonly path: string;
  readonly linkTarget: string;
  readonly mode: number;
  readonly bytes: number;
  /** Epoch seconds. */
  readonly modifiedAt: number;
  readonly content: AsyncIterable<Uint8Array>;
}

export class TarError extends Error {}

const blockBytes = 512;
/** Of extended headers, which hold names and the like. */
const extensionBytesMax = 1024 * 1024;

/**
 * The entries of a tar archive: ustar, with the extensions of POSIX (pax) and GNU for long names and large files.
 *
 * @throws {TarError}
 */
export async function* readTar(archive: AsyncIterable<Uint8Array>): AsyncIterable<TarEntry> {
  const source = createSource(archive);
  let pax: ReadonlyMap<string, string> = new Map();
  let longName: string | undefined;
  let longTarget: string | undefined;
  for (;;) {
    const header = await source.exactly(blockBytes, true);
    if (header === undefined || header.every((byte) => byte === 0)) {
      await source.drain();
      return;
    }
    checkSum(header);
    const type = String.fromCharCode(header[156] ?? 0);
    const paxSize = pax.get("size");
    const bytes = paxSize === undefined ? numberAt(header, 124, 12) : Number(paxSize);
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new TarError("An entry has no size");
    const padding = (blockBytes - (bytes % blockBytes)) % blockBytes;
    if ("xgLK".includes(type)) {
      if (bytes > extensionBytesMax) throw new TarError("An extended header is too large");
      const text = await source.exactly(bytes);
      await source.exactly(padding);
      if (type === "x") pax = parsePax(text ?? new Uint8Array());
      if (type === "L") longName = cString(text ?? new Uint8Array());
      if (type === "K") longTarget = cString(text ?? new Uint8Array());
      continue;
    }
    const kind = kindOf(type);
    const size = kind === "file" ? bytes : 0;
    const skip = kind === "other" ? bytes + padding : kind === "file" ? padding : 0;
    const content = source.stream(size);
    yield {
      kind,
      path: pax.get("path") ?? longName ?? nameOf(header),
      linkTarget: pax.get("linkpath") ?? longTarget ?? cString(header.subarray(157, 257)),
      mode: numberAt(header, 100, 8),
      bytes: size,
      modifiedAt: Number(pax.get("mtime") ?? numberAt(header, 136, 12)) || 0,
      content,
    };
    for await (const _rest of content);
    for await (const _rest of source.stream(skip));
    pax = new Map();
    longName = undefined;
    longTarget = undefined;
  }
}

function kindOf(type: string): TarEntry["kind"] {
  switch (type) {
    case "0":
    case "\0":
    case "7":
      return "file";
    case "1":
      return "hardLink";
    case "2":
      return "link";
    case "5":
      return "folder";
    default:
      return "other";
  }
}

function nameOf(header: Uint8Array): string {
  const name = cString(header.subarray(0, 100));
  const ustar = Buffer.from(header.subarray(257, 263)).toString("latin1") === "ustar\0";
  const prefix = ustar ? cString(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function checkSum(header: Uint8Array): void {
  let sum = 0;
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 32 : byte;
  if (sum !== numberAt(header, 148, 8)) throw new TarError("A header's checksum is wrong");
}

/** Octal text; or, with the highest bit set, a binary number. */
function numberAt(header: Uint8Array, at: number, length: number): number {
  const field = Buffer.from(header.subarray(at, at + length));
  if (((field[0] ?? 0) & 0x80) !== 0) {
    let value = (field[0] ?? 0) & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return value;
  }
  const text = cString(field).trim();
  if (!/^[0-7]*$/.test(text)) throw new TarError("A header holds no number where one is due");
  return text === "" ? 0 : Number.parseInt(text, 8);
}

function cString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString("utf8");
}

/** `LENGTH KEY=VALUE\n` records. */
function parsePax(bytes: Uint8Array): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  const text = Buffer.from(bytes);
  for (let at = 0; at < text.length;) {
    const space = text.indexOf(32, at);
    const length = Number(text.subarray(at, space).toString("latin1"));
    if (space < 0 || !Number.isSafeInteger(length) || length < 5 || at + length > text.length) {
      throw new TarError("An extended header is malformed");
    }
    const record = text.subarray(space + 1, at + length - 1).toString("utf8");
    const equals = record.indexOf("=");
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function createSource(archive: AsyncIterable<Uint8Array>) {
  const iterator = archive[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();

  const more = async (): Promise<boolean> => {
    const step = await iterator.next();
    if (step.done) return false;
    rest = step.value;
    return true;
  };

  return {
    /** @param mayEnd whether the archive may be over here */
    async exactly(bytes: number, mayEnd = false): Promise<Uint8Array | undefined> {
      const chunks: Uint8Array[] = [];
      let got = 0;
      while (got < bytes) {
        if (rest.length === 0 && !(await more())) {
          if (mayEnd && got === 0) return undefined;
          throw new TarError("The archive ends early");
        }
        const chunk = rest.subarray(0, bytes - got);
        rest = rest.subarray(chunk.length);
        got += chunk.length;
        chunks.push(chunk);
      }
      return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    },
    /** What has not been read of so many bytes: can be begun again where it was left. */
    stream(bytes: number): AsyncIterable<Uint8Array> {
      let left = bytes;
      return {
        async *[Symbol.asyncIterator]() {
          while (left > 0) {
            if (rest.length === 0 && !(await more())) throw new TarError("The archive ends early");
            const chunk = rest.subarray(0, left);
            rest = rest.subarray(chunk.length);
            left -= chunk.length;
            yield chunk;
          }
        },
      };
    },
    /** What follows the end of an archive is padding; it is read so that the whole has been decompressed. */
    async drain(): Promise<void> {
      while (await more());
      rest = new Uint8Array();
    },
  };
}
