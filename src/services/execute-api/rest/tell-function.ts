import { functionArnOf } from "../lambda-target.ts";
import { type LambdaCallOutcome, sourceArn } from "../lambda-call.ts";
import type { PublishedRestStage } from "../port.ts";
import type { RestRequest } from "./request.ts";

/** Tells a request's journal of the call of a function, in the form of the request that AWS makes of it. */
export interface FunctionTelling {
  sent(request: RestRequest, event: string): void;
  ended(request: RestRequest, outcome: LambdaCallOutcome, requestId: string, latencyMs: number): void;
}

/**
 * @param uri as configured
 * @param path of the method's resource
 */
export function compileFunctionTelling(published: PublishedRestStage, uri: string, path: string): FunctionTelling {
  const functionArn = functionArnOf(uri, published.variables);
  if (functionArn === undefined) return { sent: () => undefined, ended: tellFailure };
  const [, , , region = published.region] = functionArn.split(":");
  const host = `lambda.${region}.amazonaws.com`;
  const endpoint = `https://${host}/2015-03-31/functions/${functionArn}/invocations`;
  return {
    sent: (request, event) => {
      const { exchange, journal } = request;
      journal?.sent({
        uri: endpoint,
        headers: Object.entries({
          "x-amzn-lambda-integration-tag": exchange.requestId,
          "x-amzn-apigateway-api-id": published.apiId,
          "X-Amz-Source-Arn": sourceArn(published, exchange.method, path),
          Accept: "application/json",
          "User-Agent": `AmazonAPIGateway_${published.apiId}`,
          Host: host,
          "X-Amzn-Trace-Id": `Root=${exchange.trace}`,
        }).flat(),
        body: event,
      });
    },
    ended: (request, outcome, requestId, latencyMs) => {
      if (outcome.outcome === "answered" || outcome.outcome === "failed") {
        const { payload } = outcome;
        request.journal?.received({
          status: 200,
          latencyMs,
          headers: Object.entries({
            "Content-Type": "application/json",
            "Content-Length": String(payload.length),
            "x-amzn-RequestId": requestId,
            ...(outcome.outcome === "failed" && { "X-Amz-Function-Error": "Unhandled" }),
            "X-Amzn-Trace-Id": `Root=${request.exchange.trace}`,
          }).flat(),
          body: payload,
        });
      }
      tellFailure(request, outcome, requestId);
    },
  };
}

function tellFailure({ journal }: RestRequest, outcome: LambdaCallOutcome, requestId: string): void {
  if (journal === undefined || outcome.outcome === "answered") return;
  if (outcome.outcome === "late") journal.error("Execution failed due to a timeout error");
  else if (outcome.outcome === "failed") {
    const why = errorMessageOf(outcome.payload);
    journal.error(
      `Lambda execution failed with status 200 due to customer function error: ${why}. Lambda request id: ${requestId}`,
    );
  } else if (outcome.outcome === "refused" && outcome.status === 403) {
    journal.error("Execution failed due to configuration error: Invalid permissions on Lambda function");
  } else if (outcome.outcome === "refused") {
    journal.error(
      `Execution failed due to configuration error: Lambda refused the invocation with status ${outcome.status}`,
    );
  }
}

/** The `errorMessage` member of what a failed function answered; empty where there is none. */
export function errorMessageOf(payload: Uint8Array): string {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(payload).toString("utf8"));
    if (typeof parsed === "object" && parsed !== null && "errorMessage" in parsed) return String(parsed.errorMessage);
  } catch {
    // A runtime that ended badly may have left anything.
  }
  return "";
}
