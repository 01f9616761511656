import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { connect, type Socket } from "node:net";
import { SignatureV4 } from "@smithy/signature-v4";
import { cpuTicks } from "./process.ts";

/** A server that takes signed requests. */
export interface SignedTarget {
  readonly port: number;
  readonly pid: number;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A request to be sent as it is, as often as one likes: signed ahead, so that the client's work is the same small one for all. */
export type Prepared = Buffer;

export interface Asked {
  readonly service: "dynamodb" | "s3";
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export async function prepare(target: SignedTarget, asked: Asked): Promise<Prepared> {
  const { service, method, path, query = {} } = asked;
  const body = Buffer.from(asked.body ?? "");
  const signer = new SignatureV4({
    service,
    region: "us-east-1",
    credentials: target.credentials,
    sha256: Sha256,
    uriEscapePath: service !== "s3",
    // The hash is among the headers already.
    applyChecksum: false,
  });
  const signed = await signer.sign({
    method,
    protocol: "http:",
    hostname: "127.0.0.1",
    port: target.port,
    path,
    query,
    headers: {
      host: `127.0.0.1:${target.port}`,
      "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"),
      ...asked.headers,
    },
    body,
  });
  const search = new URLSearchParams(query).toString();
  let head = `${method} ${path}${search === "" ? "" : `?${search}`} HTTP/1.1\r\n`;
  for (const [name, value] of Object.entries(signed.headers)) head += `${name}: ${value}\r\n`;
  head += `content-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), body]);
}

export interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the server for each request: what other work on the machine hardly changes. */
  readonly serverMicros: number;
}

/** Sends the requests in turn, so many at a time, each on a connection of its own. Rejects when one is answered by anything but 2xx. */
export async function load(
  target: SignedTarget,
  requests: readonly Prepared[],
  options: {
    readonly inFlight: number;
    readonly ms: number;
    /** End after so many, where that is sooner. */
    readonly count?: number;
  },
): Promise<Load> {
  const clients = await Promise.all(Array.from({ length: options.inFlight }, () => openClient(target.port)));
  try {
    const count = options.count ?? Number.POSITIVE_INFINITY;
    let next = 0;
    const took: number[] = [];
    const before = cpuTicks([target.pid]);
    const from = performance.now();
    const until = from + options.ms;
    const work = async (client: Client) => {
      for (let now = performance.now(); now < until && next < count;) {
        const request = requests[next++ % requests.length] ?? Buffer.alloc(0);
        const { status, text } = await client.send(request);
        if (status >= 300) throw new Error(`Answered ${status}: ${text()}`);
        const ended = performance.now();
        took.push(ended - now);
        now = ended;
      }
    };
    await Promise.all(clients.map(work));
    const seconds = (performance.now() - from) / 1_000;
    took.sort((a, b) => a - b);
    const quantile = (share: number) => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? Number.NaN;
    return {
      perSecond: took.length / seconds,
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
      serverMicros: ((cpuTicks([target.pid]) - before) * 10_000) / took.length,
    };
  } finally {
    for (const client of clients) client.close();
  }
}

/** Sends one request after another on so many connections, until there is none left; rejects when one is answered by anything but 2xx. */
export async function sendAll(
  target: SignedTarget,
  inFlight: number,
  next: () => Promise<Prepared> | undefined,
): Promise<void> {
  const work = async () => {
    const client = await openClient(target.port);
    try {
      for (let request = next(); request; request = next()) {
        const { status, text } = await client.send(await request);
        if (status >= 300) throw new Error(`Answered ${status}: ${text()}`);
      }
    } finally {
      client.close();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
}

/** One request by itself; its answer's status and body. */
export async function sendOnce(target: SignedTarget, request: Prepared): Promise<{ status: number; body: string }> {
  const client = await openClient(target.port);
  try {
    const { status, text } = await client.send(request);
    return { status, body: text() };
  } finally {
    client.close();
  }
}

interface Answer {
  readonly status: number;
  /** As much as was kept, for messages. */
  text(): string;
}

interface Client {
  send(request: Buffer): Promise<Answer>;
  close(): void;
}

const keptBytes = 64 * 1024;

/** The least that HTTP/1.1 asks of a client, so that as little as possible of the machine is the client's. */
async function openClient(port: number): Promise<Client> {
  const socket = await new Promise<Socket>((resolve, reject) => {
    const opened = connect({ port, host: "127.0.0.1", noDelay: true }, () => resolve(opened));
    opened.once("error", reject);
  });
  let settle: ((answer: Answer) => void) | undefined;
  let fail: ((error: Error) => void) | undefined;
  let head: Buffer = Buffer.alloc(0);
  let kept: Buffer[] = [];
  let keptLength = 0;
  /** Bytes of the body to come; undefined until the head is complete, -1 for a chunked one. */
  let left: number | undefined;
  let status = 0;
  let tail = "";
  const finish = () => {
    const answered = settle;
    const chunks = kept;
    [settle, fail, left, kept, keptLength, tail] = [undefined, undefined, undefined, [], 0, ""];
    head = Buffer.alloc(0);
    answered?.({ status, text: () => Buffer.concat(chunks).toString("utf8") });
  };
  const take = (chunk: Buffer) => {
    if (keptLength < keptBytes) kept.push(chunk);
    keptLength += chunk.length;
    if (left === -1) {
      tail = (tail + chunk.subarray(-8).toString("latin1")).slice(-8);
      if (tail.endsWith("0\r\n\r\n")) finish();
      return;
    }
    left = (left ?? 0) - chunk.length;
    if (left <= 0) finish();
  };
  socket.on("data", (chunk: Buffer) => {
    if (left !== undefined) return take(chunk);
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const text = head.toString("latin1", 0, end);
    status = Number(text.slice(9, 12));
    const rest = head.subarray(end + 4);
    if (status === 100) {
      head = rest;
      return;
    }
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    left = length === undefined ? (/\r\ntransfer-encoding: *chunked/i.test(text) ? -1 : 0) : Number(length);
    if (left === 0) finish();
    else if (rest.length > 0) take(rest);
  });
  const lost = () => fail?.(new Error("The server has closed a connection"));
  socket.once("error", (error) => fail?.(error));
  socket.once("close", lost);
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        [settle, fail] = [resolve, reject];
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}

/** SHA-256 as the signer wants it. */
class Sha256 {
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", toBytes(secret));
  }

  update(chunk: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(toBytes(chunk));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()));
  }

  reset(): void {}
}

function toBytes(chunk: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof chunk === "string") return Buffer.from(chunk);
  return ArrayBuffer.isView(chunk) ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.from(chunk);
}
