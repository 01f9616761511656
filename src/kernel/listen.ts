import { createServer, type AddressInfo, type Server, type ServerOpts, type Socket } from "node:net";

/** What listens on loopback beside a listener on another address. */
export interface Listening {
  readonly port: number;
  readonly host: string;
  /** Absent where the listener itself is reached by 127.0.0.1. */
  readonly beside?: Server;
}

interface Beside extends ServerOpts {
  readonly connectionsMax?: number;
  /** A connection that has come by 127.0.0.1. */
  readonly accept: (socket: Socket) => void;
}

/** That often another free port is asked for, where the one that was got is taken on loopback. */
const triesMax = 16;

/**
 * Listens on `host`, and on 127.0.0.1 with the same port where `host` is another address: by it functions and the commands
 * reach the platform.
 *
 * @param port 0 takes one that is free
 * @throws what listening throws (EADDRINUSE …); then neither listens
 */
export async function listenWithLoopback(
  server: Server,
  port: number,
  host: string,
  beside: Beside,
): Promise<Listening> {
  for (let tries = 1; ; tries += 1) {
    const bound = await listen(server, port, host);
    if (reachedByLoopback.has(bound.address)) return { port: bound.port, host: bound.address };
    const { connectionsMax, accept, ...options } = beside;
    const second = createServer(options, accept);
    if (connectionsMax !== undefined) second.maxConnections = connectionsMax;
    try {
      await listen(second, bound.port, "127.0.0.1");
      return { port: bound.port, host: bound.address, beside: second };
    } catch (error) {
      await new Promise((resolve) => server.close(resolve));
      if (port !== 0 || tries === triesMax || !isTaken(error)) throw error;
    }
  }
}

const reachedByLoopback: ReadonlySet<string> = new Set(["127.0.0.1", "0.0.0.0", "::"]);

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
