import type * as sdk from "@aws-sdk/client-sts";
import type { Authorizer } from "../../access/authorization.ts";
import type { Sessions } from "../../access/sessions.ts";
import type { TokenIssuers } from "../../access/tokens/issuers.ts";
import type { OperationsOf } from "../../wire/service.ts";
import type { IamPort } from "../iam/port.ts";

export type Sdk = typeof sdk;
export type StsOperations = OperationsOf<Sdk>;

export interface StsNeeds {
  readonly iam: IamPort;
  readonly sessions: Sessions;
  /** For callers who show a token instead of signing. */
  readonly authorizer: Authorizer;
  /** Keys that tokens are signed with. */
  readonly issuers: TokenIssuers;
  /** The account of a long-term key that is in no store: the root's. */
  readonly findRootAccount: (accessKeyId: string) => string | undefined;
}

export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("A required member is absent: the wire's check is missing");
  return value;
}
