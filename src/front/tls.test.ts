import { execFileSync } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { get, type RequestOptions } from "node:https";
import { createServer as createHttpServer, get as getPlain, type IncomingMessage, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Log } from "../kernel/log.ts";
import { createFakeClock, type FakeClock } from "../testing/fake-clock.ts";
import { frontLimits } from "./limits.ts";
import { openTls, type Tls, type TlsFiles } from "./tls.ts";

let folder: string;
let made: { readonly first: TlsFiles; readonly second: TlsFiles };
let files: TlsFiles;
let server: Server;
let tls: Tls;
let clock: FakeClock;
let port: number;
let logged: string[];

/** openssl is where Node.js developers are; it makes a key and a certificate of its own. */
function makeCertificate(name: string): TlsFiles {
  const pair = { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const out = ["-keyout", pair.keyFile, "-out", pair.certFile];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  execFileSync("openssl", ["req", "-x509", ...curve, "-nodes", "-days", "2", ...subject, ...out], { stdio: "ignore" });
  return pair;
}

async function use(pair: TlsFiles): Promise<void> {
  await copyFile(pair.keyFile, files.keyFile);
  await copyFile(pair.certFile, files.certFile);
  // A copy within a tick of the clock of the file system looks as the file before.
  const later = new Date(Date.now() + 5_000 + Math.random() * 1_000);
  await utimes(files.certFile, later, later);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-tls-"));
  made = { first: makeCertificate("first"), second: makeCertificate("second") };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  files = { certFile: join(folder, "server.crt"), keyFile: join(folder, "server.key") };
  await use(made.first);
  logged = [];
  clock = createFakeClock(Date.now());
  const note = (message: string) => void logged.push(message);
  const log: Log = { debug: note, info: note, warn: note, error: note };
  tls = await openTls(files, { clock, log });
  server = createHttpServer((request, response) => {
    request.resume();
    request.on("end", () => response.end(`${request.method} ${"encrypted" in request.socket ? "secure" : "plain"}`));
  });
  tls.serveOn(server);
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  tls.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const ask = (options: RequestOptions = {}) =>
  new Promise<{ response: IncomingMessage; subject: string }>((resolve, reject) => {
    const request = get(
      { host: "127.0.0.1", port, rejectUnauthorized: false, agent: false, ...options },
      (response) => {
        const { subject } = (response.socket as TLSSocket).getPeerCertificate();
        resolve({ response, subject: String(subject.CN) });
      },
    );
    request.once("error", reject);
  });

const askPlain = (host: string) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    getPlain({ host, port, agent: false }, resolve).once("error", reject);
  });

test("an encrypted request is answered, and known to be encrypted", async () => {
  const { response } = await ask();
  expect(await text(response)).toBe("GET secure");
});

test("a client that trusts the certificate needs to be told nothing else", async () => {
  const { response } = await ask({
    rejectUnauthorized: true,
    ca: await readFile(files.certFile),
    servername: "localhost",
  });
  expect(response.statusCode).toBe(200);
});

test("TLS 1.2 is spoken; older versions are refused", async () => {
  const { response } = await ask({ maxVersion: "TLSv1.2" });
  expect((response.socket as TLSSocket).getProtocol()).toBe("TLSv1.2");
  response.resume();
  await expect(ask({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" })).rejects.toThrow();
});

test("plain HTTP from this machine itself is answered", async () => {
  expect(await text(await askPlain("127.0.0.1"))).toBe("GET plain");
});

const elsewhere = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === "IPv4" && !address.internal)?.address;

test.skipIf(elsewhere === undefined)("plain HTTP over a network is refused, saying why", async () => {
  const response = await askPlain(elsewhere ?? "");
  expect(response.statusCode).toBe(400);
  expect(response.headers.connection).toBe("close");
  expect(await text(response)).toContain("This port speaks HTTPS");
});

test("a body that comes with the first bytes is whole", async () => {
  const socket = connect(port, "127.0.0.1");
  socket.end("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello");
  expect(await text(socket)).toContain("POST plain");
});

test("several requests go over one encrypted connection", async () => {
  const socket = await openSecure();
  for (let n = 0; n < 3; n += 1) expect(await askOn(socket)).toContain("GET secure");
  socket.destroy();
});

test("a certificate that is replaced is used within seconds, and open connections stay", async () => {
  const kept = await openSecure();
  expect(await askOn(kept)).toContain("GET secure");
  await use(made.second);
  clock.advance(frontLimits.certificateLookMs);
  await expect.poll(async () => (await ask()).subject).toBe("second");
  expect(await askOn(kept)).toContain("GET secure");
  kept.destroy();
});

test("a certificate that does not fit its key is not taken: the one before stays", async () => {
  await copyFile(made.second.certFile, files.certFile);
  await tls.reload();
  expect(logged.at(-1)).toContain("could not be replaced");
  expect((await ask()).subject).toBe("first");
});

test("a file that is gone leaves the certificate in use, and is taken when it is back", async () => {
  await rm(files.keyFile);
  await tls.reload();
  expect((await ask()).subject).toBe("first");
  await use(made.second);
  await tls.reload();
  expect((await ask()).subject).toBe("second");
});

test("what is neither TLS nor HTTP ends, and others are served", async () => {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  socket.write(Buffer.from([22, 3, 1, 0, 4, 1, 2, 3, 4]));
  await new Promise((resolve) => socket.once("close", resolve));
  expect((await ask()).response.statusCode).toBe(200);
});

test("stopping cuts connections on which nothing was said", async () => {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise<void>((resolve) => server.once("connection", () => resolve()));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  tls.stop();
  await closed;
});

const open = (pair: TlsFiles) =>
  openTls(pair, { clock, log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } });

describe("at the start", () => {
  test("a key of another certificate is refused", async () => {
    const pair = { certFile: made.first.certFile, keyFile: made.second.keyFile };
    await expect(open(pair)).rejects.toThrow(/second\.key is not that of the certificate in .*first\.crt/);
  });

  test("a file that is not there is refused by name", async () => {
    await expect(open({ ...files, keyFile: join(folder, "none") })).rejects.toThrow(/none cannot be read/);
  });

  test("a file that holds something else is refused without telling what", async () => {
    const odd = join(folder, "odd");
    await writeFile(odd, "secret things");
    await expect(open({ ...files, keyFile: odd })).rejects.toThrow(
      /odd does not hold an unencrypted private key in PEM$/,
    );
    await expect(open({ ...files, certFile: odd })).rejects.toThrow(/odd does not hold a certificate in PEM$/);
  });

  test("a certificate that has ended is refused", async () => {
    clock.advance(3 * 24 * 3_600_000);
    await expect(open(files)).rejects.toThrow(/ended on 20/);
  });
});

async function openSecure(): Promise<Socket> {
  const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  return socket;
}

function askOn(socket: Socket): Promise<string> {
  const answer = new Promise<string>((resolve) => {
    socket.once("data", (chunk: Buffer) => resolve(chunk.toString()));
  });
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  return answer;
}
