import type { Authorizer } from "../access/authorization.ts";
import { missingAuthentication, signatureDoesNotMatch, toDialect } from "../access/errors.ts";
import type { PayloadRule, ReadRequest, Verifier } from "../access/verifier.ts";
import { AwsError } from "../aws/error.ts";
import type { Principal } from "../aws/principal.ts";
import type { Clock } from "../kernel/clock.ts";
import { upperAlphanumeric, type Ids } from "../kernel/ids.ts";
import type { Log } from "../kernel/log.ts";
import { parseContentEncoding, type ContentEncoding } from "../wire/content-encoding.ts";
import type { CallObserver } from "../wire/observer.ts";
import { checkBodyDigests } from "../wire/body-digests.ts";
import { createDispatcher, type CallFacts } from "../wire/dispatch.ts";
import type { OperationModel } from "../wire/model.ts";
import { malformed, type Protocol, type WireRequest } from "../wire/protocols/protocol.ts";
import type { HttpFacts, Service } from "../wire/service.ts";
import type { LoadedModel, Models } from "../wire/tables/catalog.ts";
import { createRequestBody, decompress, sha256Mismatch, type RequestBody } from "./body.ts";
import { bodyStream, type HttpRequest, type HttpResponse } from "../proxy/http-exchange.ts";
import { type Arrived, createRequestReader } from "./arrived.ts";
import type { AwsDestination } from "./classify.ts";
import {
  createServiceDetector,
  detectNamedService,
  detectOperation,
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
  const detectService = createServiceDetector(models);
  const readRequest = createRequestReader();

  // What is there already is not awaited: each time costs more than most of what is done in between.
  return async (destination, request, response, signal) => {
    const arrived = readRequest(destination, request);
    let detected: DetectedService | undefined;
    let requestId = "";
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
      let made: RequestBody | undefined;
      // Made when first asked for: by then the service, and so the limit, is known.
      const body = () =>
        (made ??= createRequestBody(request, bytesMax, () => {
          if (arrived.expectsContinue) sayContinue(response);
        }));
      const form = async () => (await body().whole()).toString("latin1");

      const detecting =
        destination.connections === undefined
          ? detectService(destination, arrived.facts, form)
          : detectNamedService(models, "execute-api", arrived.facts);
      detected = detecting instanceof Promise ? await detecting : detecting;
      const service = detected.entry.name;
      bytesMax = bodyBytesMax[service] ?? otherBodyBytesMax;
      requestId = service === "s3" ? ids.random(16, upperAlphanumeric) : ids.uuid();
      if (service === "s3" && arrived.facts.headers["origin"] !== undefined) {
        await tellBrowser(needs.crossOrigin, arrived.facts, (name, value) => void response.setHeader(name, value));
      }
      const loaded = models.loaded(service) ?? (await models.load(service));
      protocol = loaded.protocol(detected.protocol);

      const verifying = verifier.verify(toSigned(arrived, service === "s3" ? undefined : body), service);
      const verified = verifying instanceof Promise ? await verifying : verifying;
      const matching = detectOperation(loaded, detected, arrived.facts, form);
      const operation = matching instanceof Promise ? await matching : matching;
      if (verified.principal.type === "anonymous" && !operation.unsigned && service !== "s3") {
        throw missingAuthentication(toDialect(service));
      }
      dispatcher.assertBuilt(loaded.model, operation);
      const reading = readBody(arrived, operation, body(), verified.payload, bytesMax, service);
      const wire = reading instanceof Promise ? await reading : reading;
      const input = parse(protocol, operation, wire);

      const { principal, payload } = verified;
      // S3's checksums may come behind the body: operations read them when they have read it.
      if (payload.kind === "chunked") arrived.http.trailers = payload.trailers;
      const facts = new RequestCall(arrived, requestId, principal, clock.now(), signal, {
        account: "account" in principal ? principal.account : needs.account,
        region: verified.region ?? destination.region ?? needs.region,
      });
      const output = await dispatcher.run(loaded.model, operation, input, facts);
      const answer = protocol.encode(operation, output, requestId);
      const { status } = facts;
      if (facts.headers) Object.assign(answer.headers, facts.headers);
      await respond(request, response, status === undefined ? answer : { ...answer, status }, service, requestId);
    } catch (error) {
      requestId ||= ids.uuid();
      await answerError(error, { log, detected, models, protocol, arrived, requestId }, request, response);
      // A form that was refused halfway: the connection's next request comes after it.
      if (!request.complete) request.resume();
    }
  };
}

/** A call as it came. A class, for an accessor of an object of its own is dear to make. */
class RequestCall implements CallFacts {
  readonly requestId: string;
  readonly principal: Principal;
  readonly account: string;
  readonly region: string;
  readonly now: number;
  readonly endpoint: string;
  readonly http: HttpFacts;
  headers: Record<string, string> | undefined = undefined;
  status: number | undefined = undefined;
  readonly #signal: () => AbortSignal;

  constructor(
    arrived: Arrived,
    requestId: string,
    principal: Principal,
    now: number,
    signal: () => AbortSignal,
    place: { readonly account: string; readonly region: string },
  ) {
    this.requestId = requestId;
    this.principal = principal;
    this.account = place.account;
    this.region = place.region;
    this.now = now;
    this.endpoint = arrived.endpoint;
    this.http = arrived.http;
    this.#signal = signal;
  }

  get signal(): AbortSignal {
    return this.#signal();
  }

  readonly setHeader = (name: string, value: string): void => {
    (this.headers ??= {})[name.toLowerCase()] = value;
  };

  readonly setStatus = (code: number): void => {
    this.status = code;
  };
}

function toSigned(
  { facts, target, headerValues, sourceIp }: Arrived,
  body: (() => RequestBody) | undefined,
): ReadRequest {
  const signed = { method: facts.method, target, headers: headerValues, sourceIp };
  return body ? { ...signed, bodySha256: () => body().sha256() } : signed;
}

function readBody(
  arrived: Arrived,
  operation: OperationModel,
  body: RequestBody,
  rule: PayloadRule,
  bytesMax: number,
  service: string,
): Promise<WireRequest> | WireRequest {
  const { facts } = arrived;
  const encoding = parseContentEncoding(facts.headers["content-encoding"], service === "s3");
  const headers = withContentEncoding(facts.headers, encoding);
  const payload = operation.input?.payload;
  const events = payload?.shape.type === "structure" && payload.shape.eventStream;
  if (payload?.streaming || events) {
    return { ...facts, headers, body: new Uint8Array(), stream: streamedBody(facts.headers, () => body, rule) };
  }
  const finish = (bytes: Buffer): WireRequest => {
    // Where they are the operation's own, they are of the object, as those of an upload that is completed.
    if (service === "s3" && bytes.length > 0 && operation.input?.memberByName.has("ChecksumCRC32") !== true) {
      checkBodyDigests(rule.kind === "chunked" ? { ...facts.headers, ...rule.trailers() } : facts.headers, bytes);
    }
    return { method: facts.method, path: facts.path, query: facts.query, headers, body: bytes };
  };
  const bytes = checkedBody(body, rule, service);
  if (!(bytes instanceof Promise) && !encoding.gzip) return finish(bytes);
  return Promise.resolve(bytes).then(async (sent) => {
    const wire = finish(sent);
    return encoding.gzip ? { ...wire, body: await decompress(sent, bytesMax) } : wire;
  });
}

/** The whole body, as it was signed. */
function checkedBody(body: RequestBody, rule: PayloadRule, service: string): Promise<Buffer> | Buffer {
  const bytes = body.whole();
  if (rule.kind === "unsigned") return bytes;
  if (rule.kind === "chunked") {
    const { decode } = rule;
    return Promise.resolve(bytes).then((sent) => collect(decode(once(sent))));
  }
  const check = (computed: string): void => {
    // AWS: all services but S3 hash the body that came and find that the signature is not its signature.
    if (computed === rule.hex) return;
    throw service === "s3" ? sha256Mismatch(rule.hex, computed) : signatureDoesNotMatch(toDialect(service));
  };
  const computed = body.sha256();
  if (typeof computed !== "string") return computed.then(check).then(() => bytes);
  check(computed);
  return bytes;
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
