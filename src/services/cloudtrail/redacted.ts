import type { Member, Shape, StructureShape } from "../../wire/model.ts";
import { cloudtrailLimits as limits } from "./limits.ts";

const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";

/** Names of members that are secret although not every model says so. */
const secretName =
  /^(.*password|.*secret|secretaccesskey|secretstring|secretbinary|plaintext|.*token(code)?|authorizationtoken|clientsecret|privatekey|.*credentials?text|parametervalue|templatebody|environment|variables|base32stringseed|qrcodepng|.*otp|.*passcode|authenticationcode\d?|tokencode|usercode|confirmationcode|answer|challengeresponses|authparameters|session|samlassertion|sourcecode|definitionbody)$/i;
/** Of those, what tells where a list goes on, or which request it was, and is no secret. */
const harmlessName = /^(next|pagination|continuation|starting|client(request)?|request|idempotency|creation)token$/i;

/**
 * What a request or an answer said, as events tell it: names begin in lower case, content that was sent or is secret is left
 * out, and what is long is cut. Undefined where there is nothing to tell.
 */
export function toTold(
  shape: StructureShape | undefined,
  value: Readonly<Record<string, unknown>>,
): Record<string, unknown> | undefined {
  if (!shape) return undefined;
  const told = tellStructure(shape, value, 0);
  if (Object.keys(told).length === 0) return undefined;
  const size = JSON.stringify(told).length;
  return size <= limits.partCharactersMax ? told : { omitted: true, originalSize: size };
}

function tellStructure(shape: StructureShape, value: Readonly<Record<string, unknown>>, depth: number) {
  const told: Record<string, unknown> = {};
  for (const member of shape.members) {
    const { name } = member;
    const given = value[name];
    if (given === undefined || given === null) continue;
    const text = tellMember(name, member, given, depth);
    if (text !== undefined) told[name.charAt(0).toLowerCase() + name.slice(1)] = text;
  }
  return told;
}

function tellMember(name: string, member: Member, value: unknown, depth: number): unknown {
  if (member.streaming || member.shape.type === "blob") return undefined;
  if (isSecret(name, member.shape)) return hidden;
  return tell(member.shape, value, depth + 1);
}

function isSecret(name: string, shape: Shape): boolean {
  if ("sensitive" in shape && shape.sensitive) return true;
  return secretName.test(name) && !harmlessName.test(name);
}

function tell(shape: Shape, value: unknown, depth: number): unknown {
  if (depth > limits.depthMax) return "…";
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return undefined;
  if (Array.isArray(value)) {
    const [member] = shape.type === "list" ? [shape.member] : [];
    if (!member) return undefined;
    if (isSecret("", member.shape)) return hidden;
    return value.slice(0, limits.itemsMax).map((item: unknown) => tell(member.shape, item, depth + 1));
  }
  if (typeof value === "object" && value !== null) {
    // A stream of events, or anything else that is no plain value.
    if (Symbol.asyncIterator in value) return undefined;
    if (shape.type === "structure") return shape.document ? hidden : tellStructure(shape, { ...value }, depth);
    if (shape.type !== "map") return undefined;
    const entries = Object.entries(value).slice(0, limits.itemsMax);
    return Object.fromEntries(entries.map(([key, item]) => [key, tellMember(key, shape.value, item, depth)]));
  }
  if (typeof value === "string" && value.length > limits.textCharactersMax) {
    return `${value.slice(0, limits.textCharactersMax)}…`;
  }
  return typeof value === "bigint" ? String(value) : value;
}
