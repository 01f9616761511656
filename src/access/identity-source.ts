import type { Principal } from "../aws/principal.ts";
import type { NamedPolicy } from "./policy/evaluate.ts";

export type IdentityPrincipal = Extract<Principal, { type: "user" | "assumedRole" }>;

/** What a user or role may do, as its account says. */
export interface Identity {
  /** Attached and inline policies, its groups' among them. */
  readonly policies: readonly NamedPolicy[];
  readonly permissionsBoundary: NamedPolicy | undefined;
  /** Its tags, for `aws:PrincipalTag/…`. */
  readonly tags: Readonly<Record<string, string>>;
}

/** Where identities' policies come from. Asked on every call: answers from memory while nothing has changed. */
export interface IdentitySource {
  /** Undefined when there is no such user or role (any more, or it is another of the same name): it may do nothing. */
  findIdentity(principal: IdentityPrincipal): Promise<Identity | undefined> | Identity | undefined;
  /** The default version of a managed policy, for sessions narrowed by its ARN; undefined when there is none. */
  findManagedPolicy(account: string, policyArn: string): Promise<NamedPolicy | undefined> | NamedPolicy | undefined;
}
