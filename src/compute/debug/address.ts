import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { DebugRefusedError, type DebugProtocol } from "../workbench.ts";

/** Where debuggers attach: it stays, whichever environment is behind it. */
export interface DebugAddress {
  readonly port: number;
  close(): void;
}

export interface DebugAddressNeeds {
  readonly protocol: DebugProtocol;
  readonly port: number;
  /** Of the inspector: the name that its clients show, and an id that cannot be guessed: pages in a browser may open WebSockets. */
  readonly title: string;
  readonly id: string;
  /** A connection to what listens inside of the environment, when there is one. Undefined when there will be none. */
  connect(): Promise<Duplex | undefined>;
  attached(): void;
  detached(): void;
  /** Bytes went to the environment. */
  told(): void;
}

const clientsMax = 16;

/** @throws DebugRefusedError where the port is taken */
export async function openDebugAddress(needs: DebugAddressNeeds): Promise<DebugAddress> {
  const sockets = new Set<Duplex>();
  const server = needs.protocol === "inspector" ? inspectorServer(needs) : tunnelServer(needs);
  server.maxConnections = clientsMax;
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE" ? new DebugRefusedError(`The port ${needs.port} is in use: name another.`) : error,
      ),
    );
    server.listen(needs.port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
  server.on("error", () => {});
  return {
    port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** JDWP is a protocol of its own: bytes are passed on as they are. */
function tunnelServer(needs: DebugAddressNeeds): Server {
  return createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    void needs.connect().then((inner) => {
      if (inner === undefined || socket.destroyed) {
        socket.destroy();
        inner?.destroy();
        return;
      }
      join(needs, socket, inner);
    });
  });
}

/** What lists its targets is answered here, so that their addresses stay; a WebSocket leads to the inspector of Node.js itself. */
function inspectorServer(needs: DebugAddressNeeds): Server {
  const server = createHttpServer((request, response) => {
    const { host = "" } = request.headers;
    if (!isOfThisHost(host)) return answer(response, 400, { message: "Host must be an address of this machine" });
    switch (request.url?.replace(/\/$/, "")) {
      case "/json":
      case "/json/list":
        return answer(response, 200, [target(needs, host)]);
      case "/json/version":
        return answer(response, 200, { Browser: `node.js/${process.version}`, "Protocol-Version": "1.1" });
      default:
        answer(response, 404, { message: "Not Found" });
    }
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (!isOfThisHost(request.headers.host ?? "") || request.url !== `/${needs.id}`) {
      socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    void attachToInspector(needs, request, socket, head);
  });
  return server;
}

function target({ id, title }: DebugAddressNeeds, host: string) {
  return {
    id,
    type: "node",
    title,
    description: "a function of Cumulet",
    url: "file:///var/task",
    faviconUrl: "https://nodejs.org/static/images/favicons/favicon.ico",
    devtoolsFrontendUrl: `devtools://devtools/bundled/js_app.html?experiments=true&v8only=true&ws=${host}/${id}`,
    webSocketDebuggerUrl: `ws://${host}/${id}`,
  };
}

async function attachToInspector(
  needs: DebugAddressNeeds,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): Promise<void> {
  const inside = await innerTarget(needs, socket);
  const inner = inside === undefined || socket.destroyed ? undefined : await needs.connect();
  if (inside === undefined || inner === undefined || socket.destroyed) {
    socket.destroy();
    inner?.destroy();
    return;
  }
  const lines = [`GET /${inside} HTTP/1.1`, "Host: 127.0.0.1"];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? "";
    if (name.toLowerCase() !== "host") lines.push(`${name}: ${request.rawHeaders[index + 1] ?? ""}`);
  }
  inner.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (head.length > 0) inner.write(head);
  join(needs, socket, inner);
}

/** The inspector's own id of the process, asked for until it answers or the client gives up. */
async function innerTarget(needs: DebugAddressNeeds, socket: Socket): Promise<string | undefined> {
  for (let attempt = 0; attempt < attemptsMax && !socket.destroyed; attempt += 1) {
    const inner = await needs.connect();
    if (inner === undefined) return undefined;
    const id = await askForId(inner);
    if (id !== undefined) return id;
  }
  return undefined;
}

async function askForId(inner: Duplex): Promise<string | undefined> {
  inner.write("GET /json/list HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  let text = "";
  try {
    for await (const chunk of inner) {
      text += String(chunk);
      const id = /"id":\s*"([0-9a-f-]{36})"/.exec(text)?.[1];
      if (id !== undefined) return id;
    }
  } catch {
    // It has just ended: there may be another.
  }
  return undefined;
}

const attemptsMax = 50;

function join(needs: DebugAddressNeeds, outer: Duplex, inner: Duplex): void {
  needs.attached();
  let closed = false;
  const close = () => {
    if (closed) return;
    closed = true;
    outer.destroy();
    inner.destroy();
    needs.detached();
  };
  for (const stream of [outer, inner]) stream.on("error", close).on("close", close).on("end", close);
  outer.on("data", () => needs.told());
  outer.pipe(inner).pipe(outer);
}

/** As the inspector of Node.js does: a name that somebody else's name server gives this machine's address is refused. */
function isOfThisHost(host: string): boolean {
  return /^(localhost|\d{1,3}(\.\d{1,3}){3}|\[[\d:a-f]+\])(:\d+)?$/i.test(host);
}

function answer(response: ServerResponse, status: number, value: object): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json; charset=UTF-8",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}
