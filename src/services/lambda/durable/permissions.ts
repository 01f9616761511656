import type { AuthorizationRequest } from "../../../access/authorization.ts";
import { invalidParameter } from "../errors.ts";
import { durableLimits } from "./limits.ts";
import { executionArn, parseExecutionArn, type CallbackReference } from "./names.ts";
import type { ExecutionRecord } from "./model.ts";

/** The question for an operation on an execution: its ARN, which policies for all of a function's versions match with a `*`. */
export function onExecution(action: string, arn: string | undefined): AuthorizationRequest[] {
  const key = parseExecutionArn(arn ?? "");
  if (!key) throw invalidParameter("Invalid Durable Execution ARN");
  return [{ action: `lambda:${action}`, resource: executionArn(key, key), resourceAccount: key.account }];
}

/** The same for a callback; of one whose execution is not known, nobody can say which execution it belongs to. */
export function onCallback(
  action: string,
  callback: CallbackReference,
  record: ExecutionRecord | undefined,
): AuthorizationRequest[] {
  const of = record ?? { name: "*", version: "*" };
  return [{ action: `lambda:${action}`, resource: executionArn(callback, of), resourceAccount: callback.account }];
}

/** Zero is the default. */
export function pageSize(maxItems: number | undefined): number {
  return Math.min(maxItems || durableLimits.pageDefault, durableLimits.pageMax);
}
