import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { endKey, root } from "../model.ts";
import type { CognitoNeeds } from "../needs.ts";

/** An email or text message to a user. */
export interface Message {
  readonly v: 1;
  readonly id: string;
  readonly account: string;
  readonly region: string;
  readonly poolId: string;
  readonly username: string;
  /** Why it is sent: `SignUp`, `ForgotPassword`, `Authentication` … as the custom message trigger calls it. */
  readonly reason: string;
  readonly medium: "EMAIL" | "SMS";
  readonly destination: string;
  readonly from?: string;
  readonly replyTo?: string;
  readonly subject?: string;
  readonly body: string;
  readonly at: number;
}

/** Messages that pools send: kept for a week, to be read, and sent on where there is somebody to send them. */
export interface Outbox {
  /** Part of the transaction that the message is a consequence of. */
  send(tx: Transaction, message: Omit<Message, "v" | "id" | "at">, now: number): void;
}

/** The newest first. */
export async function readMessages(reader: Reader, account: string, limit: number): Promise<readonly Message[]> {
  const entries = await reader.range<Message>({ prefix: [root, "outbox", account] }, { limit, reverse: true });
  return entries.map(({ value }) => value);
}

export const sendKind = "cognito-idp.send";

export function createOutbox({ jobs, ids, smtpUrl }: Pick<CognitoNeeds, "jobs" | "ids" | "smtpUrl">): Outbox {
  return {
    send: (tx, given, now) => {
      const message: Message = { v: 1, id: ids.uuid(), at: now, ...given };
      const key = [root, "outbox", message.account, now, message.id];
      tx.set(key, message);
      tx.set(endKey(now + limits.messageKeptMs, key), 1);
      if (smtpUrl !== undefined && message.medium === "EMAIL") {
        jobs.schedule(tx, { kind: sendKind, key: [message.id], at: now, payload: key });
      }
    },
  };
}
