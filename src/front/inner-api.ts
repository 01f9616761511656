import type { Authorizer } from "../access/authorization.ts";
import { AwsError } from "../aws/error.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { CallObserver } from "../wire/observer.ts";
import { createDispatcher, type CallFacts } from "../wire/dispatch.ts";
import type { OperationModel } from "../wire/model.ts";
import type { Protocol, WireResponse } from "../wire/protocols/protocol.ts";
import type { InnerAnswer, InnerApi, InnerRequest, Service } from "../wire/service.ts";
import type { Models } from "../wire/tables/catalog.ts";
import { detectNamedService, detectOperation, type RequestFacts } from "./detect.ts";
import { otherBodyBytesMax } from "./limits.ts";

/** The AWS APIs, for integrations that name an operation: the way of `createAwsApi` without a socket and a signature. */
export function createInnerApi(needs: {
  readonly services: ReadonlyMap<string, Service>;
  readonly models: Models;
  readonly authorizer: Authorizer;
  readonly observer?: CallObserver;
  readonly clock: Clock;
  readonly log: Log;
}): InnerApi {
  const { models, clock, log } = needs;
  const dispatcher = createDispatcher(needs);

  const run = async (request: InnerRequest, tell: (protocol: Protocol) => void): Promise<WireResponse> => {
    const facts = withAction(request, models);
    const detected = detectNamedService(models, request.service, facts);
    const loaded = models.loaded(detected.entry.name) ?? (await models.load(detected.entry.name));
    const protocol = loaded.protocol(detected.protocol);
    tell(protocol);
    const form = () => Promise.resolve(Buffer.from(request.body).toString("latin1"));
    const operation = await detectOperation(loaded, detected, facts, form);
    dispatcher.assertBuilt(loaded.model, operation);
    const input = protocol.parse(operation, { ...facts, ...bodyOf(operation, request.body) });
    const headers: Record<string, string> = {};
    let status: number | undefined;
    const call: CallFacts = {
      requestId: request.requestId,
      principal: request.as.principal,
      account: request.as.account,
      region: request.as.region,
      endpoint: request.as.endpoint,
      now: clock.now(),
      signal: request.as.signal ?? never,
      http: {
        method: facts.method,
        path: facts.path,
        query: new URLSearchParams(facts.query),
        headers: facts.headers,
        sourceIp: request.sourceIp,
        secure: true,
      },
      setHeader: (name, value) => {
        headers[name.toLowerCase()] = value;
      },
      setStatus: (code) => {
        status = code;
      },
    };
    const output = await dispatcher.run(loaded.model, operation, input, call);
    const answer = protocol.encode(operation, output, request.requestId);
    Object.assign(answer.headers, headers);
    return status === undefined ? answer : { ...answer, status };
  };

  return async (request) => {
    let protocol: Protocol | undefined;
    try {
      const answer = await run(request, (found) => {
        protocol = found;
      });
      return await toAnswer(answer, request);
    } catch (error) {
      if (request.as.signal?.aborted === true) throw error;
      if (!(error instanceof AwsError)) log.error("A request of an integration failed", { ...named(request), error });
      const told = error instanceof AwsError ? error : broken;
      protocol ??= (await models.load("lambda")).protocol("rest-json");
      return toAnswer(protocol.encodeError(told, request.requestId), request);
    }
  };
}

const never = new AbortController().signal;
const broken = new AwsError("InternalFailure", 500, "The request processing has failed because of an unknown error.");

function named({ service, requestId }: InnerRequest) {
  return { service, requestId };
}

/** The request with its operation named as the service wants it: in a header, or in the query. */
function withAction(request: InnerRequest, models: Models): RequestFacts {
  const { method, path, query, headers, action } = request;
  const entry = models.entries.find((each) => each.signingName === request.service);
  if (action === undefined || entry === undefined) return { method, path, query, headers };
  const isJson = headers["content-type"]?.startsWith("application/x-amz-json") === true;
  if (entry.targetPrefix === undefined || (entry.protocols.includes("query") && !isJson)) {
    const named = `Action=${encodeURIComponent(action)}&Version=${entry.apiVersion}`;
    return { method, path, query: query === "" ? named : `${named}&${query}`, headers };
  }
  const target = `${entry.targetPrefix}.${action}`;
  const type = isJson ? headers["content-type"] : undefined;
  return { method, path, query, headers: { ...headers, "x-amz-target": target, "content-type": type ?? json } };
}

const json = "application/x-amz-json-1.0";

function bodyOf(operation: OperationModel, body: Uint8Array) {
  const payload = operation.input?.payload;
  const events = payload?.shape.type === "structure" && payload.shape.eventStream;
  return payload?.streaming || events ? { body: new Uint8Array(), stream: once(body) } : { body };
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

async function toAnswer({ status, headers, body }: WireResponse, request: InnerRequest): Promise<InnerAnswer> {
  headers["x-amzn-requestid"] ??= request.requestId;
  if (typeof body === "string") return { status, headers, body: Buffer.from(body, "utf8") };
  if (body instanceof Uint8Array) {
    return { status, headers, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) };
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > otherBodyBytesMax) throw new AwsError("PayloadTooLarge", 500, "The answer is larger than 10 MB");
    chunks.push(chunk);
  }
  return { status, headers, body: Buffer.concat(chunks) };
}
