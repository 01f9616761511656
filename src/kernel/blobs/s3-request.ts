import { createHash, createHmac } from "node:crypto";
import type { Clock } from "../clock.ts";
import { blobLimits } from "../limits.ts";

/** An S3-compatible store, and who we are to it. */
export interface S3Location {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Before each object's name; empty or ending in a slash. Letters, digits and `-._/` only. */
  readonly prefix: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

export interface S3Request {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Below the bucket; only characters that need no encoding. Absent: the bucket. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

export type SendS3 = (request: S3Request) => Promise<Response>;

/** The store answered, and not with success; or it did not answer (status 0). Says nothing of credentials. */
export class S3PlaceError extends Error {
  readonly status: number;
  constructor(request: S3Request, status: number, found: string) {
    super(`${request.method} ${request.key ?? "bucket"} at the S3-compatible store for blobs: ${status} ${found}`);
    this.name = "S3PlaceError";
    this.status = status;
  }
}

/**
 * Sends signed requests, path style (Signature Version 4, https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html),
 * and sends again what failed for a reason that may pass: what is sent here may all be sent twice. Resolves with successes only.
 *
 * @throws {S3PlaceError}
 */
export function createS3Sender(location: S3Location, clock: Clock): SendS3 {
  async function sendOnce(request: S3Request): Promise<Response> {
    const path = `/${location.bucket}${request.key === undefined ? "" : `/${request.key}`}`;
    const query = toQuery(request.query ?? {});
    const url = new URL(location.endpoint);
    url.pathname = path;
    url.search = query;
    let response: Response;
    try {
      response = await fetch(url, {
        method: request.method,
        headers: sign(location, request, path, query, url.host, new Date(clock.now())),
        redirect: "error",
        signal: AbortSignal.timeout(blobLimits.s3AnswerMsMax),
        ...(request.body && { body: new Uint8Array(request.body) }),
      });
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new S3PlaceError(request, 0, cause instanceof Error ? cause.message : "no answer");
    }
    if (response.ok) return response;
    const text = await response.text().catch(() => "");
    throw new S3PlaceError(request, response.status, /<Code>(\w{1,60})<\/Code>/.exec(text)?.[1] ?? "");
  }

  return async (request) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await sendOnce(request);
      } catch (error) {
        if (tries >= blobLimits.s3TriesMax || !mayPass(error)) throw error;
        await new Promise<void>((resolve) => void clock.after(blobLimits.s3RetryMs * 2 ** (tries - 1), resolve));
      }
    }
  };
}

function mayPass(error: unknown): boolean {
  return error instanceof S3PlaceError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

function sign(
  { region, credentials }: S3Location,
  request: S3Request,
  path: string,
  query: string,
  host: string,
  now: Date,
): Record<string, string> {
  const time = now.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const date = time.slice(0, 8);
  const hash = sha256(request.body ?? "");
  const headers: Record<string, string> = {
    ...request.headers,
    "x-amz-content-sha256": hash,
    "x-amz-date": time,
    ...(credentials.sessionToken !== undefined && { "x-amz-security-token": credentials.sessionToken }),
  };
  const signed = Object.entries({ ...headers, host }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(";");
  const lines = signed.map(([name, value]) => `${name}:${value}\n`).join("");
  const canonical = `${request.method}\n${path}\n${query}\n${lines}\n${names}\n${hash}`;
  const scope = `${date}/${region}/s3/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`;
  const key = ["s3", "aws4_request"].reduce(hmac, hmac(hmac(`AWS4${credentials.secretAccessKey}`, date), region));
  const signature = hmac(key, toSign).toString("hex");
  const credential = `${credentials.accessKeyId}/${scope}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}

function toQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join("&");
}

/** All but the unreserved characters of RFC 3986. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
