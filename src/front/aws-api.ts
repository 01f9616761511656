import { TLSSocket } from "node:tls";
import type { Authorizer } from "../access/authorization.ts";
import { missingAuthentication, signatureDoesNotMatch, toDialect } from "../access/errors.ts";
import { isLoopbackAddress } from "../access/loopback.ts";
import type { PayloadRule, Verified, Verifier } from "../access/verifier.ts";
import { AwsError } from "../aws/error.ts";
import type { Clock } from "../kernel/clock.ts";
import { upperAlphanumeric, type Ids } from "../kernel/ids.ts";
import type { Log } from "../kernel/log.ts";
import { parseContentEncoding, type ContentEncoding } from "../wire/content-encoding.ts";
import type { CallObserver } from "../wire/observer.ts";
import { checkBodyDigests } from "../services/s3/body-digests.ts";
import { createDispatcher, type CallFacts } from "../wire/dispatch.ts";
import type { OperationModel } from "../wire/model.ts";
import { malformed, type Protocol, type WireRequest } from "../wire/protocols/protocol.ts";
import type { HttpFacts, Service } from "../wire/service.ts";
import type { LoadedModel, Models } from "../wire/tables/catalog.ts";
import { createRequestBody, decompress, sha256Mismatch, type RequestBody } from "./body.ts";
import { isEncrypted, sourceIp as sourceIpOf } from "../proxy/client-address.ts";
import { bodyStream, type HttpRequest, type HttpResponse } from "../proxy/http-exchange.ts";
import type { AwsDestination } from "./classify.ts";
import {
  detectNamedService,
  detectOperation,
  detectService,
  type DetectedService,
  type RequestFacts,
} from "./detect.ts";
import { answerBrowser, browserRequestOf, tellBrowser, type BrowserNeeds } from "./browser-requests.ts";
import { bodyBytesMax, otherBodyBytesMax } from "./limits.ts";
import { respond } from "./respond.ts";
import { sayContinue } from "./say-continue.ts";
import { streamedBody } from "./streamed-body.ts";

export interface AwsApiNeeds extends BrowserNeeds {
  readonly services: ReadonlyMap<string, Service>;
  readonly models: Models;
  readonly verifier: Verifier;
  readonly authorizer: Authorizer;
  readonly observer?: CallObserver;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Whose the unsigned requests are. */
  readonly account: string;
  /** Where the unsigned requests are that name none. */
  readonly region: string;
}

/** Answers requests to the AWS APIs. Never rejects. */
export type AwsApi = (
  destination: AwsDestination,
  request: HttpRequest,
  response: HttpResponse,
  /** Made when first asked for: most calls never look at it, and making one is dear. */
  signal: () => AbortSignal,
) => Promise<void>;

/** The way of a request, one step a line: see `answer`. */
export function createAwsApi(needs: AwsApiNeeds): AwsApi {
  const { models, verifier, clock, ids, log } = needs;
  const dispatcher = createDispatcher(needs);

  return async (destination, request, response, signal) => {
    const arrived = readRequest(destination, request);
    let detected: DetectedService | undefined;
    let requestId = ids.uuid();
    let protocol: Protocol | undefined;
    try {
      const asked = browserRequestOf(needs, destination, arrived.facts);
      if (asked) {
        detected = detectNamedService(models, "s3", arrived.facts);
        requestId = ids.random(16, upperAlphanumeric);
        const loaded = await models.load("s3");
        protocol = loaded.protocol(detected.protocol);
        const at = { account: needs.account, region: destination.region ?? needs.region };
        const answer = await answerBrowser(
          asked,
          { ...needs, dispatcher, model: loaded.model },
          {
            ...arrived,
            ...at,
            requestId,
            signal: signal(),
            body: () => {
              if (arrived.expectsContinue) sayContinue(response);
              return bodyStream(request);
            },
            setHeader: (name, value) => void response.setHeader(name, value),
          },
        );
        await respond(request, response, answer, "s3", requestId);
        return;
      }
      let bytesMax = otherBodyBytesMax;
      const body = createLazyBody(() =>
        createRequestBody(request, bytesMax, () => {
          if (arrived.expectsContinue) sayContinue(response);
        }),
      );
      const form = async () => (await body().whole()).toString("latin1");

      detected =
        destination.connections === undefined
          ? await detectService(models, destination, arrived.facts, form)
          : detectNamedService(models, "execute-api", arrived.facts);
      const service = detected.entry.name;
      bytesMax = bodyBytesMax[service] ?? otherBodyBytesMax;
      if (service === "s3") {
        requestId = ids.random(16, upperAlphanumeric);
        await tellBrowser(needs.crossOrigin, arrived.facts, (name, value) => void response.setHeader(name, value));
      }
      const loaded = models.loaded(service) ?? (await models.load(service));
      protocol = loaded.protocol(detected.protocol);

      const verified = await verify(verifier, arrived, body, service);
      const operation = await detectOperation(loaded, detected, arrived.facts, form);
      if (verified.principal.type === "anonymous" && !operation.unsigned && service !== "s3") {
        throw missingAuthentication(toDialect(service));
      }
      dispatcher.assertBuilt(loaded.model, operation);
      const wire = await readBody(arrived, operation, body(), verified.payload, bytesMax, service);
      const input = parse(protocol, operation, wire);

      const headers: Record<string, string> = {};
      let status: number | undefined;
      const facts: CallFacts = {
        requestId,
        principal: verified.principal,
        account: "account" in verified.principal ? verified.principal.account : needs.account,
        region: verified.region ?? destination.region ?? needs.region,
        now: clock.now(),
        endpoint: arrived.endpoint,
        http: withTrailers(arrived.http, verified.payload),
        get signal() {
          return signal();
        },
        setHeader: (name, value) => {
          headers[name.toLowerCase()] = value;
        },
        setStatus: (code) => {
          status = code;
        },
      };
      const output = await dispatcher.run(loaded.model, operation, input, facts);
      const answer = protocol.encode(operation, output, requestId);
      Object.assign(answer.headers, headers);
      await respond(request, response, status === undefined ? answer : { ...answer, status }, service, requestId);
    } catch (error) {
      await answerError(error, { log, detected, models, protocol, arrived, requestId }, request, response);
      // A form that was refused halfway: the connection's next request comes after it.
      if (!request.complete) request.resume();
    }
  };
}

/** What a request says before its body. */
export interface Arrived {
  readonly facts: RequestFacts;
  readonly http: HttpFacts;
  readonly endpoint: string;
  readonly headerPairs: readonly (readonly [name: string, value: string])[];
  readonly target: string;
  readonly sourceIp: string;
  readonly expectsContinue: boolean;
}

export function readRequest(destination: AwsDestination, request: HttpRequest): Arrived {
  const target = request.url ?? "/";
  const queryAt = target.indexOf("?");
  const path = queryAt < 0 ? target : target.slice(0, queryAt);
  const query = queryAt < 0 ? "" : target.slice(queryAt + 1);
  const headerPairs: [string, string][] = [];
  const headers: Record<string, string> = Object.create(null);
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    const value = rawHeaders[index + 1] ?? "";
    headerPairs.push([name, value]);
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  const method = request.method ?? "GET";
  const sourceIp = sourceIpOf(request);
  const secure = isEncrypted(request);
  let parameters: URLSearchParams | undefined;
  return {
    facts: {
      method,
      path:
        destination.connections?.path ??
        (destination.bucket === undefined ? path : `/${encodeURIComponent(destination.bucket)}${path}`),
      query,
      headers,
    },
    http: {
      method,
      path,
      get query() {
        parameters ??= new URLSearchParams(query);
        return parameters;
      },
      headers,
      sourceIp,
      ...(destination.connections && { connections: destination.connections }),
      // What does not leave the machine is as safe as TLS makes it: policies that ask for `aws:SecureTransport` hold.
      secure: secure || isLoopbackAddress(sourceIp),
      tlsVersion: () => tlsVersionOf(request),
    },
    endpoint: toEndpoint(headers["host"], request.socket.localPort ?? 0, secure),
    headerPairs,
    target,
    sourceIp,
    expectsContinue: headers["expect"]?.toLowerCase() === "100-continue",
  };
}

/** Of the connection that came here: what a proxy has agreed on with its client is not known. */
function tlsVersionOf({ socket }: HttpRequest): string | undefined {
  return socket instanceof TLSSocket ? (socket.getProtocol() ?? "").replace(/^TLSv/, "") || undefined : undefined;
}

/** The platform's address, without the labels that named a service or bucket. */
function toEndpoint(host: string | undefined, port: number, secure: boolean): string {
  const scheme = secure ? "https" : "http";
  const match = /^([a-zA-Z0-9.-]{1,253}|\[[\da-fA-F:]{2,45}\])(:\d{1,5})?$/.exec(host ?? "");
  if (!match) return `${scheme}://127.0.0.1:${port}`;
  const [, name = "", portText = ""] = match;
  const local = /(?:^|\.)(localhost(?:\.localstack\.cloud)?)$/i.exec(name);
  return `${scheme}://${local?.[1] ?? name}${portText}`;
}

/** The body is made when first asked for: by then the service, and so the limit, is known. */
function createLazyBody(create: () => RequestBody): () => RequestBody {
  let body: RequestBody | undefined;
  return () => {
    body ??= create();
    return body;
  };
}

async function verify(
  verifier: Verifier,
  arrived: Arrived,
  body: () => RequestBody,
  service: string,
): Promise<Verified> {
  return await verifier.verify(
    {
      method: arrived.facts.method,
      target: arrived.target,
      headers: arrived.headerPairs,
      sourceIp: arrived.sourceIp,
      ...(service === "s3" ? {} : { bodySha256: () => body().sha256() }),
    },
    service,
  );
}

async function readBody(
  arrived: Arrived,
  operation: OperationModel,
  body: RequestBody,
  rule: PayloadRule,
  bytesMax: number,
  service: string,
): Promise<WireRequest> {
  const { facts } = arrived;
  const encoding = parseContentEncoding(facts.headers["content-encoding"], service === "s3");
  const headers = withContentEncoding(facts.headers, encoding);
  const payload = operation.input?.payload;
  const events = payload?.shape.type === "structure" && payload.shape.eventStream;
  if (payload?.streaming || events) {
    return { ...facts, headers, body: new Uint8Array(), stream: streamedBody(facts.headers, () => body, rule) };
  }
  let bytes = await body.whole();
  if (rule.kind === "sha256") {
    const computed = await body.sha256();
    // AWS: all services but S3 hash the body that came and find that the signature is not its signature.
    if (computed !== rule.hex) {
      throw service === "s3" ? sha256Mismatch(rule.hex, computed) : signatureDoesNotMatch(toDialect(service));
    }
  } else if (rule.kind === "chunked") {
    bytes = await collect(rule.decode(once(bytes)));
  }
  // Where they are the operation's own, they are of the object, as those of an upload that is completed.
  if (service === "s3" && bytes.length > 0 && operation.input?.memberByName.has("ChecksumCRC32") !== true) {
    checkBodyDigests(rule.kind === "chunked" ? { ...facts.headers, ...rule.trailers() } : facts.headers, bytes);
  }
  return { ...facts, headers, body: encoding.gzip ? await decompress(bytes, bytesMax) : bytes };
}

/** S3's checksums may come behind the body: operations read them when they have read it. */
function withTrailers(http: HttpFacts, rule: PayloadRule): HttpFacts {
  return rule.kind === "chunked" ? Object.create(http, { trailers: { value: rule.trailers } }) : http;
}

function withContentEncoding(
  headers: Readonly<Record<string, string>>,
  encoding: ContentEncoding,
): Readonly<Record<string, string>> {
  const sent = headers["content-encoding"];
  if (sent === undefined || sent === encoding.rest) return headers;
  const { "content-encoding": _sent, ...others } = headers;
  return encoding.rest === undefined ? others : { ...others, "content-encoding": encoding.rest };
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

async function collect(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function parse(protocol: Protocol, operation: OperationModel, wire: WireRequest): Record<string, unknown> {
  try {
    return protocol.parse(operation, wire);
  } catch (error) {
    // Nesting that outruns the stack is the client's doing, not a bug of ours.
    if (error instanceof RangeError) throw malformed("The request is nested too deeply");
    throw error;
  }
}

async function answerError(
  error: unknown,
  about: {
    readonly log: Log;
    readonly detected: DetectedService | undefined;
    readonly models: Models;
    readonly protocol: Protocol | undefined;
    readonly arrived: Arrived;
    readonly requestId: string;
  },
  request: HttpRequest,
  response: HttpResponse,
): Promise<void> {
  const { log, detected, requestId } = about;
  const service = detected?.entry.name ?? "";
  if (response.headersSent || response.destroyed) {
    // Too late for an answer: a connection cut short is the only way left to say that the body is not whole.
    const gone = error instanceof AwsError || isDisconnect(error);
    if (!gone) log.error("A response could not be finished", { requestId, service, error });
    response.destroy();
    return;
  }
  if (!(error instanceof AwsError))
    log.error("A request failed", { requestId, service, target: about.arrived.facts.path, error });
  const told = error instanceof AwsError ? error : internalFailure(service);
  const protocol = about.protocol ?? (await fallbackProtocol(about.models, about.arrived.facts));
  await respond(request, response, protocol.encodeError(told, requestId), service, requestId).catch(() =>
    response.destroy(),
  );
}

function isDisconnect(error: unknown): boolean {
  if (error instanceof Error && error.name === "AbortError") return true;
  return (
    error instanceof Error &&
    "code" in error &&
    (error.code === "ERR_STREAM_PREMATURE_CLOSE" || error.code === "ECONNRESET")
  );
}

function internalFailure(service: string): AwsError {
  return service === "s3"
    ? new AwsError("InternalError", 500, "We encountered an internal error. Please try again.")
    : new AwsError(
        "InternalFailure",
        500,
        "The request processing has failed because of an unknown error, exception or failure.",
      );
}

/** An answer to a request whose service is not ours, or not known, in the protocol that it seems to be in. */
async function fallbackProtocol(models: Models, facts: RequestFacts): Promise<Protocol> {
  const like = facts.headers["x-amz-target"]
    ? (["kms", "json"] as const)
    : (facts.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded")
      ? (["sts", "query"] as const)
      : (["lambda", "rest-json"] as const);
  const loaded: LoadedModel = await models.load(like[0]);
  return loaded.protocol(like[1]);
}
