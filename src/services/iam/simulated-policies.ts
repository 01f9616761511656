import type { PolicySourceType } from "@aws-sdk/client-iam";
import { compilePolicy } from "../../access/policy/compile.ts";
import { PolicyGrammarError, parsePolicyDocument, type PolicyKind } from "../../access/policy/document.ts";
import type { NamedPolicy, StatementName } from "../../access/policy/evaluate.ts";
import { statementSpans } from "../../access/policy/spans.ts";
import { invalidInput } from "./errors.ts";

/** A policy that a simulation takes into account, with its text: results say where in it a statement stands. */
export interface SimulatedPolicy {
  readonly named: NamedPolicy;
  readonly text: string;
}

/** @throws {InvalidInput} for what is no policy */
export function toSimulated(name: string, text: string, kind: PolicyKind): SimulatedPolicy {
  try {
    return { named: { name, policy: compilePolicy(parsePolicyDocument(text, kind)) }, text };
  } catch (error) {
    if (error instanceof PolicyGrammarError) throw invalidInput(error.message);
    throw error;
  }
}

/** A statement that decided, as results tell it. */
export function toMatched(by: StatementName, policies: readonly SimulatedPolicy[]) {
  // AWS: so they are called, whatever the model's enumeration has.
  const type: string = by.policyType === "resource-based policy" ? "Resource Policy" : "IAM Policy";
  const found = policies.find(({ named }) => named.name === by.policy);
  const at = found?.named.policy.statements.findIndex(({ name }) => name === by.statement) ?? -1;
  const positions = found && at >= 0 ? positionsOf(found.text, at) : undefined;
  return {
    SourcePolicyId: by.policy,
    SourcePolicyType: type as PolicySourceType,
    ...positions,
  };
}

/**
 * Lines and columns, both counted from 1. AWS: a statement begins where what is before it ends, its bracket or the statement before,
 * and ends after its own last bracket.
 */
function positionsOf(text: string, index: number) {
  const spans = statementSpans(text);
  const span = spans[index];
  if (!span) return undefined;
  const before = spans[index - 1]?.end ?? text.slice(0, span.start).trimEnd().length;
  return { StartPosition: toPosition(text, before), EndPosition: toPosition(text, span.end) };
}

function toPosition(text: string, offset: number) {
  const before = text.slice(0, offset);
  const newline = before.lastIndexOf("\n");
  return { Line: before.split("\n").length, Column: offset - newline };
}
