import { createReadStream } from "node:fs";
import { link, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { openFileBlobs } from "../blobs/file-blobs.ts";
import { createStoreBlobs } from "../blobs/store-blobs.ts";
import type { Store } from "../store/store.ts";
import { ArchiveError, type Frame } from "./archive.ts";

/** Content of blobs that lies beside the store, in the folder of `createBlobs`. */
export interface Contents {
  /** Write content under the id it had. Durable when it resolves. */
  write(id: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * Hold what is there at this moment, so that what is removed meanwhile can still be read. Costs a link for each file.
   *
   * @param until epoch milliseconds: what was written later is left out
   */
  hold(until: number): Promise<HeldContents>;
  isEmpty(): Promise<boolean>;
  /** Remove everything. */
  clear(): Promise<void>;
}

export interface HeldContents {
  readonly count: number;
  read(): AsyncIterable<Frame>;
  release(): Promise<void>;
}

const idPattern = /^f[a-z0-9]{40}$/;
const chunkBytes = 256 * 1024;

/** The clock of the file system lags a little behind. */
const slackMs = 20;

export function contentsOf(folder: string): Contents {
  return {
    write: async (id, content) => {
      assertId(id);
      await (await openFileBlobs(folder)).write(id, content);
    },
    hold: async (until) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // Beside it, where links can be made, and where nobody looks for content.
      const held = await mkdtemp(`${folder}-held-`);
      let count = 0;
      for (const path of await filesIn(folder)) {
        if (await holdFile(path, join(held, basename(path)), until)) count += 1;
      }
      return {
        count,
        read: async function* () {
          for (const id of (await readdir(held)).toSorted()) {
            yield { kind: "content", id };
            const source: AsyncIterable<Buffer> = createReadStream(join(held, id), { highWaterMark: chunkBytes });
            for await (const bytes of source) yield { kind: "chunk", bytes };
          }
        },
        release: () => rm(held, { recursive: true, force: true }),
      };
    },
    isEmpty: async () => (await filesIn(folder)).length === 0,
    clear: async () => {
      for (const path of await filesIn(folder)) await rm(path, { force: true });
    },
  };
}

/** Content in the store itself, where nodes share no disk: its snapshot holds it, and what was a file becomes pieces there. */
export function contentsInStore(store: Store): Contents {
  const inStore = createStoreBlobs(store);
  return {
    write: async (id, content) => {
      assertId(id);
      await inStore.write(id, content);
    },
    hold: () => Promise.resolve({ count: 0, read: async function* () {}, release: () => Promise.resolve() }),
    isEmpty: () => Promise.resolve(true),
    clear: () => Promise.resolve(),
  };
}

/** False when the file is newer, or gone: what has been collected belongs to nothing any more. */
async function holdFile(path: string, held: string, until: number): Promise<boolean> {
  try {
    if ((await stat(path)).mtimeMs > until + slackMs) return false;
    await link(path, held);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && idPattern.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** It becomes part of a path. */
function assertId(id: string): void {
  if (!idPattern.test(id)) throw new ArchiveError("The backup holds content under an id that is none");
}
