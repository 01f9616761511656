import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import { duplexPair } from "node:stream";
import { startExchange } from "../../../proxy/exchange.ts";
import { readBody } from "../../../proxy/request-body.ts";
import { executeApiLimits } from "../limits.ts";
import { createExecutionJournal, type ExecutionJournal } from "../logging/execution-journal.ts";
import { followRequest, tellEnd, tellStart } from "../logging/execution-log.ts";
import { secretValues } from "../logging/secrets.ts";
import type { MethodTest, MethodTestResult, TestMethod } from "../port.ts";
import { createRouter } from "../router.ts";
import type { StageNeeds } from "../stage-needs.ts";
import { validationStep } from "../validation/validation-step.ts";
import { compressionStep } from "./compression.ts";
import { createRestRequest, type RestIntegration, type RestRequest, type RestStage, type RestStep } from "./request.ts";
import { compileIntegration, createRestStage } from "./stage.ts";
import { inOrder } from "./steps.ts";

/**
 * TestInvokeMethod: a request goes through the method's validation, mappings and integration as any other does, over a
 * connection in memory.
 *
 * AWS: nobody is asked who may call, no key is looked for, nothing is throttled and nothing cached; the request comes from
 * `test-invoke-source-ip` to `testPrefix.testDomainName`, with a key and a stage of the test's own.
 *
 * Source: "Use the API Gateway console to test a REST API method", and answers of the operation.
 */
export function createMethodTester(needs: StageNeeds): TestMethod {
  const { meter: _uncounted, ...untold } = needs;
  return async (test) => {
    const stage = createRestStage(untold, test.stage);
    const [method] = test.stage.methods;
    if (method === undefined) throw new Error("A test is of a method");
    const target = targetOf(test, method.path);
    const mark = target.indexOf("?");
    const path = mark === -1 ? target : target.slice(0, mark);
    const match = createRouter([{ method: "ANY", path: method.path, value: method }], "resource-first").match(
      "ANY",
      path,
    );
    if (match === undefined && test.pathWithQueryString !== undefined) return undefined;
    const { minimumCompressionSize } = test.stage;
    const steps: RestStep[] = minimumCompressionSize === undefined ? [] : [compressionStep(minimumCompressionSize)];
    steps.push(tellStart, takeKey);
    if (method.validation !== undefined) steps.push(validationStep(stage, method, method.validation));
    const run = inOrder(steps, compileIntegration(stage, method));
    const journal = createExecutionJournal({
      level: "INFO",
      traces: true,
      now: () => needs.clock.now(),
      secrets: secretValues(test.headers),
    });
    const query = mark === -1 ? "" : target.slice(mark + 1);
    return runTest(test, stage, run, journal, { path, query, parameters: match?.parameters ?? [] });
  };
}

function targetOf({ pathWithQueryString }: MethodTest, resourcePath: string): string {
  if (pathWithQueryString === undefined) return resourcePath;
  if (pathWithQueryString.startsWith("?")) return `${resourcePath}${pathWithQueryString}`;
  return pathWithQueryString.startsWith("/") ? pathWithQueryString : `/${pathWithQueryString}`;
}

interface TestTarget {
  readonly path: string;
  readonly query: string;
  readonly parameters: readonly string[];
}

/** AWS: what a test's events and variables say. */
const testFacts = {
  sourceIp: "test-invoke-source-ip",
  apiKey: { id: "test-invoke-api-key-id", value: "test-invoke-api-key" },
  domain: { name: "testPrefix.testDomainName", clientCertificate: undefined },
} as const;

const takeKey: RestStep = (request, next) => {
  request.apiKey = testFacts.apiKey;
  next();
};

async function runTest(
  test: MethodTest,
  stage: RestStage,
  run: RestIntegration,
  journal: ExecutionJournal,
  target: TestTarget,
): Promise<MethodTestResult> {
  const { clock } = stage.needs;
  const [method] = test.stage.methods;
  const started = clock.now();
  let tested: RestRequest | undefined;
  const answered = await exchangeInMemory(test, target, (incoming, response) => {
    const { path, query, parameters } = target;
    const exchange = startExchange(stage.needs, incoming, response, {
      path,
      fullPath: path,
      query,
      domain: testFacts.domain,
    });
    readBody(incoming, exchange.headers.hasBody, executeApiLimits.bodyBytesMax, (body) => {
      if (body === undefined || method === undefined) return void response.destroy();
      const request = createRestRequest(stage, method, exchange, parameters, body);
      request.caller = test.caller;
      followRequest(request, journal);
      tested = request;
      run(request);
    });
  });
  const latencyMs = clock.now() - started;
  if (tested === undefined) throw new Error("A test was not run");
  tested.answered = { status: answered.status, bytes: answered.body.length, latencyMs };
  tellEnd(tested);
  const lines = journal.lines.map(({ at, text }) => `${dateText(at)} : ${text}\n`).join("");
  return {
    status: answered.status,
    headers: answered.headers,
    body: answered.body.toString("utf8"),
    log: `Execution log for request ${tested.exchange.requestId}\n${lines}`,
    latencyMs,
  };
}

interface MemoryAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** One request of HTTP to `answer`, without a network. Rejects with what the client's side says of a malformed request. */
function exchangeInMemory(
  test: MethodTest,
  { path, query }: TestTarget,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<MemoryAnswer> {
  const server = createServer({ requireHostHeader: false }, (incoming, response) => {
    response.sendDate = false;
    answer(incoming, response);
  });
  const [client, remote] = duplexPair();
  Object.assign(remote, { remoteAddress: testFacts.sourceIp, localPort: 443, encrypted: true });
  const { promise, resolve, reject } = Promise.withResolvers<MemoryAnswer>();
  const body = Buffer.from(test.body, "utf8");
  const headers = withoutFraming(test.headers);
  const sent = httpRequest({
    createConnection: () => client,
    setHost: false,
    method: test.httpMethod,
    path: query === "" ? path : `${path}?${query}`,
    headers: body.length === 0 ? headers : [...headers, "Content-Length", String(body.length)],
    signal: test.signal,
  });
  sent.on("error", reject);
  sent.on("response", (head) => collect(head, resolve, reject));
  server.emit("connection", remote);
  sent.end(body.length === 0 ? undefined : body);
  return promise.finally(() => {
    client.destroy();
    remote.destroy();
  });
}

function collect(head: IncomingMessage, done: (answer: MemoryAnswer) => void, fail: (error: Error) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  head.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= executeApiLimits.bodyBytesMax) chunks.push(chunk);
    else head.destroy();
  });
  const end = () =>
    done({ status: head.statusCode ?? 500, headers: withoutFraming(head.rawHeaders), body: Buffer.concat(chunks) });
  head.on("end", end);
  // An answer that broke off is told as far as it came.
  head.on("close", end);
  head.on("error", fail);
}

/** Of the connection, or the gateway's word on every answer: AWS tells neither of a test. */
const framing =
  /^(?:connection|content-length|expect|keep-alive|te|trailer|transfer-encoding|upgrade|x-amzn-requestid|x-amz-apigw-id)$/i;

function withoutFraming(raw: readonly string[]): string[] {
  return raw.filter((_, index) => !framing.test(raw[index & ~1] ?? ""));
}

/** As `Tue Oct 12 21:09:59 UTC 2021`. */
function dateText(at: number): string {
  const [, day = "", date = "", month = "", year = "", time = ""] =
    /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(at).toUTCString()) ?? [];
  return `${day} ${month} ${date} ${time} UTC ${year}`;
}
