import type { Authorizer } from "../../../access/authorization.ts";
import type { Verifier } from "../../../access/verifier.ts";
import { AwsError } from "../../../aws/error.ts";
import type { Principal } from "../../../aws/principal.ts";
import { ComputeSaturatedError } from "../../../compute/compute.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { iamAuthorizer } from "../../../proxy/caller-identity.ts";
import { type Exchange, startExchange } from "../../../proxy/exchange.ts";
import type { HttpRequest, HttpResponse } from "../../../proxy/http-exchange.ts";
import { readBody } from "../../../proxy/request-body.ts";
import { createRequestIdentities } from "../../../proxy/request-identity.ts";
import { verifySigner } from "../../../proxy/signer.ts";
import { tooManyRequests } from "../errors.ts";
import type { CompiledFunction, Functions } from "../functions.ts";
import type { Invoker } from "../invoker.ts";
import { lambdaLimits } from "../limits.ts";
import type { FunctionUrlPort } from "../port.ts";
import { createUrlAccess } from "./access.ts";
import {
  answerBadSignature,
  answerBroken,
  answerFailure,
  answerForbidden,
  answerPayload,
  answerPreflight,
  answerRefusal,
  answerTooLarge,
} from "./answers.ts";
import { answerGathered, createStreamedAnswer } from "./streamed-answer.ts";
import { type CompiledUrl, watchPublishedUrls } from "./published-urls.ts";

export interface FunctionUrlNeeds {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly functions: Functions;
  readonly invoker: Invoker;
  readonly verifier: Verifier;
  readonly authorizer: Authorizer;
}

export interface FunctionUrls {
  readonly port: FunctionUrlPort;
  stop(): void;
}

/** Answers requests to function URLs. Warm, it touches no store and evaluates no policy it has evaluated before. */
export function createFunctionUrls(needs: FunctionUrlNeeds): FunctionUrls {
  const { clock, log, functions, invoker, verifier } = needs;
  const published = watchPublishedUrls(needs.store);
  const access = createUrlAccess(needs.authorizer);
  const identities = createRequestIdentities(needs.ids);
  const exchangeNeeds = { clock, identities };

  const start = (target: string, request: HttpRequest, response: HttpResponse): Exchange => {
    const mark = target.indexOf("?");
    const path = mark === -1 ? target : target.slice(0, mark);
    const query = mark === -1 ? "" : target.slice(mark + 1);
    return startExchange(exchangeNeeds, request, response, { path, fullPath: path, query });
  };

  const answer = (url: CompiledUrl, exchange: Exchange): void => {
    const { headers, method, request } = exchange;
    if (url.cors !== undefined && method === "OPTIONS" && headers.origin !== "" && headers.requestedMethod !== "") {
      answerPreflight(exchange, url.cors);
      return;
    }
    readBody(request, headers.hasBody, lambdaLimits.requestPayloadBytesMax, (body) => {
      if (body === undefined) {
        answerTooLarge(exchange, lambdaLimits.requestPayloadBytesMax);
        return;
      }
      serve(url, exchange, body).catch((error: unknown) => {
        log.error("A request to a function URL broke", { requestId: exchange.requestId, error });
        if (exchange.response.headersSent) exchange.response.destroy();
        else answerBroken(exchange);
      });
    });
  };

  const serve = async (url: CompiledUrl, exchange: Exchange, body: Buffer): Promise<void> => {
    const { record } = url;
    const fn = await (functions.known(url.functionKey) ?? functions.find(record, record.functionName));
    if (fn === undefined) return answerForbidden(exchange);
    let caller: Principal = anonymous;
    if (record.authType === "AWS_IAM") {
      try {
        caller = await verifySigner(verifier, exchange, body, "lambda");
      } catch (error) {
        if (!isRefusal(error)) throw error;
        if (error.code === "MissingAuthenticationToken") return answerForbidden(exchange);
        return answerBadSignature(exchange, error);
      }
    }
    try {
      const asked = access.authorize(fn, record, caller, exchange);
      if (asked !== undefined) await asked;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return answerForbidden(exchange);
    }
    await invoke(url, fn, exchange, eventOf(url, exchange, body, caller));
  };

  const invoke = async (url: CompiledUrl, fn: CompiledFunction, exchange: Exchange, payload: Buffer): Promise<void> => {
    const { record, cors } = url;
    if (payload.length > lambdaLimits.requestPayloadBytesMax) {
      return answerTooLarge(exchange, lambdaLimits.requestPayloadBytesMax);
    }
    try {
      const streamed = record.invokeMode === "RESPONSE_STREAM" ? createStreamedAnswer(exchange, cors) : undefined;
      const { outcome } = await invoker.run(fn, {
        qualifier: record.qualifier === "" ? undefined : record.qualifier,
        payload,
        requestId: exchange.requestId,
        traceId: `Root=${exchange.trace}`,
        trigger: "function-url",
        ...(streamed && { sink: () => streamed.sink }),
      });
      if (streamed !== undefined) streamed.finish(outcome);
      else if (outcome.outcome === "error") answerFailure(exchange, cors);
      else if (outcome.stream !== undefined) answerGathered(exchange, cors, outcome);
      else answerPayload(exchange, cors, outcome.payload);
    } catch (error) {
      if (error instanceof ComputeSaturatedError) {
        return answerRefusal(exchange, cors, tooManyRequests("ConcurrentInvocationLimitExceeded"));
      }
      if (!(error instanceof AwsError)) throw error;
      log.debug("Lambda refused an invocation", { requestId: exchange.requestId, code: error.code });
      answerRefusal(exchange, cors, error);
    }
  };

  const eventOf = (url: CompiledUrl, exchange: Exchange, body: Buffer, caller: Principal): Buffer =>
    Buffer.from(
      url.writeEvent(
        // AWS: a URL has one identifier for a request, and the invocation has it too.
        { ...exchange, extendedId: exchange.requestId },
        {
          parameters: [],
          body,
          logTime: identities.logTime(exchange.now),
          domainName: domainNameOf(url, exchange.headers.host),
          authorizer: caller.type === "anonymous" ? "" : iamAuthorizer(caller),
        },
      ),
      "utf8",
    );

  const port: FunctionUrlPort = {
    handle(urlId, target, request, response) {
      const exchange = start(target, request, response);
      const known = published.find(urlId);
      if (known !== undefined) {
        answer(known, exchange);
        return;
      }
      published.load(urlId).then(
        (url) => (url === undefined ? answerForbidden(exchange) : answer(url, exchange)),
        (error: unknown) => {
          log.error("A function URL could not be loaded", { error });
          answerBroken(exchange);
        },
      );
    },
  };
  return { port, stop: published.stop };
}

const anonymous: Principal = { type: "anonymous" };

function isRefusal(error: unknown): error is AwsError {
  return error instanceof AwsError && error.status < 500;
}

/** The host the client used where it names the URL, without a port; the URL's own name where it used an address or a path. */
function domainNameOf({ record }: CompiledUrl, host: string): string {
  const label = `${record.id}.lambda-url.`;
  if (host.length > label.length && host.slice(0, label.length).toLowerCase() === label) {
    const colon = host.lastIndexOf(":");
    return colon === -1 ? host : host.slice(0, colon);
  }
  return `${label}${record.region}.localhost`;
}
