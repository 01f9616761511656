import { AwsError } from "../../../aws/error.ts";
import { readAsked } from "../oauth/asked.ts";
import { BadForm, type Answer, type DomainRequest } from "../oauth/exchange.ts";
import { accountHandlers } from "./account.ts";
import { assetHandlers } from "./assets.ts";
import { confirmByLink, isConfirmationLink } from "./confirmation-link.ts";
import { isForged } from "./forgery.ts";
import type { View } from "./layout.ts";
import type { HostedNeeds, PageHandler } from "./page.ts";
import { passkeyHandlers } from "./passkeys.ts";
import { renderError } from "./sign-in-pages.ts";
import { signInHandlers } from "./sign-in.ts";
import { createView } from "./view.ts";

/** The hosted pages: undefined for a path that is none of theirs. */
export function createHostedPages(needs: HostedNeeds): (request: DomainRequest) => Promise<Answer | undefined> {
  const { cognito } = needs;
  const assets = assetHandlers(cognito);
  const pages = new Map<string, PageHandler>(
    Object.entries({ ...signInHandlers(needs), ...accountHandlers(needs), ...passkeyHandlers(needs) }),
  );

  return async (request) => {
    const asset = request.method === "GET" ? assets[request.path] : undefined;
    if (asset !== undefined) return asset(request);
    const handler = pages.get(`${request.method} ${request.path}`);
    if (handler === undefined) return undefined;
    if (isConfirmationLink(request)) return confirmByLink(needs, request);
    const read = await readAsked(cognito, request);
    if ("status" in read) return read;
    const view = await createView(cognito, request, read.asked.redirectUri);
    try {
      const form = request.method === "POST" ? await request.form() : new URLSearchParams();
      if (request.method === "POST" && isForged(request, form)) return renderError(view, view.t.forged, 403);
      return withCookies(await handler({ ...read, request, view, form }), view);
    } catch (error) {
      if (error instanceof BadForm) return renderError(view, view.t.badRequest);
      // Pages say what they can beside their fields; what is left is told as it is.
      if (error instanceof AwsError && error.status < 500) return renderError(view, error.message);
      throw error;
    }
  };
}

/** Redirects set the form's cookie too, where the browser has none. */
function withCookies(answer: Answer, { cookies }: View): Answer {
  const own = answer.cookies ?? [];
  return { ...answer, cookies: [...own, ...cookies.filter((cookie) => !own.includes(cookie))] };
}
