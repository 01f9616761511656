import { PolicyGrammarError, parsePolicyDocument } from "../../access/policy/document.ts";
import { parseArn } from "../../aws/arn.ts";
import { malformedPolicyDocument, packedPolicyTooLarge, validationError } from "./errors.ts";
import { stsLimits } from "./limits.ts";
import { present } from "./needs.ts";

/** A document as it is, and managed policies by ARN: what they say then counts on each call. */
export function checkSessionPolicies(
  account: string,
  input: {
    readonly Policy?: string | undefined;
    readonly PolicyArns?: readonly { readonly arn?: string | undefined }[] | undefined;
  },
): readonly string[] {
  const arns = (input.PolicyArns ?? []).map(({ arn }) => present(arn));
  if (arns.length > stsLimits.sessionPolicyArnsMax) {
    throw validationError(
      `A session can be narrowed by ${stsLimits.sessionPolicyArnsMax} managed policies at the most.`,
    );
  }
  for (const arn of arns) {
    const parsed = parseArn(arn);
    if (parsed?.service !== "iam" || !parsed.resource.startsWith("policy/")) throw validationError(`${arn} is invalid`);
    if (parsed.account !== "aws" && parsed.account !== account) {
      throw validationError(`The policy ${arn} is not of the account of the session.`);
    }
  }
  if (input.Policy === undefined) return arns;
  if (input.Policy.length + arns.join("").length > stsLimits.sessionPolicyCharactersMax) {
    throw packedPolicyTooLarge(Math.ceil((input.Policy.length * 100) / stsLimits.sessionPolicyCharactersMax));
  }
  try {
    parsePolicyDocument(input.Policy, "identity");
  } catch (error) {
    if (error instanceof PolicyGrammarError) throw malformedPolicyDocument(error.message);
    throw error;
  }
  return [input.Policy, ...arns];
}
