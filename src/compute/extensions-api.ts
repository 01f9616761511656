import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:net";
import type { FunctionSpec } from "./compute.ts";
import type { Extension, ExtensionEvent, Extensions } from "./extensions.ts";
import type { ComputeLimits } from "./limits.ts";
import type { Telemetry } from "./telemetry.ts";
import { logsPath, parseSubscription, telemetryPath } from "./telemetry-subscription.ts";
import type { Subscription } from "./telemetry-subscription.ts";

const version = "/2020-01-01/extension";

/** Answers a request if it is one of its own. */
export type ApiRoutes = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * The Extensions API of one environment.
 * Source: "Using the Lambda Extensions API to create extensions"; texts of errors from AWS's runtime interface emulator.
 */
export function createExtensionsApi(
  extensions: Extensions,
  telemetry: Telemetry,
  spec: FunctionSpec,
  limits: ComputeLimits,
  onSubscription: (name: string, subscription: Subscription) => void,
): ApiRoutes {
  const register = async (request: IncomingMessage, response: ServerResponse) => {
    const name = headerOf(request, "lambda-extension-name");
    if (name === "") return refuse(response, "Extension.InvalidExtensionName", "Empty extension name");
    const events = parseEvents(await readText(request, limits.registrationBytesMax));
    if (typeof events === "string") return refuse(response, "InvalidRequestFormat", events);
    const external = extensions.isExternal(name);
    for (const event of events) {
      if (event !== "INVOKE" && event !== "SHUTDOWN") {
        return refuse(response, "Extension.InvalidEventType", `${event}: ErrorInvalidEventType`);
      }
      if (event === "SHUTDOWN" && !external) {
        return refuse(
          response,
          "Extension.InvalidEventType",
          `${event}: ShutdownEventNotSupportedForInternalExtension`,
        );
      }
    }
    const registered = extensions.register(name, [...new Set(events as ExtensionEvent[])]);
    if ("message" in registered) return refuse(response, registered.errorType, registered.message);
    const features = headerOf(request, "lambda-extension-accept-feature").split(",");
    const withAccount = features.some((feature) => feature.trim() === "accountId");
    response.setHeader("Lambda-Extension-Identifier", registered.id);
    answer(response, 200, {
      functionName: spec.functionName,
      functionVersion: spec.version,
      handler: spec.handler,
      ...(withAccount && { accountId: spec.account }),
    });
  };

  const identified = (request: IncomingMessage, response: ServerResponse, unknown: string): Extension | undefined => {
    const found = findExtension(extensions, request, unknown);
    if ("id" in found) return found;
    refuse(response, found.errorType, found.message);
    return undefined;
  };

  const next = (request: IncomingMessage, response: ServerResponse) => {
    const id = headerOf(request, "lambda-extension-identifier");
    const extension = identified(request, response, `Unknown extension ${id}`);
    if (extension === undefined) return;
    const { state } = extension;
    if (!extensions.next(extension, response)) refuseState(response, state, "Ready", id);
  };

  const fail = async (request: IncomingMessage, response: ServerResponse, where: "InitError" | "ExitError") => {
    await readText(request, limits.registrationBytesMax);
    const extension = identified(request, response, "Unknown Lambda-Extension-Identifier");
    if (extension === undefined) return;
    const errorType = headerOf(request, "lambda-extension-function-error-type");
    if (errorType === "") {
      return refuse(response, "Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found");
    }
    const { state } = extension;
    // Answered first: what follows may end the extension.
    if (!extensions.mayFail(extension, where)) return refuseState(response, state, where, extension.id);
    response.once("finish", () => extensions.fail(extension, where, errorType));
    answer(response, 202, { status: "OK" });
  };

  const subscribe = async (request: IncomingMessage, response: ServerResponse, api: Subscription["api"]) => {
    const text = await readText(request, limits.registrationBytesMax);
    const extension = identified(request, response, "Unknown Lambda-Extension-Identifier");
    if (extension === undefined) return;
    const family = api === "telemetry" ? "Telemetry" : "Logs";
    if (!telemetry.open) {
      return refuse(response, `${family}.SubscriptionClosed`, `${family} API subscription is closed already`);
    }
    const subscription = parseSubscription(api, text);
    if (typeof subscription === "string") {
      return answer(response, 400, { errorMessage: subscription, errorType: "ValidationError" });
    }
    telemetry.subscribe(extension.id, subscription);
    onSubscription(extension.name, subscription);
    response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" });
    response.end("OK");
  };

  return (request, response) => {
    const path = request.url ?? "";
    const api = subscriptionPaths.get(path.replace(/\/$/u, ""));
    if (api !== undefined && request.method === "PUT") {
      void subscribe(request, response, api).catch(() => response.destroy());
      return true;
    }
    if (!path.startsWith(version)) return false;
    const what = `${request.method} ${path.slice(version.length)}`;
    const done =
      what === "POST /register"
        ? register(request, response)
        : what === "GET /event/next"
          ? next(request, response)
          : what === "POST /init/error"
            ? fail(request, response, "InitError")
            : what === "POST /exit/error"
              ? fail(request, response, "ExitError")
              : notFound(response);
    void Promise.resolve(done).catch(() => response.destroy());
    return true;
  };
}

const subscriptionPaths: ReadonlyMap<string, Subscription["api"]> = new Map([
  [telemetryPath, "telemetry"],
  [logsPath, "logs"],
]);

/** The extension that a request says it comes from; or what AWS says when it does not. */
function findExtension(
  extensions: Extensions,
  request: IncomingMessage,
  unknown: string,
): Extension | { readonly errorType: string; readonly message: string } {
  const id = headerOf(request, "lambda-extension-identifier");
  if (id === "") {
    return { errorType: "Extension.MissingExtensionIdentifier", message: "Missing Lambda-Extension-Identifier header" };
  }
  if (!/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/iu.test(id)) {
    return { errorType: "Extension.InvalidExtensionIdentifier", message: "Invalid Lambda-Extension-Identifier" };
  }
  const extension = extensions.find(id.toLowerCase());
  return extension ?? { errorType: "Extension.UnknownExtensionIdentifier", message: unknown };
}

/** For runtimes that do not speak the Runtime API: its listener answers extensions alone. Nothing is made before one comes. */
export function serveExtensions(listener: Server, routes: ApiRoutes): { close(): void } {
  let http: ReturnType<typeof createServer> | undefined;
  listener.on("connection", (socket) => {
    http ??= createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 }, (request, response) => {
      if (!routes(request, response)) notFound(response);
    });
    http.emit("connection", socket);
  });
  return { close: () => http?.closeAllConnections() };
}

/** The events of a registration; or what is wrong with it. */
function parseEvents(text: string | undefined): readonly string[] | string {
  if (text === undefined) return "http: request body too large";
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return text === "" ? "unexpected end of JSON input" : "invalid character in JSON text";
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return "json: cannot unmarshal into Go value of type handler.RegisterRequest";
  }
  if ("configurationKeys" in body && Array.isArray(body.configurationKeys) && body.configurationKeys.length > 0) {
    return "configurationKeys are deprecated; use environment variables instead";
  }
  const events: unknown = "events" in body ? (body.events ?? []) : [];
  if (!Array.isArray(events) || !events.every((event) => typeof event === "string")) {
    return "json: cannot unmarshal into Go struct field .events of type []core.Event";
  }
  return events;
}

function headerOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? "";
}

/** Undefined when it is more than allowed; read to its end even so. */
async function readText(request: IncomingMessage, bytesMax: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= bytesMax) chunks.push(chunk);
  }
  return bytes > bytesMax ? undefined : Buffer.concat(chunks).toString("utf8");
}

function refuseState(response: ServerResponse, from: string, to: string, id: string): void {
  refuse(
    response,
    "Extension.InvalidExtensionState",
    `State transition from ${from} to ${to} failed for extension ${id}. Error: State transition is not allowed`,
  );
}

function refuse(response: ServerResponse, errorType: string, errorMessage: string): void {
  answer(response, 403, { errorMessage, errorType });
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}

function notFound(response: ServerResponse): void {
  response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" });
  response.end("404 page not found\n");
}
