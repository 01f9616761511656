import { guarded } from "../guard.ts";
import { compileLambdaCall, type LambdaCallOutcome } from "../lambda-call.ts";
import { functionArnOf } from "../lambda-target.ts";
import type { PublishedEndpointIntegration, PublishedMethod } from "../port.ts";
import type { IntegrationCall } from "./endpoint-integration.ts";
import { compileResponses } from "./integration-answer.ts";
import { refuse, type RestStage } from "./request.ts";
import { compileFunctionTelling, errorMessageOf } from "./tell-function.ts";

/**
 * `AWS` with a function: the mapped body is its event, and its error message selects the response. Undefined for an
 * integration with anything else, and for calls that are not answered with the function's result.
 *
 * AWS: a function's answer is a 200 whatever it is, unless its error message matches a pattern.
 */
export function compileFunctionIntegration(
  stage: RestStage,
  method: PublishedMethod,
  integration: PublishedEndpointIntegration,
): IntegrationCall | undefined {
  const { needs, published } = stage;
  const isAnsweredLater = Object.keys(integration.requestParameters).some((name) => invocationHeaders.test(name));
  if (isAnsweredLater || functionArnOf(integration.uri, published.variables) === undefined) return undefined;
  const { credentials, uri, timeoutMs } = integration;
  const asCaller = credentials !== undefined && callerCredentials.test(credentials);
  const call = compileLambdaCall(
    needs,
    published,
    {
      type: "AWS_PROXY",
      uri,
      timeoutMs,
      ...(asCaller ? { asCaller } : credentials === undefined ? {} : { credentials }),
    },
    method.path,
  );
  const telling = compileFunctionTelling(published, uri, method.path);
  const answerSelected = compileResponses(integration.responses, "function");

  return (request, { body }) => {
    const { exchange, caller } = request;
    const event = body.length === 0 ? "{}" : body.toString("utf8");
    if (!isJson(event)) return refuse(request, "BAD_REQUEST_BODY", "Could not parse request body into json.");
    const id = needs.identities.uuid();
    if (request.journal !== undefined) telling.sent(request, event);
    const done = guarded(request, (outcome: LambdaCallOutcome) => {
      const latencyMs = needs.clock.now() - exchange.now;
      if (request.journal !== undefined) telling.ended(request, outcome, id, latencyMs);
      exchange.meter?.integrated?.(latencyMs);
      if (outcome.outcome === "late") return refuse(request, "INTEGRATION_TIMEOUT");
      if (outcome.outcome === "refused") {
        request.integration = { integrationStatus: outcome.status, latencyMs, error: "Lambda refused the invocation" };
        return refuse(request, outcome.status === 413 ? "REQUEST_TOO_LARGE" : "API_CONFIGURATION_ERROR");
      }
      request.integration = { status: 200, integrationStatus: 200, latencyMs, requestId: id };
      const payload = outcome.payload === undefined ? Buffer.alloc(0) : toBuffer(outcome.payload);
      const selectBy = outcome.outcome === "failed" ? errorMessageOf(payload) : undefined;
      answerSelected(request, { headers: ["Content-Type", "application/json"], body: payload, selectBy });
    });
    call(exchange.method, event, id, exchange.trace, caller, done);
  };
}

/** With one of these a function is not called for its result. */
export const invocationHeaders = /^integration\.request\.header\.x-amz-(?:invocation-type|log-type|client-context)$/i;
export const callerCredentials = /^arn:[\w-]+:iam::\*:user\/\*$/;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
