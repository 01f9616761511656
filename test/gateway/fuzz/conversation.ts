import { connect } from "node:net";
import type { RawConversation } from "./raw-requests.ts";

/** What a connection came to. */
export interface Heard {
  readonly answers: readonly RawAnswer[];
  /** What is left when the answers are taken off: of the last one, not whole. */
  readonly rest: string;
  /** How the wait ended. */
  readonly end: "closed" | "answered" | "late";
}

interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** How long the server may take for whatever it is sent. Endpoints behind it are late after two seconds. */
const patienceMs = 8_000;
/** Where a request is not whole, the server waits for the rest: longer than we do. */
const unfinishedMs = 150;

/** Say it, and hear what comes back. */
export function converse(port: number, { bytes, ending, isWhole, requests }: RawConversation): Promise<Heard> {
  const verbs = requests.map(({ verb }) => verb);
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(port, "127.0.0.1", () => {
      const data = Buffer.from(bytes, "latin1");
      if (ending === "half-close") socket.end(data);
      else socket.write(data);
      if (ending === "destroy") setImmediate(() => finish("closed"));
    });
    const finish = (end: Heard["end"]) => {
      clearTimeout(patience);
      socket.destroy();
      resolve({ ...parseAnswers(received, verbs), end });
    };
    const waitsMs = isWhole || ending === "half-close" ? patienceMs : unfinishedMs;
    const patience = setTimeout(() => finish(waitsMs === patienceMs ? "late" : "answered"), waitsMs);
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
      if (ending !== "wait" || !isWhole) return;
      if (parseAnswers(received, verbs).answers.length >= verbs.length) finish("answered");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => finish("closed"));
  });
}

/** Takes whole answers of HTTP/1.1 off; interim ones do not count. */
function parseAnswers(received: string, verbs: readonly string[]): { answers: RawAnswer[]; rest: string } {
  const answers: RawAnswer[] = [];
  let rest = received;
  for (;;) {
    const end = rest.indexOf("\r\n\r\n");
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(rest)?.[1];
    if (end === -1 || status === undefined) return { answers, rest };
    const head = rest.slice(0, end);
    const after = rest.slice(end + 4);
    if (status === "100") {
      rest = after;
      continue;
    }
    const body = takeBody(head, after, Number(status), verbs[answers.length] === "HEAD");
    if (body === undefined) return { answers, rest };
    answers.push({ status: Number(status), head, body: body.content });
    rest = after.slice(body.length);
  }
}

function takeBody(
  head: string,
  after: string,
  status: number,
  bare: boolean,
): { content: string; length: number } | undefined {
  if (bare || status === 204 || status === 304 || status === 101) return { content: "", length: 0 };
  if (/^transfer-encoding: chunked$/im.test(head)) {
    let content = "";
    let at = 0;
    for (;;) {
      const line = after.indexOf("\r\n", at);
      const size = Number.parseInt(after.slice(at, line), 16);
      if (line === -1 || Number.isNaN(size)) return undefined;
      const start = line + 2;
      if (after.length < start + size + 2) return undefined;
      content += after.slice(start, start + size);
      at = start + size + 2;
      if (size === 0) return { content, length: at };
    }
  }
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
  return after.length < length ? undefined : { content: after.slice(0, length), length };
}
