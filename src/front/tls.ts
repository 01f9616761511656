import { constants, createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { Server, Socket } from "node:net";
import { createServer, type SecureContext, type Server as TlsServer, type TlsOptions } from "node:tls";
import { isLoopbackAddress } from "../access/loopback.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { TlsDomains } from "../services/execute-api/port.ts";
import { helloBytesMax, readClientHello } from "./client-hello.ts";
import { frontLimits } from "./limits.ts";

/** Both PEM; the certificate with those between it and its root, its own first. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** TLS 1.2 and newer on the listener that speaks HTTP. */
export interface Tls {
  /**
   * From now on the first byte of a connection decides. What begins a TLS handshake is served encrypted. Plain HTTP is
   * served to this machine itself, functions among it (nobody can listen on the way); from elsewhere it gets a 400.
   *
   * Who asks for a custom domain by name gets its certificate, and must show one of its own where the domain demands it.
   */
  serveOn(server: Server, domains?: TlsDomains): void;
  /** The names that the listener's own certificate has. */
  readonly names: readonly string[];
  /** Read the files again. Connections that are open stay as they are. Never rejects: what cannot be used is logged, and the old stays. */
  reload(): Promise<void>;
  /** Stop watching the files, and cut the connections of which nothing is known yet. */
  stop(): void;
}

/** A certificate or key that cannot be used; the message names the file. */
export class TlsFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TlsFileError";
  }
}

/** @throws {TlsFileError} */
export async function openTls(files: TlsFiles, needs: { readonly clock: Clock; readonly log: Log }): Promise<Tls> {
  const { clock, log } = needs;
  let seen = await stampOf(files);
  const pair = await readPair(files, clock.now());
  let domains: TlsDomains | undefined;
  const SNICallback = (name: string, done: (error: Error | null, context?: SecureContext) => void): void => {
    if (domains === undefined) return done(null);
    domains.find(name).then(
      (domain) => done(null, domain?.context),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  };
  const settings: TlsOptions = {
    ...pair,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
    handshakeTimeout: frontLimits.handshakeMsMax,
    SNICallback,
  };
  const encrypted = createServer(settings);
  /**
   * Whether a client is asked for a certificate belongs to the server, not to a name: connections to domains that demand one
   * come here. Sessions are not taken up again, so that each handshake shows it; without a domain's truststore nobody is trusted.
   */
  const mutual = createServer({
    ...settings,
    ca: [],
    requestCert: true,
    rejectUnauthorized: true,
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
  for (const server of [encrypted, mutual]) {
    server.on("tlsClientError", (error, socket) => {
      log.debug("A TLS handshake failed", { error: error.message, from: socket.remoteAddress });
      socket.destroy();
    });
  }
  /** Connections that have not said what they are, and those in their handshake. */
  const waiting = new Map<string, Socket>();

  async function reload(): Promise<void> {
    try {
      // Before the content: what changes while it is read is seen the next time.
      seen = await stampOf(files);
      encrypted.setSecureContext({ ...(await readPair(files, clock.now())), minVersion: "TLSv1.2" });
      log.info("The TLS certificate was read again", { certFile: files.certFile });
    } catch (error) {
      log.error("The TLS certificate could not be replaced: the one before stays in use", { error });
    }
  }

  async function look(): Promise<void> {
    const now = await stampOf(files).catch(() => seen);
    if (now !== seen) await reload();
    if (watching) cancel = clock.after(frontLimits.certificateLookMs, () => void look());
  }

  let watching = true;
  let cancel = clock.after(frontLimits.certificateLookMs, () => void look());

  /** Ends with the connection, unless it is passed on before. */
  function hold(socket: Socket): () => void {
    const name = nameOf(socket);
    const giveUp = () => socket.destroy();
    waiting.set(name, socket);
    socket.once("close", () => waiting.delete(name));
    socket.on("error", giveUp);
    socket.setTimeout(frontLimits.headersMsMax, giveUp);
    return () => {
      waiting.delete(name);
      socket.off("error", giveUp);
      socket.off("timeout", giveUp);
      socket.setTimeout(0);
    };
  }

  /** Who asks for a domain that demands certificates is served by the server that does. */
  const shakeHands = (socket: Socket, first: Buffer): void => {
    const begin = (server: TlsServer, bytes: Buffer) => {
      socket.unshift(bytes);
      socket.setTimeout(0);
      server.emit("connection", socket);
    };
    const { find } = domains ?? {};
    if (find === undefined) return begin(encrypted, first);
    const decide = (bytes: Buffer) => {
      const hello = readClientHello(bytes);
      if (hello.kind === "partial" && bytes.length <= helloBytesMax) {
        socket.once("data", (more: Buffer) => {
          socket.pause();
          decide(Buffer.concat([bytes, more]));
        });
        socket.resume();
        return;
      }
      if (hello.kind === "partial" || hello.servername === undefined) return begin(encrypted, bytes);
      find(hello.servername).then(
        (domain) => begin(domain?.demandsCertificate === true ? mutual : encrypted, bytes),
        (error: unknown) => {
          log.error("A custom domain could not be looked up", { error });
          socket.destroy();
        },
      );
    };
    decide(first);
  };

  return {
    names: namesOf(pair.cert),
    serveOn: (server, customDomains) => {
      domains = customDomains;
      const listeners = server.listeners("connection");
      const serve = (socket: Socket) => {
        for (const listener of listeners) Reflect.apply(listener, server, [socket]);
      };
      for (const each of [encrypted, mutual]) {
        each.on("secureConnection", (socket) => {
          waiting.delete(nameOf(socket));
          serve(socket);
        });
      }
      server.removeAllListeners("connection");
      server.on("connection", (socket) => {
        const release = hold(socket);
        socket.once("data", (first: Buffer) => {
          socket.pause();
          if (first[0] === handshakeByte) return shakeHands(socket, first);
          socket.unshift(first);
          if (isLoopbackAddress(socket.remoteAddress ?? "")) {
            release();
            serve(socket);
            process.nextTick(() => socket.resume());
          } else {
            socket.resume();
            socket.end(plainRefusal);
          }
        });
      });
    },
    reload,
    stop: () => {
      watching = false;
      cancel();
      for (const socket of waiting.values()) socket.destroy();
    },
  };
}

/** The host names of a certificate, in lower case. */
function namesOf(cert: string): readonly string[] {
  const { subjectAltName = "" } = new X509Certificate(cert);
  return [...subjectAltName.matchAll(/DNS:([^,\s]+)/g)].map(([, name = ""]) => name.toLowerCase());
}

/** The first byte of a TLS record that holds a handshake. Source: RFC 8446, 5.1. */
const handshakeByte = 22;

const refusalText = "This port speaks HTTPS: plain HTTP is for this machine itself only.\n";
const plainRefusal =
  "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n" +
  `content-length: ${refusalText.length}\r\n\r\n${refusalText}`;

/** The same for a connection and for the encrypted one inside it. */
function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}`;
}

/** Changes when a file is written or replaced, also behind a link as Kubernetes replaces a secret's. */
async function stampOf(files: TlsFiles): Promise<string> {
  const stamps = await Promise.all(
    [files.certFile, files.keyFile].map(async (file) => {
      const { ino, mtimeMs, size } = await stat(file).catch((error: unknown) => {
        throw unreadable(file, error);
      });
      return `${ino} ${mtimeMs} ${size}`;
    }),
  );
  return stamps.join(" ");
}

async function readPair(files: TlsFiles, now: number): Promise<{ readonly cert: string; readonly key: string }> {
  const cert = await readText(files.certFile);
  const key = await readText(files.keyFile);
  const certificate = parse(files.certFile, "a certificate in PEM", () => new X509Certificate(cert));
  const privateKey: KeyObject = parse(files.keyFile, "an unencrypted private key in PEM", () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new TlsFileError(`The key in ${files.keyFile} is not that of the certificate in ${files.certFile}`);
  }
  if (certificate.validToDate.getTime() <= now) {
    throw new TlsFileError(`The certificate in ${files.certFile} ended on ${certificate.validToDate.toISOString()}`);
  }
  return { cert, key };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Never with what was read: it may be the key. */
function parse<T>(file: string, what: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new TlsFileError(`${file} does not hold ${what}`);
  }
}

function unreadable(file: string, error: unknown): TlsFileError {
  return new TlsFileError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
}
