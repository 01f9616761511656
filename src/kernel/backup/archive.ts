import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";

/**
 * An archive: a line that names the format and its version, then, compressed with gzip, frames: a letter, the length of
 * the payload in four bytes (big-endian), the payload. The last frame tells how many there are and the SHA-256 of all
 * bytes before it, so that an archive that was cut off or changed is known for one before anything is made of it.
 */
export type Frame =
  /** Once, first. */
  | { readonly kind: "head"; readonly head: ArchiveHead }
  | { readonly kind: "entries"; readonly entries: readonly ArchiveEntry[] }
  /** What follows until the next frame of another kind is content with this id. */
  | { readonly kind: "content"; readonly id: string }
  | { readonly kind: "chunk"; readonly bytes: Uint8Array }
  /** A file of the data folder. */
  | { readonly kind: "file"; readonly name: string; readonly text: string };

export interface ArchiveHead {
  /** ISO 8601. */
  readonly createdAt: string;
  readonly program: string;
  /** Whether the platform's secrets are in it. */
  readonly withKeys: boolean;
}

/** Key and value as the store encodes them. */
export interface ArchiveEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** What is no archive, or not a whole one, or one that this version cannot read. */
export class ArchiveError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ArchiveError";
  }
}

const version = 1;
const magic = /^cumulet-backup (\d{1,6})\n/;
const magicBytesMax = 32;
const headerBytes = 5;
const frameBytesMax = 8 * 1024 * 1024;
const kinds = { head: "H", entries: "E", content: "B", chunk: "C", file: "F" } as const;
const endLetter = "Z";

interface End {
  readonly frames: number;
  readonly sha256: string;
}

/** Write an archive to a new file, for its owner alone. Durable when it resolves. @throws where the file exists */
export async function writeArchive(path: string, frames: AsyncIterable<Frame>): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.write(`cumulet-backup ${version}\n`);
    await pipeline(
      Readable.from(toBytes(frames), { objectMode: false }),
      createGzip({ level: 1 }),
      async (packed: AsyncIterable<Buffer>) => {
        for await (const chunk of packed) await file.appendFile(chunk);
      },
    );
    await file.sync();
  } finally {
    await file.close();
  }
}

async function* toBytes(frames: AsyncIterable<Frame>): AsyncIterable<Buffer> {
  const hash = createHash("sha256");
  let count = 0;
  for await (const frame of frames) {
    const payload = encodeFrame(frame);
    const header = toHeader(kinds[frame.kind], payload.length);
    hash.update(header).update(payload);
    count += 1;
    yield header;
    if (payload.length > 0) yield payload;
  }
  const end: End = { frames: count, sha256: hash.digest("hex") };
  const payload = Buffer.from(JSON.stringify(end));
  yield toHeader(endLetter, payload.length);
  yield payload;
}

/**
 * The frames of an archive, as far as it can be read.
 *
 * @throws {ArchiveError} at the place where it is damaged; at its end, when what came before was not what was written
 */
export async function* readArchive(path: string): AsyncIterable<Frame> {
  const start = await readMagic(path);
  const source = createReadStream(path, { start });
  const plain = createGunzip();
  // A failure of the file ends the reading of what it unpacks to.
  source.on("error", (error) => plain.destroy(error));
  const bytes = createTaker(source.pipe(plain));
  const hash = createHash("sha256");
  let count = 0;
  try {
    for (;;) {
      const header = await bytes.take(headerBytes);
      const letter = String.fromCharCode(header[0] ?? 0);
      const length = header.readUInt32BE(1);
      if (length > frameBytesMax) throw damaged();
      const payload = await bytes.take(length);
      if (letter === endLetter) {
        checkEnd(payload, count, hash);
        if (!(await bytes.isAtEnd())) throw damaged();
        return;
      }
      hash.update(header).update(payload);
      count += 1;
      yield decodeFrame(letter, payload, count === 1);
    }
  } finally {
    source.destroy();
    plain.destroy();
  }
}

async function readMagic(path: string): Promise<number> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(magicBytesMax), 0, magicBytesMax, 0);
    const match = magic.exec(buffer.toString("latin1", 0, bytesRead));
    if (!match) throw new ArchiveError(`${path} is not a backup`);
    if (Number(match[1]) > version) {
      throw new ArchiveError(
        `${path} has format ${match[1]}, which a newer version of the program wrote; this one reads format ${version}`,
      );
    }
    return match[0].length;
  } finally {
    await file.close();
  }
}

/** Takes so many bytes at a time from a stream of chunks. */
function createTaker(source: AsyncIterable<Buffer>) {
  const iterator = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);

  async function next(): Promise<Buffer | undefined> {
    try {
      const step = await iterator.next();
      return step.done ? undefined : step.value;
    } catch (error) {
      if (error instanceof Error && "code" in error && String(error.code).startsWith("Z_")) throw damaged();
      throw error;
    }
  }

  return {
    take: async (count: number): Promise<Buffer> => {
      const parts = [rest];
      let have = rest.length;
      while (have < count) {
        const chunk = await next();
        if (!chunk) throw damaged();
        parts.push(chunk);
        have += chunk.length;
      }
      const all = parts.length === 1 ? rest : Buffer.concat(parts, have);
      rest = all.subarray(count);
      return all.subarray(0, count);
    },
    isAtEnd: async () => rest.length === 0 && (await next()) === undefined,
  };
}

function damaged(): ArchiveError {
  return new ArchiveError("The backup is damaged or was cut off");
}

function checkEnd(payload: Buffer, count: number, hash: Hash): void {
  const end = parseJson(payload);
  if (end["frames"] !== count || end["sha256"] !== hash.digest("hex")) throw damaged();
}

function toHeader(letter: string, length: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.write(letter, "latin1");
  header.writeUInt32BE(length, 1);
  return header;
}

function encodeFrame(frame: Frame): Buffer {
  switch (frame.kind) {
    case "head":
      return Buffer.from(JSON.stringify(frame.head));
    case "entries":
      return Buffer.concat(
        frame.entries.flatMap(({ key, value }) => {
          const lengths = Buffer.alloc(6);
          lengths.writeUInt16BE(key.length);
          lengths.writeUInt32BE(value.length, 2);
          return [lengths, key, value];
        }),
      );
    case "content":
      return Buffer.from(frame.id);
    case "chunk":
      return Buffer.from(frame.bytes.buffer, frame.bytes.byteOffset, frame.bytes.byteLength);
    case "file":
      return Buffer.from(JSON.stringify({ name: frame.name, text: frame.text }));
  }
}

function decodeFrame(letter: string, payload: Buffer, first: boolean): Frame {
  if (first !== (letter === kinds.head)) throw damaged();
  switch (letter) {
    case kinds.head: {
      const { createdAt, program, withKeys } = parseJson(payload);
      return {
        kind: "head",
        head: { createdAt: String(createdAt), program: String(program), withKeys: withKeys === true },
      };
    }
    case kinds.entries:
      return { kind: "entries", entries: decodeEntries(payload) };
    case kinds.content:
      return { kind: "content", id: payload.toString("latin1") };
    case kinds.chunk:
      return { kind: "chunk", bytes: payload };
    case kinds.file: {
      const { name, text } = parseJson(payload);
      return { kind: "file", name: String(name), text: String(text) };
    }
    default:
      throw damaged();
  }
}

function decodeEntries(payload: Buffer): readonly ArchiveEntry[] {
  const entries: ArchiveEntry[] = [];
  let at = 0;
  while (at < payload.length) {
    if (at + 6 > payload.length) throw damaged();
    const keyEnd = at + 6 + payload.readUInt16BE(at);
    const valueEnd = keyEnd + payload.readUInt32BE(at + 2);
    if (valueEnd > payload.length) throw damaged();
    entries.push({ key: payload.subarray(at + 6, keyEnd), value: payload.subarray(keyEnd, valueEnd) });
    at = valueEnd;
  }
  return entries;
}

function parseJson(payload: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(payload.toString());
    if (typeof value === "object" && value !== null) return { ...value };
  } catch {
    // Told below, as for what is JSON and no object.
  }
  throw damaged();
}
