import type { Reader } from "../../../kernel/store/store.ts";
import type { HttpRequest, HttpResponse } from "../../../proxy/http-exchange.ts";
import type { Cognito } from "../core.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { type Pool, readPool } from "../model.ts";
import {
  batchKey,
  deleteLines,
  filePrefix,
  type ImportJob,
  readImport,
  statusOf,
  type UploadedFile,
  writeImport,
} from "./import-job.ts";

/** No domain of a pool can be called so. */
export const uploadDomain = "-import";

/** The address that a job's file is put at: whoever has it may, for a quarter of an hour. */
export function uploadUrl(
  { seal }: Pick<Cognito, "seal">,
  endpoint: string,
  pool: Pool,
  jobId: string,
  createdAt: number,
): string {
  const sealed = seal.seal(Buffer.from(JSON.stringify(["import", pool.id, jobId, createdAt + limits.importUploadMs])));
  return `${endpoint}/_cumulet/auth/${uploadDomain}/${Buffer.from(sealed).toString("base64url")}`;
}

/** `PUT` of a file of users. */
export async function answerUpload(
  cognito: Pick<Cognito, "seal" | "store" | "clock" | "ids">,
  target: string,
  request: HttpRequest,
  response: HttpResponse,
): Promise<void> {
  const answer = (status: number, text = "") => {
    if (!request.complete) request.resume();
    response.writeHead(status, { "content-type": "text/plain", "content-length": Buffer.byteLength(text) });
    response.end(text);
  };
  if (request.method !== "PUT") return answer(405, "Method Not Allowed");
  const place = await open(cognito, (target.split("?", 1)[0] ?? "").slice(1));
  if (place === undefined) return answer(403, "The address is not valid, or has expired.");
  const { pool, jobId } = place;
  const fileId = cognito.ids.uuid();
  let refused: RefusedFile | undefined;
  try {
    const file = await keep(cognito, place, fileId, request);
    await cognito.store.transact(async (tx) => {
      const job = await awaitedJob(tx, cognito, place);
      // The file before has as many batches as it says, and they go with it.
      for (let at = 0; at < (job.file?.batches ?? 0); at += 1) tx.delete(batchKey(pool, jobId, job.file?.id ?? "", at));
      writeImport(tx, pool, { ...job, file });
    });
  } catch (error) {
    // Whoever sent it is gone: nobody reads an answer.
    if (request.errored) return;
    if (!(error instanceof RefusedFile)) throw error;
    refused = error;
  } finally {
    await forgetUnlessTaken(cognito, place, fileId);
  }
  answer(refused?.status ?? 200, refused?.message);
}

/** What was written of a file that has not become the job's goes. When this fails too, it goes when the job expires. */
async function forgetUnlessTaken({ store }: Pick<Cognito, "store">, { pool, jobId }: Place, id: string): Promise<void> {
  const job = await store.read((reader) => readImport(reader, pool, jobId));
  if (job?.file?.id === id) return;
  await deleteLines(store, (body) => store.transact(body), filePrefix(pool, jobId, id));
}

class RefusedFile extends Error {
  readonly status: number;

  constructor(message: string, status = 400) {
    super(message);
    this.name = "RefusedFile";
    this.status = status;
  }
}

/** A job that takes a file still. @throws {RefusedFile} */
async function awaitedJob(
  reader: Reader,
  { clock }: Pick<Cognito, "clock">,
  { pool, jobId }: Place,
): Promise<ImportJob> {
  const job = await readImport(reader, pool, jobId);
  if (!job || statusOf(job, clock.now()) !== "Created") throw new RefusedFile("The job has been started.", 409);
  return job;
}

interface Place {
  readonly pool: Pool;
  readonly jobId: string;
}

async function open(
  { seal, store, clock }: Pick<Cognito, "seal" | "store" | "clock">,
  token: string,
): Promise<Place | undefined> {
  const opened = seal.open(Buffer.from(token, "base64url"));
  if (opened === undefined) return undefined;
  // Sealed by us, so it has the shape that uploadUrl gave it, if it is one at all.
  const [kind, poolId, jobId, until]: readonly unknown[] = JSON.parse(Buffer.from(opened).toString("utf8"));
  if (kind !== "import" || typeof until !== "number" || until <= clock.now()) return undefined;
  const pool = await store.read((reader) => readPool(reader, String(poolId)));
  return pool && { pool, jobId: String(jobId) };
}

/** Write a file down in batches, beside one that may be there. @throws {RefusedFile} */
async function keep(
  cognito: Pick<Cognito, "store" | "clock">,
  place: Place,
  id: string,
  request: HttpRequest,
): Promise<UploadedFile> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let header: string | undefined;
  let lines: string[] = [];
  let characters = 0;
  let lineNumber = 0;
  let batches = 0;
  let rest = "";
  let bytes = 0;

  const flush = async () => {
    if (lines.length === 0) return;
    const batch = { firstLine: lineNumber - lines.length + 1, lines };
    const key = batchKey(place.pool, place.jobId, id, batches);
    await cognito.store.transact(async (tx) => {
      // Whoever starts, ends or forgets the job need not look for lines that come later.
      await awaitedJob(tx, cognito, place);
      tx.set(key, batch);
    });
    batches += 1;
    characters = 0;
    lines = [];
  };
  const take = async (line: string) => {
    lineNumber += 1;
    if (header === undefined) header = line;
    else {
      lines.push(line);
      characters += line.length;
    }
    if (lines.length >= limits.importBatch || characters >= limits.importBatchCharacters) await flush();
  };

  try {
    // What ends the loop is answered: the connection stays.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      if (!(chunk instanceof Uint8Array)) continue;
      bytes += chunk.byteLength;
      if (bytes > limits.importBytesMax) throw new RefusedFile("The file is too large.");
      rest += decoder.decode(chunk, { stream: true });
      const parts = rest.split(/\r?\n/);
      rest = parts.pop() ?? "";
      for (const line of parts) {
        if (line.length > limits.importLineCharactersMax) throw new RefusedFile("A line is too long.");
        await take(line);
      }
      if (rest.length > limits.importLineCharactersMax) throw new RefusedFile("A line is too long.");
      if (lineNumber > limits.importLinesMax) throw new RefusedFile("The file has too many lines.");
    }
    rest += decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) throw new RefusedFile("The file is not UTF-8.");
    throw error;
  }
  if (rest !== "") await take(rest);
  await flush();
  if (header === undefined) throw new RefusedFile("The file is empty.");
  return { id, header, batches };
}
