import { crc32, inflateRaw } from "node:zlib";
import { promisify } from "node:util";

/**
 * Reads zip archives from memory: the central directory alone says what is in them. Stored and deflated entries, ZIP64
 * counts. Source: PKWARE APPNOTE 6.3.9.
 */
export interface ZipEntry {
  /** Relative, `/`-separated, without `.`, `..` or empty parts. */
  readonly path: string;
  readonly kind: "file" | "folder" | "link";
  /** Unix permission bits; undefined when the archive has none. */
  readonly mode: number | undefined;
  readonly bytes: number;
  read(): Promise<Uint8Array>;
}

/** The archive is damaged, or tries to leave its folder. */
export class ZipError extends Error {}

const inflate = promisify(inflateRaw);

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;

/** @throws {ZipError} */
export function readZip(archive: Uint8Array, entriesMax: number): ZipEntry[] {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  try {
    return readEntries(bytes, entriesMax);
  } catch (error) {
    // A length or offset that points outside of the archive.
    if (error instanceof RangeError) throw new ZipError("The archive is cut off");
    throw error;
  }
}

function readEntries(bytes: Buffer, entriesMax: number): ZipEntry[] {
  const { count, offset } = findDirectory(bytes);
  if (count > entriesMax) throw new ZipError("The archive has too many entries");
  const entries: ZipEntry[] = [];
  let at = offset;
  for (let index = 0; index < count; index += 1) {
    if (bytes.readUInt32LE(at) !== centralSignature) throw new ZipError("The central directory is damaged");
    const nameLength = bytes.readUInt16LE(at + 28);
    const extraLength = bytes.readUInt16LE(at + 30);
    const commentLength = bytes.readUInt16LE(at + 32);
    entries.push(readEntry(bytes, at, nameLength));
    at += 46 + nameLength + extraLength + commentLength;
  }
  return entries;
}

function findDirectory(bytes: Buffer): { readonly count: number; readonly offset: number } {
  const lowest = Math.max(0, bytes.length - 22 - 0xffff);
  for (let at = bytes.length - 22; at >= lowest; at -= 1) {
    if (bytes.readUInt32LE(at) !== endSignature) continue;
    const count = bytes.readUInt16LE(at + 10);
    const offset = bytes.readUInt32LE(at + 16);
    if (count !== 0xffff && offset !== 0xffffffff) return { count, offset };
    if (at >= 20 && bytes.readUInt32LE(at - 20) === locator64Signature) {
      const end64 = Number(bytes.readBigUInt64LE(at - 20 + 8));
      if (bytes.readUInt32LE(end64) !== end64Signature) throw new ZipError("The ZIP64 record is damaged");
      return { count: Number(bytes.readBigUInt64LE(end64 + 32)), offset: Number(bytes.readBigUInt64LE(end64 + 48)) };
    }
    return { count, offset };
  }
  throw new ZipError("The end of the central directory is missing");
}

function readEntry(bytes: Buffer, at: number, nameLength: number): ZipEntry {
  const madeBy = bytes.readUInt16LE(at + 4) >>> 8;
  const flags = bytes.readUInt16LE(at + 8);
  const method = bytes.readUInt16LE(at + 10);
  const checksum = bytes.readUInt32LE(at + 16);
  const compressed = bytes.readUInt32LE(at + 20);
  const size = bytes.readUInt32LE(at + 24);
  const attributes = bytes.readUInt32LE(at + 38);
  const localAt = bytes.readUInt32LE(at + 42);
  const rawName = bytes.subarray(at + 46, at + 46 + nameLength);
  if (rawName.length < nameLength) throw new ZipError("The archive is cut off");
  if (flags & 1) throw new ZipError("The archive is encrypted");
  if (method !== 0 && method !== 8) throw new ZipError(`The compression method ${method} is not supported`);
  const name = rawName.toString("utf8");
  // 3 is Unix: the upper half of the attributes is a Unix mode.
  const unix = madeBy === 3 ? attributes >>> 16 : 0;
  const type = unix & 0o170000;
  const folder = name.endsWith("/") || type === 0o040000;
  return {
    path: toSafePath(name),
    kind: folder ? "folder" : type === 0o120000 ? "link" : "file",
    mode: unix === 0 ? undefined : unix & 0o777,
    bytes: size,
    read: async () => {
      const content = await readContent(bytes, localAt, compressed, size, method);
      if (crc32(content) !== checksum) throw new ZipError(`The checksum of ${name} is wrong`);
      return content;
    },
  };
}

async function readContent(bytes: Buffer, at: number, compressed: number, size: number, method: number) {
  if (at + 30 > bytes.length || bytes.readUInt32LE(at) !== localSignature) throw new ZipError("An entry is damaged");
  const from = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
  const content = bytes.subarray(from, from + compressed);
  if (content.length !== compressed) throw new ZipError("The archive is cut off");
  if (method === 0) {
    if (compressed !== size) throw new ZipError("An entry has two sizes");
    return content;
  }
  let inflated: Uint8Array;
  try {
    inflated = await inflate(content, { maxOutputLength: Math.max(1, size) });
  } catch {
    throw new ZipError("An entry does not inflate to what the archive says");
  }
  if (inflated.length !== size) throw new ZipError("An entry does not inflate to what the archive says");
  return inflated;
}

/** @throws {ZipError} for a path that is absolute or leaves the folder it is unpacked into. */
function toSafePath(name: string): string {
  if (name.startsWith("/") || name.includes("\0")) throw new ZipError(`The path ${name} is not allowed`);
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new ZipError(`The path ${name} is not allowed`);
  return parts.join("/");
}
