import { AwsError } from "../aws/error.ts";
import type { FunctionSpec } from "../compute/compute.ts";
import { DebugRefusedError, type DebugSession, type WarmOutcome, type Workbench } from "../compute/workbench.ts";
import type { Clock } from "../kernel/clock.ts";
import type { HttpRequest, HttpResponse } from "../proxy/http-exchange.ts";
import type { Siblings } from "../workers/siblings.ts";
import type { LiveFeed } from "./live-feed.ts";

export interface DeveloperApiNeeds {
  readonly clock: Clock;
  readonly feed: LiveFeed;
  readonly workbench: Workbench;
  /** The processes that serve on this port. */
  readonly siblings: Siblings;
  readonly account: string;
  readonly region: string;
  /** A function's `$LATEST`, as environments run it. */
  latest(place: { readonly account: string; readonly region: string }, name: string): Promise<FunctionSpec | undefined>;
}

/**
 * What `cumulet dev` and `cumulet debug` ask of the server, for the root of this installation alone. `events` and `debug` answer
 * lines of JSON as long as the client listens: when it goes away, so does what it asked for.
 */
export interface DeveloperApi {
  readonly paths: ReadonlySet<string>;
  run(path: string, query: URLSearchParams, request: HttpRequest, response: HttpResponse): Promise<void>;
}

const eventsPath = "/_cumulet/developer/events";
const warmPath = "/_cumulet/developer/warm";
const debugPath = "/_cumulet/developer/debug";
/** Clients take a silent connection for a dead one. */
const heartbeatMs = 30_000;
/** Of a client that does not read, no more than this is kept for it. */
const unreadBytesMax = 4 * 1_048_576;

export function createDeveloperApi(needs: DeveloperApiNeeds): DeveloperApi {
  const { clock, feed, workbench, siblings } = needs;

  siblings.answer("warm", async (name) => {
    const spec = await needs.latest(needs, String(name));
    return spec && workbench.warm(spec);
  });

  const events = (response: HttpResponse): void => {
    const lines = openLines(clock, response);
    const unsubscribe = feed.subscribe((event) => {
      if (event.kind === "log" && (event.account !== needs.account || event.region !== needs.region)) return;
      lines.write(event);
    });
    response.once("close", unsubscribe);
  };

  const warm = async (name: string, response: HttpResponse): Promise<void> => {
    if ((await needs.latest(needs, name)) === undefined) throw noSuchFunction(name);
    // Whichever of them the next request comes to.
    const answers = await siblings.ask("warm", name);
    const outcomes = answers.map(({ value }) => parseOutcome(value)).filter((outcome) => outcome !== undefined);
    const outcome = outcomes.find((one) => one.outcome === "failed") ?? outcomes[0];
    if (outcome === undefined) throw noSuchFunction(name);
    answerJson(response, 200, outcome);
  };

  const debug = async (name: string, port: number | undefined, response: HttpResponse): Promise<void> => {
    const spec = await needs.latest(needs, name);
    if (spec === undefined) throw noSuchFunction(name);
    if (siblings.workers > 1) {
      const why = `A debugger holds one process of the server, and this server has ${siblings.workers}`;
      throw new AwsError("DebugRefused", 409, `${why}. Start it with --workers 1.`);
    }
    let lines: Lines | undefined;
    const early: object[] = [];
    let session: DebugSession;
    try {
      session = await workbench.debug({
        functionArn: spec.functionArn,
        latest: () => needs.latest(needs, name),
        ...(port !== undefined && { port }),
        report: (event) => (lines === undefined ? void early.push(event) : lines.write(event)),
      });
    } catch (error) {
      if (error instanceof DebugRefusedError) throw new AwsError("DebugRefused", 409, error.message);
      throw error;
    }
    if (response.destroyed) return session.stop();
    response.once("close", () => session.stop());
    lines = openLines(clock, response);
    const { protocol, path } = session;
    lines.write({ kind: "listening", protocol, port: session.port, ...(path !== undefined && { path }) });
    for (const event of early) lines.write(event);
  };

  return {
    paths: new Set([eventsPath, warmPath, debugPath]),
    async run(path, query, request, response) {
      const name = query.get("function") ?? "";
      if (path === eventsPath) return events(response);
      if (request.method !== "POST") throw new AwsError("MethodNotAllowed", 405, "Method Not Allowed");
      if (path === warmPath) return warm(name, response);
      const given = query.get("port");
      const port = given === null ? undefined : Number(given);
      if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
        throw new AwsError("ValidationException", 400, "The port is a number from 0 to 65535");
      }
      return debug(name, port, response);
    },
  };
}

interface Lines {
  write(event: object): void;
}

function openLines(clock: Clock, response: HttpResponse): Lines {
  response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  response.flushHeaders();
  let left = 0;
  const write = (event: object) => {
    if (response.writableLength > unreadBytesMax) {
      left += 1;
      return;
    }
    if (left > 0) response.write(`${JSON.stringify({ kind: "left out", events: left })}\n`);
    left = 0;
    response.write(`${JSON.stringify(event)}\n`);
  };
  const beat = (): (() => void) =>
    clock.after(heartbeatMs, () => {
      response.write("\n");
      cancel = beat();
    });
  let cancel = beat();
  response.once("close", () => cancel());
  response.on("error", () => {});
  return { write };
}

/** Of another process of this very program. */
function parseOutcome(value: unknown): WarmOutcome | undefined {
  return value as WarmOutcome | undefined;
}

function noSuchFunction(name: string): AwsError {
  return new AwsError("ResourceNotFoundException", 404, `There is no function ${name.slice(0, 140)}`);
}

function answerJson(response: HttpResponse, status: number, value: object): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}
