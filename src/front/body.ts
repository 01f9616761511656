import { createHash, hash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { AwsError } from "../aws/error.ts";
import type { HttpRequest } from "../proxy/http-exchange.ts";
import { frontLimits } from "./limits.ts";

/** The body of one request: read once, whole or as a stream, within limits. */
export interface RequestBody {
  /** All of it, as sent: at once, where it has come. Throws the 413, or the 400 of a client that went or paused for too long. */
  whole(): Promise<Buffer> | Buffer;
  /** The hex SHA-256 of all of it. */
  sha256(): Promise<string> | string;
  /** As it comes, with back-pressure. Throws as `whole` does. */
  stream(): AsyncIterable<Uint8Array>;
}

const empty = Buffer.alloc(0);

export function createRequestBody(request: HttpRequest, bytesMax: number, beforeRead: () => void): RequestBody {
  let whole: Promise<Buffer> | Buffer | undefined;
  let sha256: string | undefined;
  const hashOf = (bytes: Buffer) => (sha256 ??= sha256Of(bytes));
  const read = () => {
    whole ??= readWhole(request, bytesMax, beforeRead);
    return whole;
  };
  return {
    whole: read,
    sha256: () => {
      const bytes = read();
      return bytes instanceof Promise ? bytes.then(hashOf) : hashOf(bytes);
    },
    stream: () => readStream(request, beforeRead),
  };
}

function isEmpty(request: HttpRequest): boolean {
  return request.headers["transfer-encoding"] === undefined && (request.headers["content-length"] ?? "0") === "0";
}

function readWhole(request: HttpRequest, bytesMax: number, beforeRead: () => void): Promise<Buffer> | Buffer {
  if (isEmpty(request)) return empty;
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) throw tooLarge(bytesMax);
  beforeRead();
  const came = request.complete ? takeCome(request) : undefined;
  if (came) {
    if (came.length > bytesMax) throw tooLarge(bytesMax);
    return came;
  }
  return new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => fail(timedOut()), frontLimits.bodyIdleMsMax);
    timer.unref();
    const stop = () => {
      clearTimeout(timer);
      request.off("data", take).off("end", finish).off("error", lost).off("close", lost);
    };
    const fail = (error: AwsError) => {
      stop();
      request.resume();
      reject(error);
    };
    const lost = () => fail(incomplete());
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      timer.refresh();
      if (bytes > bytesMax) fail(tooLarge(bytesMax));
      else chunks.push(chunk);
    };
    const finish = () => {
      stop();
      resolve(chunks.length === 1 ? (chunks[0] ?? empty) : Buffer.concat(chunks, bytes));
    };
    request.on("data", take).on("end", finish).on("error", lost).on("close", lost);
  });
}

/** A body that came with its head, as most do: it is read without waiting for it. Undefined where it is being read already. */
function takeCome(request: HttpRequest): Buffer | undefined {
  const whole = request.takeWhole?.();
  if (whole !== undefined) return whole;
  if (request.readableFlowing !== null || request.destroyed) return undefined;
  const chunks: Buffer[] = [];
  for (let chunk: unknown = request.read(); chunk instanceof Buffer; chunk = request.read()) chunks.push(chunk);
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}

async function* readStream(request: HttpRequest, beforeRead: () => void): AsyncIterable<Uint8Array> {
  if (isEmpty(request)) return;
  beforeRead();
  const came = request.takeWhole?.();
  if (came !== undefined) {
    yield came;
    return;
  }
  const timer = setTimeout(() => request.destroy(), frontLimits.bodyIdleMsMax);
  timer.unref();
  try {
    // A consumer that stops early must not tear down the connection: an answer is still to be sent on it.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      if (!(chunk instanceof Uint8Array)) continue;
      timer.refresh();
      yield chunk;
      timer.refresh();
    }
  } catch {
    throw incomplete();
  } finally {
    clearTimeout(timer);
  }
  if (!request.complete) throw incomplete();
}

/** The content, provided that its SHA-256 is what was signed; throws at its end otherwise. */
export async function* checkSha256(content: AsyncIterable<Uint8Array>, hex: string): AsyncIterable<Uint8Array> {
  const hash = createHash("sha256");
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
  const computed = hash.digest("hex");
  if (computed !== hex) throw sha256Mismatch(hex, computed);
}

export function sha256Of(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}

export function sha256Mismatch(stated: string, computed: string): AwsError {
  return new AwsError(
    "XAmzContentSHA256Mismatch",
    400,
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    {
      members: { ClientComputedContentSHA256: stated, S3ComputedContentSHA256: computed },
    },
  );
}

const unzip = promisify(gunzip);

/** A body sent with `Content-Encoding: gzip`, which SDKs do for large requests of some operations. */
export async function decompress(bytes: Buffer, bytesMax: number): Promise<Buffer> {
  try {
    return await unzip(bytes, { maxOutputLength: bytesMax });
  } catch {
    throw new AwsError("SerializationException", 400, "The request body is not well-formed gzip, or is too large");
  }
}

function tooLarge(bytesMax: number): AwsError {
  return new AwsError("RequestEntityTooLargeException", 413, `Request must be smaller than ${bytesMax} bytes`);
}

function incomplete(): AwsError {
  return new AwsError(
    "IncompleteBody",
    400,
    "You did not provide the number of bytes specified by the Content-Length HTTP header",
  );
}

function timedOut(): AwsError {
  return new AwsError(
    "RequestTimeout",
    400,
    "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.",
  );
}
