import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createHttp1, type Http1Needs } from "./server.ts";

/** For tests: connections of this folder behind a listener. */
export interface TestHttp1 {
  readonly port: number;
  closeIdle(which?: "unused"): void;
  stop(): Promise<void>;
}

const answerOk: Http1Needs["onRequest"] = (_request, response) => void response.end("ok");

export async function startHttp1(needs: Partial<Http1Needs> = {}): Promise<TestHttp1> {
  const http = createHttp1({
    headerBytesMax: 32 * 1024,
    headersMsMax: 20_000,
    requestMsMax: 60_000,
    keepAliveMs: 65_000,
    lookMs: 1_000,
    onRequest: answerOk,
    onExpectContinue: (request, response) => {
      response.writeContinue();
      (needs.onRequest ?? answerOk)(request, response);
    },
    shouldUpgrade: () => false,
    onUpgrade: (_message, socket) => void socket.destroy(),
    ...needs,
  });
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => http.serve(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    closeIdle: (which) => http.closeIdle(which),
    stop: async () => {
      http.closeAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A connection on which bytes are written and read as they are. */
export interface RawClient {
  readonly socket: Socket;
  /** What has come so far, Latin 1. */
  heard(): string;
  write(text: string | Buffer): void;
  /** What has come when it contains this, so often. */
  until(text: string, times?: number): Promise<string>;
  /** What has come when the server has closed its half. */
  untilEnd(): Promise<string>;
}

export function connectRaw(port: number): RawClient {
  let heard = "";
  let ended = false;
  const looks = new Set<() => void>();
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  const look = () => {
    for (const each of looks) each();
  };
  const end = () => {
    ended = true;
    look();
  };
  socket.on("data", (chunk: Buffer) => {
    heard += chunk.toString("latin1");
    look();
  });
  socket.on("end", end).on("close", end);
  socket.on("error", () => undefined);
  const wait = (isDone: () => boolean) =>
    new Promise<string>((resolve, reject) => {
      const each = () => {
        if (!isDone() && !ended) return;
        looks.delete(each);
        if (isDone()) resolve(heard);
        else reject(new Error(`The connection ended after ${JSON.stringify(heard.slice(-500))}`));
      };
      looks.add(each);
      each();
    });
  return {
    socket,
    heard: () => heard,
    write: (text) => void socket.write(typeof text === "string" ? Buffer.from(text, "latin1") : text),
    until: (text, times = 1) => wait(() => heard.split(text).length > times),
    untilEnd: () => wait(() => ended),
  };
}
