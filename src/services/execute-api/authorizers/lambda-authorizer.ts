import { createHash } from "node:crypto";
import { AwsError } from "../../../aws/error.ts";
import type { Principal } from "../../../aws/principal.ts";
import type { LambdaInvokeResult } from "../../lambda/port.ts";
import { functionArnOf } from "../lambda-target.ts";
import type { PublishedLambdaAuthorizer, PublishedStage } from "../port.ts";
import type { StageNeeds } from "../stage-needs.ts";
import { createTimeouts, type Timeouts } from "../timeouts.ts";
import { type GrantShape, type LambdaGrant, parseGrant } from "./lambda-grant.ts";
import { authorizerLimits as limits } from "./limits.ts";

/** What became of asking a function. */
export type LambdaVerdict =
  | { readonly verdict: "granted"; readonly grant: LambdaGrant; readonly latencyMs: number; readonly cached: boolean }
  /** It threw `Unauthorized`. */
  | { readonly verdict: "unauthorized" }
  /** It cannot be called, threw something else, or answered nonsense. */
  | { readonly verdict: "misconfigured"; readonly reason: string }
  /** It did not answer in time. */
  | { readonly verdict: "late" };

/** Asks a function, or remembers what it said. */
export interface LambdaAuthorizer {
  /**
   * @param identity the values of the identity sources; empty when there are none, which is never remembered
   * @param event made only when the function is called
   */
  ask(question: Question, done: (verdict: LambdaVerdict) => void): void;
}

export interface Question {
  readonly identity: readonly string[];
  readonly event: () => string;
  readonly requestId: string;
  readonly trace: string;
  readonly now: number;
}

/** Make an authorizer ready. Simultaneous requests of one identity wait for one call, where results are remembered at all. */
export function createLambdaAuthorizer(
  needs: StageNeeds,
  stage: PublishedStage,
  authorizer: PublishedLambdaAuthorizer,
): LambdaAuthorizer {
  const kind = stage.kind === "http" ? "http" : "rest";
  const shape: GrantShape = { kind, simpleResponses: authorizer.simpleResponses === true };
  const call = compileCall(needs, stage, authorizer, kind === "rest" ? limits.restTimeoutMs : limits.httpTimeoutMs);
  const ask = (question: Question, done: (verdict: LambdaVerdict) => void) => {
    call(question, (outcome) => {
      const verdict = toVerdict(outcome, shape, needs.clock.now() - question.now);
      if (verdict.verdict === "misconfigured") {
        needs.log.warn("An authorizer's function did not decide", {
          apiId: stage.apiId,
          authorizerId: authorizer.id,
          requestId: question.requestId,
          reason: verdict.reason,
        });
      }
      done(verdict);
    });
  };
  if (authorizer.ttlSeconds === 0) return { ask };

  const results = needs.authorizers.remembered.results(stage, authorizer);
  const waiting = new Map<string, ((verdict: LambdaVerdict) => void)[]>();
  return {
    ask: (question, done) => {
      if (question.identity.length === 0) return ask(question, done);
      const key = toKey(question.identity);
      const known = results.get(key);
      if (known !== undefined && known.until > question.now) {
        return done({ verdict: "granted", grant: known.grant, latencyMs: 0, cached: true });
      }
      const others = waiting.get(key);
      if (others !== undefined) return void others.push(done);
      const all = [done];
      waiting.set(key, all);
      ask(question, (verdict) => {
        waiting.delete(key);
        if (verdict.verdict === "granted") {
          results.set(key, { grant: verdict.grant, until: needs.clock.now() + authorizer.ttlSeconds * 1000 });
        }
        for (const one of all) one(verdict);
      });
    },
  };
}

/** Values cannot be told from each other by what joins them: headers and variables have no such character. */
function toKey(identity: readonly string[]): string {
  const key = identity.join("\u0000");
  if (key.length <= limits.resultKeyCharactersMax) return key;
  return `sha256 ${createHash("sha256").update(key).digest("base64")}`;
}

type Outcome =
  | { readonly outcome: "answered"; readonly result: LambdaInvokeResult }
  | { readonly outcome: "refused"; readonly reason: string }
  | { readonly outcome: "late" };

type Call = (question: Question, done: (outcome: Outcome) => void) => void;

function compileCall(
  needs: StageNeeds,
  stage: PublishedStage,
  authorizer: PublishedLambdaAuthorizer,
  timeoutMs: number,
): Call {
  const functionArn = functionArnOf(authorizer.uri, stage.variables);
  const timeouts: Timeouts = createTimeouts(needs.clock, timeoutMs);
  const sourceArn = `arn:aws:execute-api:${stage.region}:${stage.account}:${stage.apiId}/authorizers/${authorizer.id}`;
  const service: Principal = {
    type: "service",
    service: "apigateway.amazonaws.com",
    sourceArn,
    sourceAccount: stage.account,
  };
  const { credentials } = authorizer;
  const principal = (): Promise<Principal> =>
    credentials === undefined ? Promise.resolve(service) : needs.integrations.roles.assume(credentials, sourceArn);

  return (question, done) => {
    if (functionArn === undefined) return done({ outcome: "refused", reason: "Its URI names no function" });
    let ended = false;
    const end = (outcome: Outcome) => {
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
    principal()
      .then((caller) =>
        needs.lambda.invoke({
          functionArn,
          principal: caller,
          payload: Buffer.from(question.event(), "utf8"),
          requestId: question.requestId,
          traceId: `Root=${question.trace}`,
        }),
      )
      .then(
        (result) => end({ outcome: "answered", result }),
        (error: unknown) => {
          if (!(error instanceof AwsError)) needs.log.error("Asking an authorizer broke", { error });
          end({ outcome: "refused", reason: error instanceof Error ? error.message : "It could not be called" });
        },
      );
  };
}

function toVerdict(outcome: Outcome, shape: GrantShape, latencyMs: number): LambdaVerdict {
  if (outcome.outcome === "late") return { verdict: "late" };
  if (outcome.outcome === "refused") return { verdict: "misconfigured", reason: outcome.reason };
  const { functionError, payload } = outcome.result;
  if (functionError !== undefined) {
    const message = thrownMessage(payload);
    // AWS: this one message says that the caller is at fault.
    return message === "Unauthorized"
      ? { verdict: "unauthorized" }
      : { verdict: "misconfigured", reason: `It failed: ${message.slice(0, 200)}` };
  }
  const grant = parseGrant(payload, shape);
  if (grant === undefined) return { verdict: "misconfigured", reason: "Its answer is not one of an authorizer" };
  return { verdict: "granted", grant, latencyMs, cached: false };
}

function thrownMessage(payload: Uint8Array): string {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString("utf8"));
    const message = typeof value === "object" && value !== null && "errorMessage" in value ? value.errorMessage : "";
    return typeof message === "string" ? message : "";
  } catch {
    return "";
  }
}
