import { createHash } from "node:crypto";
import { access, mkdir, readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Blobs } from "../../../kernel/blobs/blobs.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Store, Transaction } from "../../../kernel/store/store.ts";
import type { EcrPort } from "../../ecr/port.ts";
import { cannotUnzip, unzippedTooLarge } from "../errors.ts";
import { lambdaLimits } from "../limits.ts";
import type { CodePackage } from "../model.ts";
import { unpackLayers } from "./image-layers.ts";
import { readImageLayers } from "./images.ts";
import { unpack } from "./unpack.ts";
import { readZip, ZipError, type ZipEntry } from "./zip.ts";

/** Packages: kept zipped as blobs, and unpacked once per content into the data folder, where functions see them. */
export interface CodeStore {
  /** Check a zip, keep and unpack it. Durable when it resolves; not used by anything until `retain`. */
  receive(zip: Uint8Array): Promise<CodePackage>;
  /** Note that `owner` uses the package, in the transaction that makes it so. */
  retain(tx: Transaction, code: CodePackage, owner: string): void;
  /** `owner` uses it no more. The last one drops the content. */
  release(tx: Transaction, code: CodePackage, owner: string): Promise<void>;
  /** Where the package is unpacked; unpacks it when it is not there. */
  folder(code: CodePackage): Promise<string>;
  /** Where layers are unpacked together, later ones over earlier. */
  layersFolder(codes: readonly CodePackage[]): Promise<string | undefined>;
  /** Remove unpacked packages that nothing uses. */
  sweep(): Promise<void>;
}

export function createCodeStore(needs: {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly dataDir: string;
  readonly ecr: EcrPort;
}): CodeStore {
  const { store, blobs, ids, clock } = needs;
  const root = join(needs.dataDir, "code");
  /** Folders known to be there, or on the way. */
  const folders = new Map<string, Promise<string>>();

  /** So that no process that shares the data folder takes it for unused. */
  const touch = async (folder: string): Promise<void> => {
    const now = new Date(clock.now());
    await utimes(folder, now, now);
  };

  const ensure = async (name: string, make: (folder: string) => Promise<void>): Promise<string> => {
    const folder = join(root, name);
    const known = folders.get(name);
    if (known) {
      await known;
      // Another process may have removed what nothing used for a while.
      const isThere = await touch(folder).then(
        () => true,
        () => false,
      );
      if (isThere) return folder;
      if (folders.get(name) === known) folders.delete(name);
      return ensure(name, make);
    }
    const made = (async () => {
      await mkdir(root, { recursive: true, mode: 0o711 });
      if (!(await exists(folder))) await make(folder);
      await touch(folder);
      return folder;
    })();
    folders.set(name, made);
    made.catch(() => folders.delete(name));
    return made;
  };

  const entriesOf = async (code: CodePackage) => readZip(await blobs.readAll(code.blobId), lambdaLimits.zipEntriesMax);

  return {
    async receive(zip) {
      const hash = createHash("sha256").update(zip).digest();
      try {
        const entries = readZip(zip, lambdaLimits.zipEntriesMax);
        const unzippedBytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
        if (unzippedBytes > lambdaLimits.unzippedBytesMax) throw unzippedTooLarge(lambdaLimits.unzippedBytesMax);
        await ensure(hash.toString("hex"), (folder) => unpack(entries, folder, ids.uuid()));
        const blob = await blobs.write(zip);
        return { sha256: hash.toString("base64"), blobId: blob.id, bytes: zip.byteLength, unzippedBytes };
      } catch (error) {
        if (error instanceof ZipError) throw cannotUnzip();
        throw error;
      }
    },

    retain(tx, code, owner) {
      tx.set(["lambda", "codeUse", folderName(code), code.blobId, owner], true);
      // An image's layers are its repository's.
      if (!code.image) blobs.retain(tx, code.blobId);
    },

    async release(tx, code, owner) {
      tx.delete(["lambda", "codeUse", folderName(code), code.blobId, owner]);
      const others = await tx.range({ prefix: ["lambda", "codeUse", folderName(code), code.blobId] }, { limit: 1 });
      if (others.length === 0 && !code.image) blobs.release(tx, code.blobId);
    },

    folder: (code) =>
      ensure(folderName(code), async (folder) => {
        if (code.image) await unpackLayers(readImageLayers(code.image, needs.ecr), folder, ids.uuid());
        else await unpack(await entriesOf(code), folder, ids.uuid());
      }),

    async layersFolder(codes) {
      if (codes.length === 0) return undefined;
      const names = codes.map(folderName);
      const merged = `layers-${createHash("sha256").update(names.join("+")).digest("hex")}`;
      return ensure(merged, async (folder) => {
        const all: ZipEntry[] = [];
        for (const code of codes) all.push(...(await entriesOf(code)));
        await unpack(withoutCovered(all), folder, ids.uuid());
      });
    },

    async sweep() {
      const before = clock.now() - lambdaLimits.unusedCodeMs;
      // Which layers are merged for whom is known to each process alone: the others see it by the time.
      const merged = [...folders.keys()].filter((name) => name.startsWith("layers-"));
      await Promise.all(merged.map((name) => touch(join(root, name)).catch(() => {})));
      for (const name of await readdir(root).catch(() => [])) {
        // Merged layers that this process uses stay until it ends.
        const used = await store.read((reader) => reader.range({ prefix: ["lambda", "codeUse", name] }, { limit: 1 }));
        if (used.length > 0 || (folders.has(name) && name.startsWith("layers-"))) continue;
        const folder = join(root, name);
        const touched = await stat(folder).catch(() => undefined);
        if (!touched || touched.mtimeMs > before) continue;
        folders.delete(name);
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** A later layer's file takes the place of an earlier layer's folder or link of that name, with all below it. */
function withoutCovered(entries: readonly ZipEntry[]): ZipEntry[] {
  const kept = new Map<string, ZipEntry>();
  for (const entry of entries) {
    if (entry.path === "") continue;
    if (entry.kind !== "folder" && kept.get(entry.path)?.kind === "folder") {
      for (const path of kept.keys()) if (path.startsWith(`${entry.path}/`)) kept.delete(path);
    }
    for (let slash = entry.path.indexOf("/"); slash >= 0; slash = entry.path.indexOf("/", slash + 1)) {
      const above = entry.path.slice(0, slash);
      if (kept.has(above) && kept.get(above)?.kind !== "folder") kept.delete(above);
    }
    kept.set(entry.path, entry);
  }
  return [...kept.values()];
}

function folderName(code: CodePackage): string {
  return code.image ? code.blobId : Buffer.from(code.sha256, "base64").toString("hex");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
