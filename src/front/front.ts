import { createServer, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import { listenWithLoopback } from "../kernel/listen.ts";
import type { Nodes } from "../kernel/nodes/nodes.ts";
import type { HttpRequest, HttpResponse } from "../proxy/http-exchange.ts";
import { answerForbidden, answerInternalError } from "../services/execute-api/answers.ts";
import type { CustomDomains, ExecuteApiPort, WebSocketPort } from "../services/execute-api/port.ts";
import type { UserPoolsHttp } from "../services/cognito-idp/port.ts";
import type { FunctionUrlPort } from "../services/lambda/port.ts";
import { createAwsApi } from "./aws-api.ts";
import { type AwsDestination, createClassifier } from "./classify.ts";
import { createHttp1 } from "./http1/server.ts";
import { awaitLease } from "./lease.ts";
import { frontLimits } from "./limits.ts";
import { metricsPath, type PlatformApi } from "./platform-api.ts";
import { createReadiness, type Readiness } from "./readiness.ts";
import type { Tls } from "./tls.ts";
import { createWebsiteApi, type WebsiteApiNeeds } from "./website-api.ts";

export interface FrontNeeds extends WebsiteApiNeeds {
  /** The gateway's data plane. */
  readonly executeApi: ExecuteApiPort;
  /** Absent: no connection is ever taken over, and who asks for WebSocket is answered as if it did not. */
  readonly webSockets?: WebSocketPort;
  /** Absent: there are no custom domain names. */
  readonly customDomains?: CustomDomains;
  /** The container registry. Never rejects. */
  readonly registry: (request: HttpRequest, response: HttpResponse) => Promise<void>;
  readonly functionUrls: FunctionUrlPort;
  /** Documents of user pools, and what is at their domains. Absent: there are no pools. */
  readonly userPools?: UserPoolsHttp;
  /** Hosts that are user pools' domains. Absent: there are none but those whose names say so. */
  readonly userPoolHosts?: { has(host: string): boolean };
  /** Usage, and metrics for Prometheus. */
  readonly platformApi?: PlatformApi;
  /** What `GET /_cumulet/ready` answers. Absent: ready until it drains. */
  readonly readiness?: Readiness;
  /** Absent: this process has the store for itself. */
  readonly nodes?: Pick<Nodes, "isLive" | "renewed">;
  /** Reads what a trusted proxy tells of the client, before all else (`proxy/client-address.ts`). Absent: none is trusted. */
  readonly trustProxies?: (request: HttpRequest) => void;
  /** Absent: HTTP only. */
  readonly tls?: Tls;
  /**
   * Content behind an address below `/_cumulet/` that a service has given out, as Lambda's `Code.Location`: by path, without a
   * signature. Undefined when there is none.
   */
  readonly download?: (path: string) => Promise<AsyncIterable<Uint8Array> | undefined>;
}

/** The one listener of the platform. */
export interface Front {
  /**
   * On another address than loopback, on loopback as well: by it functions reach the platform.
   *
   * @returns the port that was bound: the one asked for, or the system's choice for 0
   */
  listen(port: number, host: string): Promise<{ readonly port: number; readonly host: string }>;
  /** Instead of `listen`, where another process accepts the connections: serves those that it hands over. */
  adopt(): (socket: Socket) => void;
  /**
   * Not ready any more, and from now on a connection ends with the answer that is given on it: who comes back comes back
   * elsewhere. All else goes on.
   */
  drain(): void;
  /** No new connections; requests under way have `graceMs` to end before their connections are cut. */
  stop(graceMs: number): Promise<void>;
}

export function createFront(needs: FrontNeeds): Front {
  const labels = new Set(needs.models.entries.flatMap((entry) => [entry.name, entry.signingName]));
  const classifier = createClassifier(labels, frontLimits.hostsKept);
  const awsApi = createAwsApi(needs);
  const websites = createWebsiteApi(needs);
  const { customDomains, executeApi, functionUrls, tls, nodes, webSockets } = needs;
  const readiness = needs.readiness ?? createReadiness(needs);
  const stopping = new AbortController();
  /** Connections that the server has not accepted itself, and who asks whether they have all ended. */
  const adopted = new Set<Socket>();
  let adopting = false;
  let beside: Server | undefined;
  let closing: (() => void) | undefined;

  const answerAws = (destination: AwsDestination, request: HttpRequest, response: HttpResponse): void => {
    let signal: AbortSignal | undefined;
    void awsApi(destination, request, response, () => (signal ??= untilGone(response, stopping.signal)));
  };

  const onRequest = (request: HttpRequest, response: HttpResponse): void => {
    if (readiness.draining) response.shouldKeepAlive = false;
    let destination = classifier.classify(request.headers.host, request.url ?? "/");
    // There may be a bucket of that name, and whoever signs a request means that.
    if (destination.kind === "platform" && destination.path === metricsPath && isSigned(request)) {
      destination = { kind: "aws", serviceLabel: undefined, region: undefined, bucket: undefined };
    }
    if (nodes?.isLive() === false && destination.kind !== "platform") {
      void awaitLease(nodes, request, response, () => onRequest(request, response));
      return;
    }
    switch (destination.kind) {
      case "execute-api":
        executeApi.handle(destination.apiId, destination.target, request, response);
        return;
      case "aws": {
        const { host = "" } = request.headers;
        if (needs.userPoolHosts?.has(host) === true) {
          needs.userPools?.(host.toLowerCase().replace(/:\d{1,5}$/, ""), request.url ?? "/", request, response);
          return;
        }
        // A bucket's host is nobody's domain.
        if (customDomains === undefined || destination.bucket !== undefined) {
          return answerAws(destination, request, response);
        }
        const aws = destination;
        customDomains.route(request, (outcome) => {
          if (outcome === undefined) answerAws(aws, request, response);
          else if (outcome === "forbidden") answerForbidden(response);
          else if (outcome === "broken") answerInternalError(response);
          else executeApi.handle(outcome.apiId, outcome.target, request, response, outcome.entry);
        });
        return;
      }
      case "platform":
        if (needs.platformApi?.handle(destination.path, request, response)) return;
        answerPlatform(destination.path, readiness, needs, response);
        return;
      case "registry":
        void needs.registry(request, response);
        return;
      case "website":
        void websites(destination, request, response, untilGone(response, stopping.signal));
        return;
      case "lambda-url":
        functionUrls.handle(destination.urlId, destination.target, request, response);
        return;
      case "user-pools":
        if (needs.userPools) needs.userPools(destination.domain, destination.target, request, response);
        else answerForbidden(response);
    }
  };

  const { trustProxies } = needs;
  const trusting = (request: HttpRequest, response: HttpResponse): void => {
    trustProxies?.(request);
    onRequest(request, response);
  };
  const http = createHttp1({
    headerBytesMax: frontLimits.headerBytesMax,
    headersMsMax: frontLimits.headersMsMax,
    requestMsMax: frontLimits.requestMsMax,
    keepAliveMs: frontLimits.keepAliveMs,
    lookMs: frontLimits.connectionsLookMs,
    onRequest: trustProxies === undefined ? onRequest : trusting,
    onExpectContinue: (request, response) => {
      // The AWS APIs say "continue" when they read: a refusal then costs the client no upload.
      const { kind } = classifier.classify(request.headers.host, request.url ?? "/");
      if (kind !== "aws") response.writeContinue();
      trusting(request, response);
    },
    // What else clients offer to upgrade to, as HTTP/2, is declined by an answer in HTTP/1.1.
    shouldUpgrade: (request) =>
      webSockets !== undefined && request.method === "GET" && request.headers.upgrade?.toLowerCase() === "websocket",
    onUpgrade: (message, socket, head) => {
      trustProxies?.(message);
      const response = webSockets?.begin(message, socket, head);
      if (response === undefined) socket.destroy();
      else onRequest(message, response);
    },
  });
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => http.serve(socket));
  server.maxConnections = frontLimits.connectionsMax;
  webSockets?.serveConnections((connections, request, response) => {
    const { region } = connections;
    answerAws({ kind: "aws", serviceLabel: undefined, region, bucket: undefined, connections }, request, response);
  });
  tls?.serveOn(server, customDomains?.tls);

  const accept = (socket: Socket): void => {
    if (closing) return void socket.destroy();
    adopted.add(socket);
    socket.once("close", () => {
      adopted.delete(socket);
      closing?.();
    });
    server.emit("connection", socket);
  };

  return {
    listen: async (port, host) => {
      const options = { noDelay: true, allowHalfOpen: true, connectionsMax: frontLimits.connectionsMax, accept };
      const listening = await listenWithLoopback(server, port, host, options);
      beside = listening.beside;
      for (const listener of [server, beside]) {
        listener?.on("error", (error) => needs.log.error("The listener failed", { error }));
      }
      return listening;
    },
    adopt: () => {
      adopting = true;
      return accept;
    },
    drain: () => readiness.drain(),
    stop: async (graceMs) => {
      readiness.drain();
      tls?.stop();
      if (!server.listening && !adopting) return;
      beside?.close();
      await new Promise<void>((resolve) => {
        const cancel = needs.clock.after(graceMs, () => {
          stopping.abort();
          http.closeAll();
        });
        let cancelLook: (() => void) | undefined;
        // An answer that was under way leaves its connection idle: it would be kept for as long as the client likes.
        const look = () => {
          http.closeIdle();
          cancelLook = needs.clock.after(frontLimits.idleLookMs, look);
        };
        const closed = () => {
          cancel();
          cancelLook?.();
          resolve();
        };
        let isClosed = false;
        closing = () => {
          if (isClosed && adopted.size === 0) closed();
        };
        // A server that does not listen has nothing to close, and says so; its connections are counted here.
        server.close(() => {
          isClosed = true;
          closing?.();
        });
        look();
        http.closeIdle("unused");
        if (graceMs <= 0) {
          stopping.abort();
          http.closeAll();
        }
      });
    },
  };
}

/** Aborted when the client has gone before it had its whole answer, or `stopping`. */
function untilGone(response: HttpResponse, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController();
  const look = () => {
    if (!response.writableFinished) gone.abort();
  };
  if (response.destroyed) look();
  else response.once("close", look);
  return AbortSignal.any([gone.signal, stopping]);
}

function isSigned(request: HttpRequest): boolean {
  return request.headers.authorization?.startsWith("AWS4-") ?? false;
}

function answerPlatform(path: string, readiness: Readiness, needs: FrontNeeds, response: HttpResponse): void {
  if (path === "/_cumulet/health") answerJson(response, 200, { status: "alive" });
  else if (path === "/_cumulet/ready") {
    void readiness.check().then((answer) => answerJson(response, answer.status === "ready" ? 200 : 503, answer));
  } else void answerDownload(path, needs, response);
}

async function answerDownload(path: string, needs: FrontNeeds, response: HttpResponse): Promise<void> {
  try {
    const content = await needs.download?.(path);
    if (!content) {
      answerJson(response, 404, { message: "Not Found" });
      return;
    }
    response.writeHead(200, { "content-type": "application/octet-stream" });
    await pipeline(content, response);
  } catch (error) {
    // A client that goes away is no failure of ours.
    if (!response.destroyed) needs.log.error("A download failed", { error, path: path.slice(0, 40) });
    response.destroy();
  }
}

function answerJson(response: HttpResponse, status: number, value: object): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}
