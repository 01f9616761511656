import { entityTooLargeForm, entityTooSmallForm, invalidByPolicy, invalidPolicyDocument } from "../errors.ts";

/** What a form's policy asks of the form. Source: "Creating a POST policy", Amazon S3 API Reference. */
export interface PostPolicy {
  readonly expiresAt: number;
  readonly conditions: readonly Condition[];
}

type Condition =
  | { readonly kind: "eq" | "starts-with"; readonly field: string; readonly value: string; readonly text: string }
  | { readonly kind: "range"; readonly min: number; readonly max: number };

/** @param encoded Base64 @throws {AwsError} InvalidPolicyDocument */
export function parsePostPolicy(encoded: string): PostPolicy {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
  } catch {
    throw invalidPolicyDocument("Invalid JSON.");
  }
  if (typeof document !== "object" || document === null) throw invalidPolicyDocument("Invalid JSON.");
  const { expiration, conditions }: { readonly expiration?: unknown; readonly conditions?: unknown } = document;
  if (typeof expiration !== "string") throw invalidPolicyDocument("Policy missing expiration.");
  const expiresAt = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(expiration) ? Date.parse(expiration) : Number.NaN;
  if (Number.isNaN(expiresAt)) throw invalidPolicyDocument(`Invalid 'expiration' value: '${expiration}'`);
  if (!Array.isArray(conditions)) throw invalidPolicyDocument("Policy missing conditions.");
  return { expiresAt, conditions: conditions.flatMap(parseCondition) };
}

function parseCondition(given: unknown): Condition[] {
  if (Array.isArray(given)) return [parseTriple(given)];
  if (typeof given !== "object" || given === null) throw invalidPolicyDocument("Invalid Condition.");
  const entries = Object.entries(given);
  if (entries.length !== 1)
    throw invalidPolicyDocument(
      "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
    );
  return entries.map(([name, value]) => {
    if (typeof value !== "string") {
      throw invalidPolicyDocument("Invalid Simple-Condition: value must be a string.");
    }
    return { kind: "eq", field: name.toLowerCase(), value, text: JSON.stringify(["eq", `$${name}`, value]) };
  });
}

function parseTriple(given: readonly unknown[]): Condition {
  const [operator, first, second] = given;
  const name = typeof operator === "string" ? operator.toLowerCase() : "";
  if (given.length !== 3)
    throw invalidPolicyDocument("Invalid Condition: conditions must have exactly three elements.");
  if (name === "content-length-range") {
    const [min, max] = [Number(first), Number(second)];
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || min < 0 || max < min) {
      throw invalidPolicyDocument("Invalid content-length-range.");
    }
    return { kind: "range", min, max };
  }
  if (name !== "eq" && name !== "starts-with")
    throw invalidPolicyDocument(`Invalid Condition: unknown operation '${name}'.`);
  if (typeof first !== "string" || !first.startsWith("$") || typeof second !== "string") {
    throw invalidPolicyDocument("Invalid Condition: the field must begin with '$' and the value be a string.");
  }
  return {
    kind: name,
    field: first.slice(1).toLowerCase(),
    value: second,
    text: JSON.stringify([name, first, second]),
  };
}

/** Fields that need no condition. */
const free = new Set(["file", "policy", "x-amz-signature", "submit"]);

/**
 * Checks a form against its policy: the time, each condition, and that every field has one.
 *
 * @param fields lower-case names; `bucket` among them
 * @throws {AwsError} AccessDenied, as S3 words it
 */
export function checkPostPolicy(policy: PostPolicy, fields: ReadonlyMap<string, string>, now: number): void {
  if (policy.expiresAt <= now) throw invalidByPolicy("Policy expired.");
  const named = new Set<string>();
  for (const condition of policy.conditions) {
    if (condition.kind === "range") continue;
    named.add(condition.field);
    const value = fields.get(condition.field) ?? "";
    if (!fulfils(condition, value)) throw invalidByPolicy(`Policy Condition failed: ${condition.text}`);
  }
  const extra = [...fields.keys()].filter(
    (name) => name !== "bucket" && !free.has(name) && !name.startsWith("x-ignore-") && !named.has(name),
  );
  if (extra.length > 0) throw invalidByPolicy(`Extra input fields: ${extra.join(", ")}`);
}

function fulfils({ kind, field, value }: Exclude<Condition, { readonly kind: "range" }>, given: string): boolean {
  if (kind === "eq") return given === value;
  // AWS: a list of content types begins with it in each of its members.
  if (field === "content-type") return given.split(",").every((each) => each.trim().startsWith(value));
  return given.startsWith(value);
}

/** The file, whose length is checked as it comes. */
export async function* withinRange(
  policy: PostPolicy | undefined,
  file: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const ranges = policy?.conditions.filter((each) => each.kind === "range") ?? [];
  const max = Math.min(...ranges.map((each) => each.max));
  const min = Math.max(...ranges.map((each) => each.min));
  let bytes = 0;
  for await (const chunk of file) {
    bytes += chunk.length;
    if (bytes > max) throw entityTooLargeForm(bytes, max);
    yield chunk;
  }
  if (bytes < min) throw entityTooSmallForm(bytes, min);
}
