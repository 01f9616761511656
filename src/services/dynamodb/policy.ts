import { parsePolicyDocument } from "../../access/policy/document.ts";
import { validation } from "./errors.ts";
import { dynamoLimits } from "./limits.ts";

/** A resource-based policy's text, checked. @throws {ValidationException} */
export function parseTablePolicy(text: string): string {
  if (Buffer.byteLength(text) > dynamoLimits.resourcePolicyBytesMax) {
    throw validation("Resource-based policy size exceeded the maximum size of 20 KB");
  }
  try {
    parsePolicyDocument(text, "resource");
  } catch {
    throw validation("Invalid policy document: the policy is not valid");
  }
  return text;
}
