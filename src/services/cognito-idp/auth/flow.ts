import type { ChallengeNameType } from "@aws-sdk/client-cognito-identity-provider";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Client, Pool, Session, User } from "../model.ts";
import type { TokenSource } from "../tokens/pre-token-generation.ts";

/** How a sign-in came: by the API, by an administrator, or by the hosted pages, for which a client's flows do not matter. */
export type AuthVia = "api" | "admin" | "hosted";

export interface AuthContext {
  readonly pool: Pool;
  readonly client: Client;
  readonly via: AuthVia;
  /** The platform's address as the client reached it. */
  readonly endpoint: string;
  readonly now: number;
  readonly sourceIp?: string;
  readonly clientMetadata?: Readonly<Record<string, string>>;
}

/** What a step of signing in comes to. */
export type AuthOutcome =
  | {
      readonly kind: "challenge";
      readonly name: ChallengeNameType;
      /** To be given back with the answer. Absent where the parameters carry it (SRP). */
      readonly session: string | undefined;
      readonly parameters: Readonly<Record<string, string>>;
      /** SELECT_CHALLENGE: what may be chosen. */
      readonly available?: readonly ChallengeNameType[];
    }
  | {
      readonly kind: "authenticated";
      readonly user: User;
      readonly source: TokenSource;
      readonly deviceKey?: string;
      /** A device that was new, to be confirmed by the app. */
      readonly newDevice?: { readonly key: string; readonly groupKey: string };
      /** Uses up what was answered: to run in the transaction that issues the tokens (or a code for them). Throws when it was used. */
      readonly commit: (tx: Transaction, session?: Session) => Promise<void>;
    };

export type Parameters = Readonly<Record<string, string>>;
