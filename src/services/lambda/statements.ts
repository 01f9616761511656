import { parsePolicyDocument, PolicyGrammarError } from "../../access/policy/document.ts";
import { conflict, invalidParameter, policyTooLong } from "./errors.ts";
import { toPolicyDocument } from "./functions.ts";
import { lambdaLimits } from "./limits.ts";
import type { PolicyRecord, PolicyStatement } from "./model.ts";

export interface PermissionInput {
  readonly StatementId?: string | undefined;
  readonly Action?: string | undefined;
  readonly Principal?: string | undefined;
  readonly SourceArn?: string | undefined;
  readonly SourceAccount?: string | undefined;
  readonly EventSourceToken?: string | undefined;
  readonly PrincipalOrgID?: string | undefined;
  readonly FunctionUrlAuthType?: string | undefined;
  readonly InvokedViaFunctionUrl?: boolean | undefined;
}

/** The statement that AWS makes of AddPermission's members. */
export function toStatement(input: PermissionInput, resource: string): PolicyStatement {
  const equals: Record<string, string> = {
    ...(input.SourceAccount !== undefined && { "AWS:SourceAccount": input.SourceAccount }),
    ...(input.EventSourceToken !== undefined && { "lambda:EventSourceToken": input.EventSourceToken }),
    ...(input.PrincipalOrgID !== undefined && { "aws:PrincipalOrgID": input.PrincipalOrgID }),
    ...(input.FunctionUrlAuthType !== undefined && { "lambda:FunctionUrlAuthType": input.FunctionUrlAuthType }),
  };
  const condition: Record<string, Record<string, string>> = {
    ...(Object.keys(equals).length > 0 && { StringEquals: equals }),
    ...(input.SourceArn !== undefined && { ArnLike: { "AWS:SourceArn": input.SourceArn } }),
    ...(input.InvokedViaFunctionUrl !== undefined && {
      Bool: { "lambda:InvokedViaFunctionUrl": String(input.InvokedViaFunctionUrl) },
    }),
  };
  return {
    Sid: input.StatementId ?? "",
    Effect: "Allow",
    Principal: toPrincipal(input.Principal ?? ""),
    Action: input.Action ?? "",
    Resource: resource,
    ...(Object.keys(condition).length > 0 && { Condition: condition }),
  };
}

function toPrincipal(text: string): PolicyStatement["Principal"] {
  if (text === "*") return "*";
  if (/^\d{12}$/.test(text)) return { AWS: `arn:aws:iam::${text}:root` };
  // A user or role that exists comes by its unique id.
  return /^(?:arn:|A(?:IDA|ROA)[A-Z0-9]{12,}$)/.test(text) ? { AWS: text } : { Service: text };
}

/**
 * A policy with one more statement. Throws for a statement id that is taken, for a principal that is none, and for a
 * policy that grows too long.
 */
export function addStatement(
  policy: PolicyRecord | undefined,
  statement: PolicyStatement,
  revisionId: string,
): PolicyRecord {
  const statements = policy?.statements ?? [];
  if (statements.some(({ Sid }) => Sid === statement.Sid)) {
    throw conflict(
      `The statement id (${statement.Sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
    );
  }
  const next: PolicyRecord = { v: 1, revisionId, statements: [...statements, statement] };
  const document = toPolicyDocument(next);
  const bytes = Buffer.byteLength(document);
  if (bytes > lambdaLimits.policyBytesMax) throw policyTooLong(bytes, lambdaLimits.policyBytesMax);
  checkReadable(document);
  return next;
}

/** All of a statement but its principal is of the shapes that the model of the API lets through. */
function checkReadable(document: string): void {
  try {
    parsePolicyDocument(document, "resource");
  } catch (error) {
    if (!(error instanceof PolicyGrammarError)) throw error;
    throw invalidParameter("The provided principal was invalid. Please check the principal and try again.");
  }
}
