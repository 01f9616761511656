import { ServerResponse, type IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../../../kernel/clock.ts";
import { sourceIp } from "../../../proxy/client-address.ts";
import { type RequestPaths, startExchange } from "../../../proxy/exchange.ts";
import type { HttpRequest, HttpResponse } from "../../../proxy/http-exchange.ts";
import { domainNameOf } from "../stage-needs.ts";
import type { Taken } from "../throttling/throttles.ts";
import { shownKeyOf } from "./limit-steps.ts";
import { webSocketLimits as limits } from "./limits.ts";
import { errorFrame } from "./messages.ts";
import { type ConnectionFacts, createWebSocketRequest, type RouteOutcome } from "./request.ts";
import type { WebSocketRoutes } from "./stage.ts";

/** A client that may connect. */
export interface Accepted {
  readonly facts: ConnectionFacts;
  /** What the integration of `$connect` answered in `Sec-WebSocket-Protocol`. */
  readonly subprotocol: string | undefined;
  /** The API key that it showed; empty for none. */
  readonly shownKey: string;
}

/** Whose connections are counted together. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

/** Why a client may not connect: answered to its handshake. */
interface Refusal {
  readonly status: number;
  readonly message: string;
}

/**
 * Decide whether a client may connect: who it is, and what `$connect` says. A refusal has been answered.
 *
 * @returns undefined for a refusal
 */
export async function decideHandshake(
  routes: WebSocketRoutes,
  request: HttpRequest,
  response: HttpResponse,
  paths: RequestPaths,
  mayConnect: (place: Place) => Taken,
): Promise<Accepted | undefined> {
  const { needs, published } = routes.stage;
  const exchange = startExchange(needs, request, response, paths);
  const connectionId = needs.identities.extendedId();
  const requestId = needs.identities.extendedId();
  const refuse = ({ status, message }: Refusal) => {
    const body = errorFrame(message, connectionId, requestId);
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      connection: "close",
      "apigw-requestid": requestId,
    });
    response.end(body);
    return undefined;
  };

  if ((request.url ?? "").length > limits.urlCharactersMax) return refuse({ status: 414, message: "URI Too Long" });
  if (!isHandshake(request)) return refuse({ status: 400, message: "Bad Request" });
  const passes = mayConnect(published);
  if (!(typeof passes === "boolean" ? passes : await passes)) {
    return refuse({ status: 429, message: "Too Many Requests" });
  }

  const facts: ConnectionFacts = {
    connectionId,
    apiId: published.apiId,
    stageName: published.stageName,
    connectedAt: exchange.now,
    sourceIp: sourceIp(request),
    userAgent: exchange.headers.userAgent,
    domainName: domainNameOf(published, exchange),
    identity: "",
    authorizer: "",
  };
  const { connect } = routes;
  if (connect === undefined) {
    const shown = exchange.request.headers["x-api-key"];
    const inHeader = published.apiKeySource !== "AUTHORIZER" && typeof shown === "string";
    return { facts, subprotocol: undefined, shownKey: inHeader ? shown : "" };
  }

  const event = createWebSocketRequest({
    stage: routes.stage,
    route: connect.route,
    connection: facts,
    event: { type: "CONNECT", exchange },
    requestId,
    trace: exchange.trace,
    now: exchange.now,
  });
  const outcome = await new Promise<RouteOutcome>((resolve) => connect.run(event, resolve));
  if (outcome.outcome === "failed") return refuse(outcome);
  // AWS: any other status than a success refuses the handshake, with that status.
  const { status } = outcome;
  if (status < 200 || status > 599) return refuse({ status: 500, message: "Internal server error" });
  if (status > 299) return refuse({ status, message: status === 401 ? "Unauthorized" : "Forbidden" });
  return {
    facts: event.connection,
    subprotocol: headerOf(outcome.headers, "sec-websocket-protocol"),
    shownKey: shownKeyOf(event),
  };
}

/** What `ws` would refuse, before anybody is asked. Source: RFC 6455, section 4.2.1. */
function isHandshake({ headers, method }: HttpRequest): boolean {
  const version = headers["sec-websocket-version"];
  return (
    method === "GET" &&
    headers.upgrade?.toLowerCase() === "websocket" &&
    /^[+/0-9A-Za-z]{22}==$/.test(headers["sec-websocket-key"] ?? "") &&
    (version === "13" || version === "8") &&
    /^$|^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*,[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$/.test(
      headers["sec-websocket-protocol"] ?? "",
    )
  );
}

function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === name) return headers[index + 1];
  }
  return undefined;
}

/** A response for a request whose connection the server has let go of. It ends the connection, whatever the client does. */
export function responseOn(clock: Pick<Clock, "after">, request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  if (socket instanceof Socket) response.assignSocket(socket);
  response.once("finish", () => {
    socket.end();
    // What the client still says is for nobody. It has a while to read the answer and close its half.
    socket.resume();
    socket.once(
      "close",
      clock.after(limits.closeMsMax, () => socket.destroy()),
    );
  });
  return response;
}
