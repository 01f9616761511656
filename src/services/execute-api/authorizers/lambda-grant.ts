import { type CompiledPolicy, compilePolicy } from "../../../access/policy/compile.ts";
import { parsePolicyDocument, PolicyGrammarError } from "../../../access/policy/document.ts";
import type { Context } from "../../../access/policy/pattern.ts";
import { authorizerLimits as limits } from "./limits.ts";

export type PolicyDecision = "allowed" | "explicitDeny" | "implicitDeny";

/** What a function said about an identity. It is asked again for each request: a policy that lets one through may not another. */
export interface LambdaGrant {
  readonly principalId?: string;
  readonly usageIdentifierKey?: string;
  readonly context?: Readonly<Record<string, unknown>>;
  /** The policy that it returned, as JSON text. */
  readonly policy?: string;
  /**
   * @param arn of the method or route that is called
   * @param conditions keys for conditions; made only where the policy has some
   */
  decide(arn: string, conditions: () => Context): PolicyDecision;
}

/** What an authorizer may answer: REST APIs and HTTP APIs differ. */
export interface GrantShape {
  readonly kind: "rest" | "http";
  /** `{ isAuthorized, context }` will do. */
  readonly simpleResponses: boolean;
}

/** Read what a function returned. Undefined where it is none of what AWS documents. */
export function parseGrant(payload: Uint8Array, shape: GrantShape): LambdaGrant | undefined {
  if (payload.byteLength > limits.resultBytesMax) return undefined;
  const answer = parseObject(Buffer.from(payload).toString("utf8"));
  if (answer === undefined) return undefined;
  const context = answer["context"] ?? undefined;
  if (!isContext(context, shape.kind)) return undefined;
  const { principalId, usageIdentifierKey, isAuthorized, policyDocument } = answer;
  if (!isTextOrNone(principalId) || !isTextOrNone(usageIdentifierKey)) return undefined;
  const decide = compileDecision(policyDocument, shape.simpleResponses ? isAuthorized : undefined);
  if (decide === undefined) return undefined;
  return {
    ...(principalId ? { principalId } : {}),
    ...(usageIdentifierKey ? { usageIdentifierKey } : {}),
    ...(context === undefined ? {} : { context }),
    ...(policyDocument ? { policy: JSON.stringify(policyDocument) } : {}),
    decide,
  };
}

function compileDecision(policyDocument: unknown, isAuthorized: unknown): LambdaGrant["decide"] | undefined {
  if (isAuthorized !== undefined) {
    if (typeof isAuthorized !== "boolean") return undefined;
    return () => (isAuthorized ? "allowed" : "implicitDeny");
  }
  if (typeof policyDocument !== "object" || policyDocument === null) return undefined;
  const text = JSON.stringify(policyDocument);
  const policy = compileText(text);
  if (policy === undefined) return undefined;
  // What is decided by the method alone need not know the request's conditions.
  const isPlain = !text.includes("${") && policy.statements.every(({ conditionKeys }) => conditionKeys.length === 0);
  return isPlain
    ? (arn) => decideByPolicy(policy, arn, noConditions)
    : (arn, conditions) => decideByPolicy(policy, arn, conditions());
}

function compileText(text: string): CompiledPolicy | undefined {
  try {
    return compilePolicy(parsePolicyDocument(text, "identity"));
  } catch (error) {
    if (error instanceof PolicyGrammarError) return undefined;
    throw error;
  }
}

const noConditions: Context = new Map();

function decideByPolicy({ statements }: CompiledPolicy, arn: string, context: Context): PolicyDecision {
  let decision: PolicyDecision = "implicitDeny";
  for (const statement of statements) {
    if (!statement.matches("execute-api:Invoke", arn, context)) continue;
    if (statement.effect === "Deny") return "explicitDeny";
    decision = "allowed";
  }
  return decision;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isTextOrNone(value: unknown): value is string | null | undefined {
  return value === undefined || value === null || typeof value === "string";
}

/** AWS: a REST API takes no objects and arrays as values. */
function isContext(value: unknown, kind: GrantShape["kind"]): value is Readonly<Record<string, unknown>> | undefined {
  if (value === undefined) return true;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return kind === "http" || Object.values(value).every((item) => typeof item !== "object" || item === null);
}
