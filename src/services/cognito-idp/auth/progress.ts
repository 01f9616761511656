import type { TokenSource } from "../tokens/pre-token-generation.ts";

/** How far a sign-in has come; carried, sealed, from challenge to challenge. */
export interface Progress {
  /** Of the user; of nobody, the name as it is compared. */
  readonly userKey: string;
  /** There is no such user, and that is not told. */
  readonly ghost?: true;
  readonly source: TokenSource;
  /** The user has proved the password (and so must replace a temporary one). */
  readonly byPassword?: true;
  /** What was answered so far of a custom flow; absent outside of one. */
  readonly custom?: readonly CustomStep[];
  /** The device that the client says it is. */
  readonly deviceKey?: string;
  readonly deviceDone?: true;
  readonly mfaDone?: true;
  /** MFA_SETUP: the factor was set up in this sign-in. */
  readonly mfaSetUp?: true;
}

export interface CustomStep {
  readonly challengeName: string;
  readonly challengeResult: boolean;
  readonly challengeMetadata?: string;
}
