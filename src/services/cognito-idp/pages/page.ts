import type { Cognito } from "../core.ts";
import type { Asked } from "../oauth/asked.ts";
import { redirect, type Answer, type DomainRequest } from "../oauth/exchange.ts";
import type { PublicApi } from "./public-api.ts";
import type { View } from "./layout.ts";

export interface HostedNeeds {
  readonly cognito: Cognito;
  readonly api: PublicApi;
}

/** A request for a page, of an application that is in order. */
export interface PageRequest extends Asked {
  readonly request: DomainRequest;
  readonly view: View;
  /** Of a POST; empty for a GET. */
  readonly form: URLSearchParams;
}

export type PageHandler = (page: PageRequest) => Promise<Answer> | Answer;

/** Back to the beginning of the sign-in. */
export function toSignIn({ request }: Pick<PageRequest, "request">): Answer {
  return redirect(`${request.base}/login?${request.query.toString()}`);
}
