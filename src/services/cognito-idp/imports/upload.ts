import type { IncomingMessage, ServerResponse } from "node:http";
import type { Cognito } from "../core.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { type Pool, readPool } from "../model.ts";
import { batchKey, readImport, type UploadedFile, writeImport } from "./import-job.ts";

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
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = (status: number, text = "") => {
    if (!request.complete) request.resume();
    response.writeHead(status, { "content-type": "text/plain", "content-length": Buffer.byteLength(text) });
    response.end(text);
  };
  if (request.method !== "PUT") return answer(405, "Method Not Allowed");
  const place = await open(cognito, (target.split("?", 1)[0] ?? "").slice(1));
  if (place === undefined) return answer(403, "The address is not valid, or has expired.");
  const file = await keep(cognito, place, request);
  if (typeof file === "string") return answer(400, file);
  const taken = await cognito.store.transact(async (tx) => {
    const job = await readImport(tx, place.pool, place.jobId);
    if (job?.status !== "Created") return false;
    writeImport(tx, place.pool, { ...job, file });
    return true;
  });
  answer(taken ? 200 : 409, taken ? "" : "The job has been started.");
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

/** Write a file down in batches, beside one that may be there; or what is wrong with it. */
async function keep(
  { store, ids }: Pick<Cognito, "store" | "ids">,
  { pool, jobId }: Place,
  request: IncomingMessage,
): Promise<UploadedFile | string> {
  const id = ids.uuid();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let header: string | undefined;
  let lines: string[] = [];
  let lineNumber = 0;
  let batches = 0;
  let rest = "";
  let bytes = 0;

  const flush = async () => {
    if (lines.length === 0) return;
    const batch = { firstLine: lineNumber - lines.length + 1, lines };
    const key = batchKey(pool, jobId, id, batches);
    await store.transact(async (tx) => tx.set(key, batch));
    batches += 1;
    lines = [];
  };
  const take = async (line: string) => {
    lineNumber += 1;
    if (header === undefined) header = line;
    else lines.push(line);
    if (lines.length >= limits.importBatch) await flush();
  };

  try {
    for await (const chunk of request) {
      if (!(chunk instanceof Uint8Array)) continue;
      bytes += chunk.byteLength;
      if (bytes > limits.importBytesMax) return "The file is too large.";
      rest += decoder.decode(chunk, { stream: true });
      const parts = rest.split(/\r?\n/);
      rest = parts.pop() ?? "";
      for (const line of parts) {
        if (line.length > limits.importLineCharactersMax) return "A line is too long.";
        await take(line);
      }
      if (rest.length > limits.importLineCharactersMax) return "A line is too long.";
      if (lineNumber > limits.importLinesMax) return "The file has too many lines.";
    }
    rest += decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) return "The file is not UTF-8.";
    throw error;
  }
  if (rest !== "") await take(rest);
  await flush();
  return header === undefined ? "The file is empty." : { id, header, batches };
}
