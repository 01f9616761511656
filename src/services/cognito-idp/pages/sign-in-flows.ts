import { notImplemented } from "../../../aws/error.ts";
import type { SignInFlows } from "./flows.ts";

/** The API's flows, as the pages go through them: whatever flows a client allows its own code. */
export function createSignInFlows(): SignInFlows {
  return {
    start: (_context, flow) => Promise.reject(notImplemented(`The flow ${flow} of hosted pages`)),
    respond: (_context, name) => Promise.reject(notImplemented(`The challenge ${name} of hosted pages`)),
  };
}
