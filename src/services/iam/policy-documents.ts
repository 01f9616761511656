import { PolicyGrammarError, parsePolicyDocument } from "../../access/policy/document.ts";
import type { Reader } from "../../kernel/store/store.ts";
import { limitExceeded, malformedPolicyDocument, quotaExceeded } from "./errors.ts";
import { iamLimits } from "./limits.ts";
import { readEntity, type Entity } from "./model.ts";
import { policyCharacters } from "./rules.ts";

/** Check a policy that says what an identity may do. */
export function checkIdentityPolicy(document: string): void {
  asMalformed(() => parsePolicyDocument(document, "identity"));
}

export function checkManagedPolicy(document: string): void {
  checkIdentityPolicy(document);
  if (policyCharacters(document) > iamLimits.managedPolicyCharactersMax) {
    throw quotaExceeded("PolicySize", iamLimits.managedPolicyCharactersMax);
  }
}

/** All inline policies of an entity count together. */
export function checkInlinePoliciesSize(entity: Entity, documents: Readonly<Record<string, string>>): void {
  const limit = iamLimits.inlinePoliciesCharactersMax[entity.kind];
  const characters = Object.values(documents).reduce((sum, document) => sum + policyCharacters(document), 0);
  if (characters > limit) {
    throw limitExceeded(`Maximum policy size of ${limit} bytes exceeded for ${entity.kind} ${entity.name}`);
  }
}

/** Check a role's trust policy. Principals of an account that we keep must exist. */
export async function checkTrustPolicy(reader: Reader, account: string, document: string): Promise<void> {
  const { statements } = asMalformed(() => parsePolicyDocument(document, "trust"));
  if (policyCharacters(document) > iamLimits.trustPolicyCharactersMax) {
    throw quotaExceeded("ACLSizePerRole", iamLimits.trustPolicyCharactersMax);
  }
  for (const { kind, value } of statements.flatMap(({ principals }) => principals?.entries ?? [])) {
    const match = kind === "AWS" ? /^arn:aws:iam::(\d{12}):(user|role)(\/.*)$/.exec(value) : undefined;
    const [, owner, entityKind, rest = ""] = match ?? [];
    if (owner !== account || (entityKind !== "user" && entityKind !== "role")) continue;
    const found = await readEntity(reader, account, entityKind, rest.slice(rest.lastIndexOf("/") + 1));
    if (found?.arn !== value)
      throw malformedPolicyDocument(`Invalid principal in policy: "AWS":${JSON.stringify(value)}`);
  }
}

function asMalformed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof PolicyGrammarError) throw malformedPolicyDocument(error.message);
    throw error;
  }
}
