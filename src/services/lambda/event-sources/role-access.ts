import type { Authorizer } from "../../../access/authorization.ts";
import { AwsError } from "../../../aws/error.ts";
import type { IamPort } from "../../iam/port.ts";
import { assume } from "../destinations.ts";
import type { Place } from "../model.ts";
import type { EventSource } from "./event-source.ts";

/** Whether a function's execution role may read a source: it is assumed, and its policies are asked. */
export async function mayRead(
  needs: { readonly iam: IamPort; readonly authorizer: Authorizer },
  fn: { readonly place: Place; readonly name: string; readonly role: string },
  source: EventSource,
  sourceArn: string,
  now: number,
): Promise<boolean> {
  const { account, region } = fn.place;
  const environment = { account, region, sourceIp: "127.0.0.1", secureTransport: true, userAgent: "", now };
  try {
    const principal = await assume(needs, fn);
    for (const question of source.questions(sourceArn)) {
      await needs.authorizer.authorize(principal, question, environment);
    }
    return true;
  } catch (error) {
    if (error instanceof AwsError && error.status < 500) return false;
    throw error;
  }
}
