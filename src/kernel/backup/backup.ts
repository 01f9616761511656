import type { Clock } from "../clock.ts";
import type { Store } from "../store/store.ts";
import { type ArchiveHead, ArchiveError, type Frame, readArchive, writeArchive } from "./archive.ts";
import type { Contents } from "./contents.ts";
import { fillStore } from "./incomplete.ts";
import { readEntries, writeEntries } from "./snapshot.ts";

/** What a copy is made of. */
export interface Place {
  readonly store: Store;
  /** Content beside the store. */
  readonly contents: Contents;
}

/** A file of the data folder that goes with it. */
export interface KeptFile {
  readonly name: string;
  readonly text: string;
}

export interface Copied {
  readonly entries: number;
  readonly contents: number;
}

/**
 * Write everything to a new archive, as it was at one moment. The store may be in use meanwhile; nobody waits for this.
 */
export async function backUp(
  place: Place,
  path: string,
  about: {
    readonly clock: Clock;
    readonly program: string;
    /** Secrets that are to go with it; absent: none. */
    readonly keys?: readonly KeptFile[];
  },
): Promise<Copied> {
  const { clock, program, keys } = about;
  const head = { createdAt: new Date(clock.now()).toISOString(), program, withKeys: keys !== undefined };
  const files = (keys ?? []).map((file): Frame => ({ kind: "file", name: file.name, text: file.text }));
  let copied: Copied = { entries: 0, contents: 0 };
  await withFrames(place, clock, async (frames) => {
    await writeArchive(
      path,
      counted(concat([{ kind: "head", head }, ...files], frames), (sum) => {
        copied = sum;
      }),
    );
  });
  return copied;
}

/** Read an archive to its end. @throws {ArchiveError} where it is not whole */
export async function checkArchive(
  path: string,
): Promise<{ readonly head: ArchiveHead; readonly files: readonly KeptFile[] }> {
  let head: ArchiveHead | undefined;
  const files: KeptFile[] = [];
  for await (const frame of readArchive(path)) {
    if (frame.kind === "head") head = frame.head;
    if (frame.kind === "file") files.push({ name: frame.name, text: frame.text });
  }
  if (!head) throw new ArchiveError("The backup is damaged or was cut off");
  return { head, files };
}

/** Make a place hold what the archive holds and nothing else. The archive has been checked. */
export function restoreArchive(place: Place, path: string): Promise<Copied> {
  return fill(place, readArchive(path));
}

/** Make a place hold what another holds and nothing else. Nobody may be using either. */
export async function copyPlace(from: Place, to: Place, clock: Clock): Promise<Copied> {
  let copied: Copied = { entries: 0, contents: 0 };
  await withFrames(from, clock, async (frames) => {
    copied = await fill(to, frames);
  });
  return copied;
}

/** Hand on all entries and contents, of one moment. */
async function withFrames(
  place: Place,
  clock: Clock,
  body: (frames: AsyncIterable<Frame>) => Promise<void>,
): Promise<void> {
  await place.store.read(async (reader) => {
    // A snapshot begins when something is read of it.
    await reader.get(["incomplete"]);
    const held = await place.contents.hold(clock.now());
    try {
      await body(concat(readEntries(reader), held.read()));
    } finally {
      await held.release();
    }
  });
}

async function fill(place: Place, frames: AsyncIterable<Frame>): Promise<Copied> {
  let copied: Copied = { entries: 0, contents: 0 };
  await fillStore(place.store, async () => {
    await place.contents.clear();
    const source = counted(frames, (sum) => {
      copied = sum;
    })[Symbol.asyncIterator]();
    let step = await source.next();
    while (!step.done) {
      const frame = step.value;
      if (frame.kind === "entries") await place.store.transact(async (tx) => writeEntries(tx, frame.entries));
      else if (frame.kind === "content") {
        const next = createChunks(source);
        await place.contents.write(frame.id, next.chunks());
        step = next.after();
        continue;
      } else if (frame.kind === "chunk") throw new ArchiveError("The backup holds content without an id");
      step = await source.next();
    }
  });
  return copied;
}

/** The chunks that follow, and the frame that is the first of another kind. */
function createChunks(source: AsyncIterator<Frame>) {
  let after: IteratorResult<Frame> = { done: true, value: undefined };
  return {
    chunks: async function* (): AsyncIterable<Uint8Array> {
      for (after = await source.next(); !after.done && after.value.kind === "chunk"; after = await source.next()) {
        yield after.value.bytes;
      }
    },
    after: () => after,
  };
}

async function* counted(frames: AsyncIterable<Frame>, done: (sum: Copied) => void): AsyncGenerator<Frame> {
  let entries = 0;
  let contents = 0;
  for await (const frame of frames) {
    if (frame.kind === "entries") entries += frame.entries.length;
    if (frame.kind === "content") contents += 1;
    yield frame;
  }
  done({ entries, contents });
}

async function* concat(
  first: AsyncIterable<Frame> | Iterable<Frame>,
  second: AsyncIterable<Frame>,
): AsyncIterable<Frame> {
  yield* first;
  yield* second;
}
