import { findDuplicateKey } from "./duplicate-keys.ts";
import { operators, type Operator } from "./operators.ts";

/** A policy document whose grammar is right, in one form whichever way it was written. */
export interface PolicyDocument {
  readonly version: "2012-10-17" | "2008-10-17";
  readonly statements: readonly Statement[];
}

export interface Statement {
  readonly sid: string | undefined;
  readonly effect: "Allow" | "Deny";
  /** Absent in policies of identities. */
  readonly principals: { readonly not: boolean; readonly entries: readonly PrincipalEntry[] } | undefined;
  readonly actions: { readonly not: boolean; readonly patterns: readonly string[] };
  /** Absent in trust policies: the role itself. */
  readonly resources: { readonly not: boolean; readonly patterns: readonly string[] } | undefined;
  readonly conditions: readonly Condition[];
}

export interface PrincipalEntry {
  readonly kind: "AWS" | "Service" | "Federated" | "CanonicalUser";
  readonly value: string;
}

export interface Condition {
  readonly operator: Operator;
  readonly quantifier: "ForAllValues" | "ForAnyValue" | undefined;
  readonly ifExists: boolean;
  /** Lower case. */
  readonly key: string;
  readonly values: readonly string[];
}

/** What a document is for decides which elements it must and must not have. */
export type PolicyKind = "identity" | "trust" | "resource";

/** The document breaks the grammar. The message is IAM's; each service puts it into its own error. */
export class PolicyGrammarError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PolicyGrammarError";
  }
}

/**
 * Parse and check a policy document. Source: "Grammar of the IAM JSON policy language".
 *
 * @throws {PolicyGrammarError}
 */
export function parsePolicyDocument(text: string, kind: PolicyKind): PolicyDocument {
  const root = parseJson(text, kind);
  for (const name of Object.keys(root)) {
    if (!["Version", "Id", "Statement"].includes(name)) throw prohibited(kind, name);
  }
  const version = root["Version"] ?? "2008-10-17";
  if (version !== "2012-10-17" && version !== "2008-10-17") {
    throw kind === "identity" && typeof version === "string"
      ? new PolicyGrammarError("Policy document must be version 2012-10-17 or greater.")
      : syntax();
  }
  if (root["Id"] !== undefined && typeof root["Id"] !== "string") throw syntax();
  const listed = root["Statement"];
  const raw = Array.isArray(listed) ? listed : [listed];
  if (listed === undefined || raw.length === 0) throw kind === "trust" ? missing("Statement") : syntax();
  const statements = raw.map((statement) => parseStatement(toObject(statement), kind));
  const sids = statements.flatMap(({ sid }) => (sid ? [sid] : []));
  if (new Set(sids).size < sids.length) {
    throw new PolicyGrammarError("Statement IDs (SID) in a single policy must be unique.");
  }
  return { version, statements };
}

type Json = Readonly<Record<string, unknown>>;

function parseJson(text: string, kind: PolicyKind): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidJson(kind);
  }
  const object = toObject(value);
  if (findDuplicateKey(text) !== undefined) throw invalidJson(kind);
  return object;
}

function invalidJson(kind: PolicyKind): PolicyGrammarError {
  return new PolicyGrammarError(kind === "trust" ? "This policy contains invalid Json" : "Syntax errors in policy.");
}

function toObject(value: unknown): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw syntax();
  return value as Json;
}

const elements = new Set([
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
]);

function parseStatement(raw: Json, kind: PolicyKind): Statement {
  for (const name of Object.keys(raw)) if (!elements.has(name)) throw prohibited(kind, name);
  const effect = raw["Effect"];
  if (effect === undefined && kind === "trust") throw missing("Effect");
  if (effect !== "Allow" && effect !== "Deny") throw syntax();
  return {
    sid: parseSid(raw["Sid"], kind),
    effect,
    principals: parsePrincipals(raw, kind),
    actions: parseActions(raw, kind),
    resources: parseResources(raw, kind),
    conditions: parseConditions(raw["Condition"]),
  };
}

function parseSid(sid: unknown, kind: PolicyKind): string | undefined {
  if (sid === undefined) return undefined;
  if (typeof sid !== "string") throw syntax();
  if (kind === "identity" && !/^[0-9A-Za-z]*$/.test(sid)) {
    throw new PolicyGrammarError(
      "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
    );
  }
  return sid;
}

function parsePrincipals(raw: Json, kind: PolicyKind): Statement["principals"] {
  const given = raw["Principal"];
  const notGiven = raw["NotPrincipal"];
  if (given === undefined && notGiven === undefined) {
    if (kind === "identity") return undefined;
    throw missing("Principal");
  }
  if (kind === "identity") throw new PolicyGrammarError("Policy document should not specify a principal.");
  if (given !== undefined && notGiven !== undefined) throw syntax();
  if (kind === "trust" && notGiven !== undefined) throw prohibited(kind, "NotPrincipal");
  // AWS: "NotPrincipal must be used with "Effect":"Deny". Using it with "Effect":"Allow" is not supported."
  if (notGiven !== undefined && raw["Effect"] === "Allow") throw syntax();
  return { not: notGiven !== undefined, entries: parsePrincipalEntries(given ?? notGiven) };
}

const principalKinds = ["AWS", "Service", "Federated", "CanonicalUser"] as const;

function parsePrincipalEntries(value: unknown): readonly PrincipalEntry[] {
  if (value === "*") return [{ kind: "AWS", value: "*" }];
  const entries: PrincipalEntry[] = [];
  for (const [name, values] of Object.entries(toObject(value))) {
    const kind = principalKinds.find((known) => known === name);
    if (!kind) throw new PolicyGrammarError(`Invalid principal in policy: ${JSON.stringify(name)}`);
    for (const text of toStrings(values)) entries.push({ kind, value: checkPrincipal(kind, text) });
  }
  if (entries.length === 0) throw missing("Principal");
  return entries;
}

function checkPrincipal(kind: PrincipalEntry["kind"], value: string): string {
  const valid = {
    // A deleted principal's unique id stays in the policies that named it.
    AWS: /^(\*|\d{12}|A[A-Z0-9]{15,}|arn:aws[\w-]*:(iam|sts)::\d{12}:(root|(user|role|assumed-role|federated-user)\/[^*]+))$/,
    Service: /^[\w.-]+\.(amazonaws|amazon)\.com(\.cn)?$/,
    Federated: /^\S+$/,
    CanonicalUser: /^[0-9a-f]{64}$/,
  }[kind].test(value);
  if (!valid) {
    throw new PolicyGrammarError(
      `Invalid principal in policy: "${kind === "Service" ? "SERVICE" : kind}":${JSON.stringify(value)}`,
    );
  }
  return value;
}

function parseActions(raw: Json, kind: PolicyKind): Statement["actions"] {
  const { not, patterns } = parseEither(raw, "Action", "NotAction") ?? {};
  if (!patterns || not === undefined) {
    throw kind === "trust" ? missing("Action") : new PolicyGrammarError("Policy statement must contain actions.");
  }
  for (const action of patterns) {
    if (action === "*") continue;
    if (!/^[^:\s]+:\S+$/.test(action)) {
      throw new PolicyGrammarError("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
    }
    const vendor = action.slice(0, action.indexOf(":"));
    if (!/^[a-zA-Z0-9-]+$/.test(vendor)) throw new PolicyGrammarError(`Vendor ${vendor} is not valid`);
    if (kind === "trust" && !/^sts:(AssumeRole|SetSourceIdentity|TagSession|SetContext|\*)/i.test(action)) {
      throw new PolicyGrammarError("AssumeRole policy may only specify STS AssumeRole actions.");
    }
  }
  return { not, patterns };
}

function parseResources(raw: Json, kind: PolicyKind): Statement["resources"] {
  const either = parseEither(raw, "Resource", "NotResource");
  if (kind === "trust") {
    if (either) throw prohibited(kind, either.not ? "NotResource" : "Resource");
    return undefined;
  }
  if (!either) throw new PolicyGrammarError("Policy statement must contain resources.");
  for (const resource of either.patterns) if (resource !== "*") checkResource(resource);
  return either;
}

function checkResource(resource: string): void {
  const [prefix, partition, vendor] = resource.split(":");
  if (prefix !== "arn" || partition === undefined) {
    throw new PolicyGrammarError(`Resource ${resource} must be in ARN format or "*".`);
  }
  if (
    !/^(aws(-[a-z-]+)?|\*|\$\{[^}]*\})$/.test(resource.includes("${") && partition.startsWith("${") ? "*" : partition)
  ) {
    throw new PolicyGrammarError(`Partition "${partition}" is not valid for resource "${resource}".`);
  }
  if (vendor === undefined || (vendor !== "*" && /[*?]/.test(vendor))) {
    throw new PolicyGrammarError("Resource vendor must be fully qualified and cannot contain regexes.");
  }
}

function parseEither(
  raw: Json,
  name: string,
  notName: string,
): { readonly not: boolean; readonly patterns: readonly string[] } | undefined {
  const given = raw[name];
  const notGiven = raw[notName];
  if (given !== undefined && notGiven !== undefined) throw syntax();
  if (given === undefined && notGiven === undefined) return undefined;
  const patterns = toStrings(given ?? notGiven);
  if (patterns.length === 0) return undefined;
  return { not: notGiven !== undefined, patterns };
}

function parseConditions(raw: unknown): readonly Condition[] {
  if (raw === undefined) return [];
  return Object.entries(toObject(raw)).flatMap(([name, keys]) => {
    const { operator, quantifier, ifExists } = parseOperator(name);
    const entries = Object.entries(toObject(keys));
    // Names of keys have no case.
    if (new Set(entries.map(([key]) => key.toLowerCase())).size < entries.length) throw syntax();
    return entries.map(([key, values]) => {
      if (!/^[\w./-]+:\S/.test(key)) {
        throw new PolicyGrammarError("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
      }
      return { operator, quantifier, ifExists, key: key.toLowerCase(), values: toStrings(values, true) };
    });
  });
}

function parseOperator(name: string): Pick<Condition, "operator" | "quantifier" | "ifExists"> {
  const match = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/i.exec(name);
  const operator = operators.find((known) => known.toLowerCase() === match?.[2]?.toLowerCase());
  if (!match || !operator || (operator === "Null" && match[3])) {
    throw new PolicyGrammarError(`Invalid Condition type : ${name}`);
  }
  const quantifier =
    match[1] === undefined ? undefined : match[1].toLowerCase() === "forallvalues" ? "ForAllValues" : "ForAnyValue";
  return { operator, quantifier, ifExists: match[3] !== undefined };
}

function toStrings(value: unknown, scalars = false): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((item) => {
    if (typeof item === "string") return item;
    if (scalars && (typeof item === "number" || typeof item === "boolean")) return String(item);
    throw syntax();
  });
}

function syntax(): PolicyGrammarError {
  return new PolicyGrammarError("Syntax errors in policy.");
}

function missing(name: string): PolicyGrammarError {
  return new PolicyGrammarError(`Missing required field ${name}`);
}

function prohibited(kind: PolicyKind, name: string): PolicyGrammarError {
  return kind === "trust" ? new PolicyGrammarError(`Has prohibited field ${name}`) : syntax();
}
