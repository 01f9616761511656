/**
 * One documented situation. Policies are lists of statements; what is left out is: no policy, an ordinary user of the account that owns
 * the resource, at noon of 2 January 2026, from 203.0.113.5, over TLS, in us-east-1.
 */
export interface Setting {
  readonly principal?: PrincipalName;
  /** Tags of the user or role, for `aws:PrincipalTag/…`. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly identity?: Statements;
  readonly boundary?: Statements;
  readonly session?: Statements;
  readonly resourcePolicy?: Statements;
  readonly guardRails?: Statements;
  /** Of the language, for all its policies. Default: 2012-10-17. */
  readonly version?: "2008-10-17";
  readonly action?: string;
  readonly resource?: string;
  /** Of the resource. Default: the principal's own. */
  readonly owner?: string;
  readonly required?: boolean;
  /** Condition keys of the request beside the global ones. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
  readonly sourceIp?: string;
  readonly secure?: boolean;
  readonly region?: string;
  readonly userAgent?: string;
  readonly referer?: string;
  readonly calledVia?: readonly string[];
  /** ISO 8601. */
  readonly now?: string;
}

export type Statements = readonly Readonly<Record<string, unknown>>[];

export type PrincipalName =
  | "user"
  | "userWithMfa"
  | "userWithSession"
  | "root"
  | "role"
  | "roleWithMfa"
  | "webRole"
  | "webIdentity"
  | "federatedUser"
  | "federatedRoot"
  | "apigateway"
  | "sns"
  | "anonymous";

/** `allowed`, `denied` by a statement of a type of policy, or for want of one that allows. */
export type Outcome = "allowed" | `denied: ${PolicyKind}` | `nothing allows: ${PolicyKind}`;
type PolicyKind = "identity" | "resource" | "boundary" | "session" | "guard rails";

/** Situations that have a page of AWS's documentation, and mostly a policy, in common. */
export interface Group {
  readonly about: string;
  readonly source: string;
  readonly given: Setting;
  readonly cases: readonly Case[];
}

/** What it is, how it differs from what the group has given, and what AWS decides. */
export type Case = readonly [name: string, differs: Setting, outcome: Outcome];

/** The short forms below are for tables: an outcome that depends on an identity's policy alone. */
export const no = "nothing allows: identity";
export const yes = "allowed";

/** A table of values of one condition key. */
export function rows(
  key: string,
  table: readonly (readonly [value: string | readonly string[] | undefined, outcome: Outcome])[],
): readonly Case[] {
  return table.map(([value, outcome]) => [
    value === undefined ? `without ${key}` : `${key} = ${JSON.stringify(value)}`,
    value === undefined ? {} : { context: { [key]: value } },
    outcome,
  ]);
}
