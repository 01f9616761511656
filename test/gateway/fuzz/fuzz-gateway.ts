import fc from "fast-check";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { converse, type Heard } from "./conversation.ts";
import { type RawConversation, rawConversations } from "./raw-requests.ts";
import { type FuzzedStages, startFuzzedStages } from "./stages.ts";

/** Answers of endpoints that are wrong in many ways, and some that are right. */
const upstreamAnswers = fc.constantFrom(
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Own: \u00e9\r\nContent-Length: 7\r\n\r\n{"a":1}',
  "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nshort",
  "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi",
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
  "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
  "HTTP/1.1 999 Odd\r\nX: a\r\n b\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz",
  "HTTP/1.1 200 OK\r\nConnection: x-own\r\nX-Own: 1\r\n\r\nuntil the end",
  "nonsense\r\n\r\n",
  "",
);

/** What templates are made of. */
const pieces = [
  "$input.body", "$input.json('$')", "$input.json('$..a[?(@.b > 1)]')", "$input.path('$.a')", "$input.params('q')", "$input.params()",
  "$util.escapeJavaScript($input.body)", "$util.base64Decode($input.params('q'))", "$util.urlDecode($input.body)",
  "$util.parseJson($input.body)", "#foreach($x in $input.path('$'))$x#end", "#foreach($x in [1..2000])$x#end", "#if($input.params('who'))",
  "#end", "#else", "#set($s = \"$s$input.body\")", "#set($context.responseOverride.status = $input.params('q'))",
  "#set($context.responseOverride.header.X-Own = $input.body)", "#set($context.requestOverride.path.id = $input.params('id'))",
  "$context.identity.sourceIp", "$context.authorizer.claims.sub", "$stageVariables.v", "$context.path", "\"", "{", "}", "#", "$", "\\", "##", "#*",
  "#macro(m $a)$a#m($a)#end", "#m($input.body)", "$input.body.split(\",\")", "$input.body.replaceAll('(a+)+$', 'x')", "\u00e9",
]; // prettier-ignore

function someTemplates(): string[] {
  const template = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join(" "));
  return [
    `{"statusCode": $input.params('q')}`,
    ...fc.sample(template, 11),
    ...pieces
      .map((piece) => piece)
      .filter((piece) => piece.startsWith("$"))
      .slice(0, 8),
  ];
}

/** Paths below a stage where a 500 is what AWS answers: of a template, a function or an answer that is not right. */
const mayFail = /\/(template|nonsense|function|objects|mapped)\b/;

interface FuzzReport {
  readonly conversations: number;
  readonly answers: number;
  readonly byStatus: Readonly<Record<string, number>>;
}

/**
 * Ask stages of both kinds nonsense, byte by byte, for as long as given: no 500 of our own making, no error in the log, no answer
 * that is torn, none that is missing, and nothing of one request that becomes another's.
 */
export async function fuzzGateway(forMs: number): Promise<FuzzReport> {
  const errors = watchErrors();
  const stages = await startFuzzedStages(someTemplates());
  const byStatus: Record<string, number> = {};
  let conversations = 0;
  let answers = 0;
  try {
    const conversation = rawConversations({
      bases: [
        `/_cumulet/api/${stages.restApiId}/prod`,
        `/_cumulet/api/${stages.restApiId}/prod`,
        `/_cumulet/api/${stages.httpApiId}`,
      ],
      hosts: [
        `${stages.restApiId}.execute-api.us-east-1.localhost`,
        `${stages.httpApiId}.execute-api.us-east-1.localhost`,
      ],
      paths: pathsOf(),
      openPaths,
      secrets: [stages.apiKey, stages.token],
    });
    const run = await fc.check(
      fc.asyncProperty(
        fc.array(conversation, { minLength: 6, maxLength: 6 }),
        upstreamAnswers,
        async (several, upstream) => {
          stages.upstreamAnswers(Buffer.from(upstream, "latin1"));
          const heard = await Promise.all(several.map((each) => converse(stages.port, each)));
          several.forEach((each, index) => check(each, heard[index]));
          expect(errors.lines, "errors in the log").toEqual([]);
          expect(stages.upstreamTargets.filter((target) => target.startsWith("GET /smuggled"))).toEqual([]);
          stages.upstreamTargets.length = 0;
          conversations += several.length;
          for (const { status } of heard.flatMap(({ answers: all }) => all)) {
            answers++;
            byStatus[status] = (byStatus[status] ?? 0) + 1;
          }
        },
      ),
      { numRuns: 1_000_000, interruptAfterTimeLimit: forMs, markInterruptAsFailure: false, endOnFailure: true },
    );
    // Without the counterexample, which is long: what was wrong says enough, and the seed repeats it.
    if (run.failed) throw new Error(`Seed ${run.seed}, path ${run.counterexamplePath}`, { cause: run.errorInstance });
    await expectAlive(stages);
    return { conversations, answers, byStatus };
  } finally {
    errors.stop();
    // Whatever clients have left behind: a server that waits for them is found out here.
    await Promise.race([stages.stop(), late("The platform did not stop")]);
  }
}

function check(conversation: RawConversation, heard: Heard | undefined): void {
  if (heard === undefined) return;
  if (heard.end === "late") expect.fail(`the server did not answer: ${short({ heard, conversation })}`);
  heard.answers.forEach(({ status, head, body }, index) => {
    const target = conversation.requests[index]?.target ?? "";
    if (!mayFail.test(target)) expect(status, `${target}: ${body}`).not.toBe(500);
    expect(head).not.toMatch(/^x-injected/im);
  });
  // Who closes its half of the connection is taken to have gone.
  if (conversation.ending !== "wait" || !conversation.isWhole) return;
  const said = () =>
    short({
      rest: heard.rest,
      end: heard.end,
      statuses: heard.answers.map(({ status }) => status),
      bytes: conversation.bytes,
    });
  if (heard.answers.length === 0) expect.fail(`no answer: ${said()}`);
  if (heard.rest !== "") expect.fail(`a torn answer: ${said()}`);
}

/** As JSON, without what repeats itself. */
function short(value: object): string {
  return JSON.stringify(value)
    .replaceAll(/([a-z])\1{50,}/g, "$1…")
    .slice(0, 6_000);
}

const openPaths = ["/proxy", "/endpoint", "/objects", "/mock", "/mapped", "/cached", "/validated", "/v1", "/other"];

function pathsOf(): string[] {
  const templates = Array.from({ length: 20 }, (_, index) => `/template/${index}`);
  return [
    "/proxy", "/proxy/a", "/nonsense", "/streamed", "/mock/1", "/endpoint/a", "/mapped/1", "/function", "/objects/k", "/validated/1", "/token",
    "/request", "/keyed", "/signed", "/cached/1", "/v1/a", "/jwt", "/who", "/none", ...templates.slice(0, 12),
  ]; // prettier-ignore
}

async function expectAlive({ port, restApiId, httpApiId }: FuzzedStages): Promise<void> {
  for (const path of [`${restApiId}/prod/mock/1`, `${httpApiId}/alive`]) {
    const signal = AbortSignal.timeout(stopMsMax);
    const answer = await fetch(`http://127.0.0.1:${port}/_cumulet/api/${path}`, { signal });
    expect(answer.status, path).toBe(200);
    await answer.text();
  }
}

const stopMsMax = 60_000;

async function late(message: string): Promise<never> {
  await delay(stopMsMax, undefined, { ref: false });
  throw new Error(message);
}

/** The platform's own log, which a client must not be able to put an error into. */
function watchErrors(): { readonly lines: string[]; stop(): void } {
  const lines: string[] = [];
  const write = process.stderr.write;
  process.stderr.write = (chunk: string | Uint8Array): boolean => {
    if (String(chunk).includes('"level":"error"')) lines.push(String(chunk));
    return Reflect.apply(write, process.stderr, [chunk]);
  };
  return { lines, stop: () => (process.stderr.write = write) };
}
