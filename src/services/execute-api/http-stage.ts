import { AwsError } from "../../aws/error.ts";
import type { Principal } from "../../aws/principal.ts";
import { compileCors, type Cors, isCorsHeader } from "./cors.ts";
import { compileEventV1 } from "./event-v1.ts";
import { iamAuthorizer, identityOf, unknownIdentity } from "../../proxy/caller-identity.ts";
import { compileEventV2 } from "../../proxy/event-v2.ts";
import { type Exchange, startExchange } from "../../proxy/exchange.ts";
import { compileLambdaCall, type LambdaCall, type LambdaCallOutcome, sourceArn } from "./lambda-call.ts";
import { parseResponseV1, parseResponseV2 } from "../../proxy/lambda-response.ts";
import { isTextMediaType, mediaType } from "../../proxy/media-types.ts";
import { decodePercent } from "../../proxy/percent-decoding.ts";
import type { PublishedHttpStage, PublishedRoute } from "./port.ts";
import { readBody } from "../../proxy/request-body.ts";
import { createRouter, pathVariables } from "./router.ts";
import { send } from "../../proxy/send.ts";
import { executeApiLimits } from "./limits.ts";
import { type CompiledStage, domainNameOf, type StageNeeds } from "./stage-needs.ts";

interface CompiledRoute {
  readonly route: PublishedRoute;
  readonly path: string;
  readonly call: LambdaCall;
  event(exchange: Exchange, parameters: readonly string[], body: Buffer, caller: Principal | undefined): string;
}

/**
 * Make a stage of an HTTP API ready to answer.
 *
 * AWS: errors are a `message` alone, with `Not Found` for a path without a route, `Service Unavailable` for a late
 * integration, and `Internal Server Error` for whatever else a function or its permissions do.
 */
export function compileHttpStage(needs: StageNeeds, stage: PublishedHttpStage): CompiledStage {
  const compiled = stage.routes.map((route) => compileRoute(needs, stage, route));
  const fallback = compiled.find(({ route }) => route.routeKey === "$default");
  const router = createRouter(
    compiled
      .filter((route) => route !== fallback)
      .map((value) => ({ method: value.route.routeKey.split(" ")[0] ?? "", path: value.path, value })),
    "route-first",
  );
  const cors = stage.cors === undefined ? undefined : compileCors(stage.cors);

  return {
    answer: (request, response, paths) => {
      const exchange = startExchange(needs, request, response, paths);
      const { headers } = exchange;
      if (
        cors !== undefined &&
        exchange.method === "OPTIONS" &&
        headers.origin !== "" &&
        headers.requestedMethod !== ""
      ) {
        response.writeHead(204, ["apigw-requestid", exchange.extendedId, ...cors.preflight(headers.origin)]);
        response.end();
        return;
      }
      const match = router.match(exchange.method, exchange.path);
      const route = match?.value ?? fallback;
      if (route === undefined) {
        answerMessage(exchange, cors, 404, "Not Found");
        return;
      }
      readBody(request, headers.hasBody, executeApiLimits.bodyBytesMax, (body) => {
        if (body === undefined) {
          answerMessage(exchange, cors, 413, "Request Entity Too Large");
          return;
        }
        const parameters = match?.parameters ?? [];
        if (route.route.authorizationType === "NONE") {
          invoke(needs, exchange, cors, route, route.event(exchange, parameters, body, undefined));
          return;
        }
        const arn = sourceArn(stage, exchange.method, exchange.path);
        needs.access.check(exchange, body, { account: stage.account, region: stage.region, arn }).then(
          (caller) => invoke(needs, exchange, cors, route, route.event(exchange, parameters, body, caller)),
          (error: unknown) => {
            if (!(error instanceof AwsError)) needs.log.error("Authorizing a request broke", { error });
            const refused = error instanceof AwsError && error.status < 500;
            answerMessage(exchange, cors, refused ? 403 : 500, refused ? "Forbidden" : "Internal Server Error");
          },
        );
      });
    },
  };
}

function compileRoute(needs: StageNeeds, stage: PublishedHttpStage, route: PublishedRoute): CompiledRoute {
  const path = route.routeKey === "$default" ? "" : route.routeKey.slice(route.routeKey.indexOf(" ") + 1);
  const call = compileLambdaCall(needs, stage, route.integration, route.routeKey === "$default" ? "/$default" : path);
  const variables = pathVariables(path);
  if (route.integration.payloadFormatVersion === "2.0") {
    const write = compileEventV2({ ...stage, routeKey: route.routeKey, pathVariables: variables });
    return {
      route,
      path,
      call,
      event: (exchange, parameters, body, caller) =>
        write(exchange, {
          parameters,
          body,
          logTime: needs.identities.logTime(exchange.now),
          domainName: domainNameOf(stage, exchange.headers.host),
          authorizer: caller === undefined ? "" : iamAuthorizer(caller),
        }),
    };
  }
  const write = compileEventV1({
    ...stage,
    kind: "http",
    resourceId: route.routeKey,
    resourcePath: path === "" ? "$default" : path,
    ...(route.operationName === undefined ? {} : { operationName: route.operationName }),
    pathVariables: variables,
  });
  return {
    route,
    path,
    call,
    event: (exchange, parameters, body, caller) => {
      const decoded = decodePercent(exchange.fullPath);
      return write(
        // AWS: HTTP APIs have one identifier for a request.
        { ...exchange, requestId: exchange.extendedId },
        {
          path: decoded,
          contextPath: decoded,
          parameters,
          body,
          bodyIsBinary: !isTextMediaType(mediaType(exchange.headers.contentType)),
          logTime: needs.identities.logTime(exchange.now),
          domainName: domainNameOf(stage, exchange.headers.host),
          identity: caller === undefined ? unknownIdentity : identityOf(caller),
        },
      );
    },
  };
}

function invoke(
  needs: StageNeeds,
  exchange: Exchange,
  cors: Cors | undefined,
  route: CompiledRoute,
  event: string,
): void {
  route.call(exchange.method, event, needs.identities.uuid(), exchange.trace, undefined, (outcome) =>
    answerOutcome(exchange, cors, route.route.integration.payloadFormatVersion, outcome),
  );
}

function answerOutcome(
  exchange: Exchange,
  cors: Cors | undefined,
  format: "1.0" | "2.0",
  outcome: LambdaCallOutcome,
): void {
  if (outcome.outcome === "late") return answerMessage(exchange, cors, 503, "Service Unavailable");
  if (outcome.outcome === "refused" && outcome.status === 413) {
    return answerMessage(exchange, cors, 413, "Request Entity Too Large");
  }
  const parsed =
    outcome.outcome !== "answered"
      ? undefined
      : format === "2.0"
        ? parseResponseV2(outcome.payload)
        : parseResponseV1(outcome.payload);
  if (parsed === undefined) return answerMessage(exchange, cors, 500, "Internal Server Error");
  const body = parsed.isBase64Encoded ? Buffer.from(parsed.body, "base64") : parsed.body;
  const headers = cors === undefined ? parsed.headers : withoutCors(parsed.headers);
  if (!parsed.hasContentType && body.length > 0) {
    headers.push("content-type", parsed.inferred ? "application/json" : "text/plain;charset=UTF-8");
  }
  answer(exchange, cors, parsed.statusCode, headers, body);
}

function answerMessage(exchange: Exchange, cors: Cors | undefined, status: number, message: string): void {
  // What was not read of a refused body would be taken for the next request.
  const headers = ["content-type", "application/json"];
  if (status === 413) headers.push("connection", "close");
  answer(exchange, cors, status, headers, `{"message":"${message}"}`);
}

function answer(
  { response, headers, extendedId, meter, now }: Exchange,
  cors: Cors | undefined,
  status: number,
  responseHeaders: string[],
  body: string | Buffer,
): void {
  responseHeaders.push("apigw-requestid", extendedId);
  if (cors !== undefined) responseHeaders.push(...cors.headers(headers.origin));
  send(response, status, responseHeaders, body);
  meter?.answered(status, now);
}

function withoutCors(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    if (!isCorsHeader(name)) kept.push(name, headers[index + 1] ?? "");
  }
  return kept;
}
