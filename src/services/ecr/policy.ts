import { parsePolicyDocument } from "../../access/policy/document.ts";

/**
 * A repository's policy in the form that is evaluated: its statements name no resource, for it is the repository.
 *
 * @throws for what is no policy
 */
export function toEvaluatedPolicy(text: string): string {
  const document: unknown = JSON.parse(text);
  if (typeof document !== "object" || document === null) throw new Error("A policy is an object");
  const listed = "Statement" in document ? document.Statement : [];
  const statements: readonly unknown[] = Array.isArray(listed) ? listed : [listed];
  const completed = statements.map((each) => {
    if (typeof each !== "object" || each === null) throw new Error("A statement is an object");
    return "Resource" in each || "NotResource" in each ? each : Object.assign(each, { Resource: "*" });
  });
  const evaluated = JSON.stringify({ ...document, Statement: completed });
  parsePolicyDocument(evaluated, "resource");
  return evaluated;
}
