import { WebSocket } from "ws";

/** For tests: a client of a WebSocket API. */
export interface TestClient {
  readonly socket: WebSocket;
  /** The next message, as text. */
  next(): Promise<string>;
  send(value: unknown): void;
  /** Resolves with the code and reason with which the connection ended. */
  readonly closed: Promise<readonly [code: number, reason: string]>;
}

/** A handshake that was refused. */
export class RefusedHandshake extends Error {
  readonly status: number;
  readonly body: string;
  constructor(status: number, body: string) {
    super(`The handshake was answered with ${status}: ${body}`);
    this.status = status;
    this.body = body;
  }
}

/** Rejects with a `RefusedHandshake` where the server answers anything else than a 101. */
export function connectClient(
  url: string,
  options: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly subprotocols?: string[];
    /** For `wss:`. */
    readonly tls?: { readonly servername: string; readonly ca: string };
  } = {},
): Promise<TestClient> {
  const socket = new WebSocket(url, options.subprotocols ?? [], { headers: { ...options.headers }, ...options.tls });
  const messages: string[] = [];
  const waiting: ((message: string) => void)[] = [];
  socket.on("message", (data) => {
    const text = data.toString();
    const waiter = waiting.shift();
    if (waiter === undefined) messages.push(text);
    else waiter(text);
  });
  const closed = new Promise<readonly [number, string]>((resolve) => {
    socket.on("close", (code, reason) => resolve([code, reason.toString("utf8")]));
  });
  const client: TestClient = {
    socket,
    closed,
    next: () => {
      const message = messages.shift();
      return message === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(message);
    },
    send: (value) => socket.send(typeof value === "string" ? value : JSON.stringify(value)),
  };
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(client));
    socket.on("error", reject);
    socket.once("unexpected-response", (_request, response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
      response.on("end", () => reject(new RefusedHandshake(response.statusCode ?? 0, body)));
    });
  });
}
