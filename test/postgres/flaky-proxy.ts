import { createConnection, createServer, type Socket } from "node:net";

/** Between a store and PostgreSQL: passes everything on, until it is told to fail. */
export interface FlakyProxy {
  /** The same database, through the proxy. */
  readonly url: string;
  /** End every connection; what PostgreSQL was going to answer is lost. */
  cut(): void;
  /** From now on, PostgreSQL hears everything and nobody hears PostgreSQL, until the connections are cut. */
  swallowAnswers(): void;
  /** Whether there is no way to PostgreSQL; then all connections end. */
  setAway(away: boolean): void;
  stop(): Promise<void>;
}

/** @param url with loopback and a port */
export async function startFlakyProxy(url: string): Promise<FlakyProxy> {
  const target = new URL(url);
  const open = new Set<Socket>();
  let swallows = false;
  let isAway = false;
  const server = createServer((client) => {
    if (isAway) return void client.destroy();
    const upstream = createConnection(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (data) => upstream.write(data));
    upstream.on("data", (data) => swallows || client.write(data));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const through = new URL(url);
  through.port = String(typeof address === "object" && address ? address.port : 0);
  const cut = () => {
    swallows = false;
    for (const socket of open) socket.destroy();
  };
  return {
    url: through.href,
    cut,
    swallowAnswers: () => {
      swallows = true;
    },
    setAway: (away) => {
      isAway = away;
      if (away) cut();
    },
    stop: async () => {
      cut();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
