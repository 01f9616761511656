import { AwsError } from "../../aws/error.ts";
import type { Principal } from "../../aws/principal.ts";
import type { ResponseSink } from "../../compute/compute.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import type { LambdaPort } from "../lambda/port.ts";
import { functionArnOf } from "./lambda-target.ts";
import type { AssumedRoles } from "./integrations/assumed-roles.ts";
import type { PublishedLambdaIntegration, PublishedStage } from "./port.ts";
import { createTimeouts } from "./timeouts.ts";

/** How a call of a function ended. */
export type LambdaCallOutcome =
  | {
      /** `failed`: it threw, timed out, exited. */
      readonly outcome: "answered" | "failed";
      readonly payload: Uint8Array;
      /** The sink has had it, or as much of it as there was. */
      readonly isStreamed?: boolean;
    }
  /** Lambda did not run it: no permission, no such function, throttled, or the event was too large. */
  | { readonly outcome: "refused"; readonly status: number }
  /** The integration's timeout passed first. */
  | { readonly outcome: "late" };

export type LambdaCall = (
  method: string,
  event: string,
  requestId: string,
  trace: string,
  caller: Principal | undefined,
  done: (outcome: LambdaCallOutcome) => void,
  /** Takes what the function streams, as it comes. */
  sink?: ResponseSink,
) => void;

export interface LambdaCallNeeds {
  readonly lambda: LambdaPort;
  readonly clock: Clock;
  readonly log: Log;
  readonly integrations: { readonly roles: AssumedRoles };
}

/**
 * Make an integration ready to call: its function and, for each method, the principal that calls it, whose source ARN
 * is `arn:aws:execute-api:…:apiId/stage/METHOD/path`.
 */
export function compileLambdaCall(
  needs: LambdaCallNeeds,
  stage: PublishedStage,
  integration: PublishedLambdaIntegration,
  path: string,
): LambdaCall {
  const functionArn = functionArnOf(integration.uri, stage.variables);
  const timeouts = createTimeouts(needs.clock, integration.timeoutMs);
  const principals = new Map<string, Principal>();
  const principalFor = (method: string) => {
    let principal = principals.get(method);
    if (principal === undefined) {
      principal = {
        type: "service",
        service: "apigateway.amazonaws.com",
        sourceArn: sourceArn(stage, method, path),
        sourceAccount: stage.account,
      };
      // Methods are the client's to invent: an API with ANY must not keep one for each that was ever sent.
      if (principals.size < methodsMax) principals.set(method, principal);
    }
    return principal;
  };

  return (method, event, requestId, trace, caller, done, sink) => {
    if (functionArn === undefined) {
      needs.log.warn("An integration's URI names no function", { apiId: stage.apiId, uri: integration.uri });
      done({ outcome: "refused", status: 404 });
      return;
    }
    let ended = false;
    const end = (outcome: LambdaCallOutcome) => {
      if (ended) return;
      ended = true;
      cancel();
      done(outcome);
    };
    const late = () => {
      // A debugger may hold the function for as long as somebody looks at it.
      if (needs.lambda.isDebugged?.(functionArn) === true && !ended) cancel = timeouts.begin(late);
      else end({ outcome: "late" });
    };
    let cancel = timeouts.begin(late);
    const refused = (error: unknown) => {
      if (!(error instanceof AwsError)) needs.log.error("An invocation broke", { requestId, error });
      else needs.log.debug("Lambda refused an invocation", { requestId, code: error.code, reason: error.message });
      end({ outcome: "refused", status: error instanceof AwsError ? error.status : 500 });
    };
    const invoke = (principal: Principal | undefined) => {
      // The caller's credentials, where nobody is asked for any.
      if (principal === undefined) return end({ outcome: "refused", status: 403 });
      needs.lambda
        .invoke({
          functionArn,
          principal,
          payload: Buffer.from(event, "utf8"),
          requestId,
          traceId: `Root=${trace}`,
          ...(sink && { sink }),
        })
        .then(
          ({ payload, functionError, isStreamed }) =>
            end({
              outcome: functionError === undefined ? "answered" : "failed",
              payload,
              ...(isStreamed && { isStreamed }),
            }),
          refused,
        );
    };
    if (integration.credentials === undefined) invoke(integration.asCaller === true ? caller : principalFor(method));
    else {
      needs.integrations.roles.assume(integration.credentials, sourceArn(stage, method, path)).then(invoke, refused);
    }
  };
}

/** The ARN of a method of a stage: what policies name. */
export function sourceArn(stage: PublishedStage, method: string, path: string): string {
  return `arn:aws:execute-api:${stage.region}:${stage.account}:${stage.apiId}/${stage.stageName}/${method}${path}`;
}

const methodsMax = 16;
