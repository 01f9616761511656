import { AwsError } from "../../../aws/error.ts";
import { completeRegistration, startRegistration } from "../auth/passkeys.ts";
import { cognitoLimits } from "../limits.ts";
import { only, type Answer } from "../oauth/exchange.ts";
import { finishSignIn } from "../oauth/finish.ts";
import { findSignedIn, type SignedInUser } from "../oauth/hosted-session.ts";
import { oauthLimits as limits } from "../oauth/limits.ts";
import { renderAddPasskey } from "./challenge-pages.ts";
import { toSignIn, type HostedNeeds, type PageHandler, type PageRequest } from "./page.ts";
import { openStep, sealStep } from "./steps.ts";

const stepName = "ADD_PASSKEY";

/** `/passkeys/add`: whoever is signed in adds a passkey, and goes on to the application. */
export function passkeyHandlers(needs: HostedNeeds): Readonly<Record<string, PageHandler>> {
  const { cognito } = needs;

  const finish = (page: PageRequest, { user, session }: SignedInUser): Promise<Answer> =>
    finishSignIn(cognito, page.request, page.asked, page.client, { user, authTime: session.authTime });

  const offer = async (page: PageRequest, signedIn: SignedInUser, error?: string): Promise<Answer> => {
    const { request, client } = page;
    const { pool } = request;
    const options = await startRegistration(cognito, pool, signedIn.user, request.endpoint, request.now);
    const sealed = sealStep(cognito.seal, {
      poolId: pool.id,
      clientId: client.id,
      expiresAt: request.now + limits.stepMs,
      name: stepName,
      session: undefined,
      username: signedIn.user.username,
      parameters: {},
      available: [],
    });
    return renderAddPasskey(page.view, JSON.stringify(options), sealed, error);
  };

  return {
    "GET /passkeys/add": async (page) => {
      const signedIn = await findSignedIn(cognito, page.request);
      return signedIn === undefined ? toSignIn(page) : offer(page, signedIn);
    },

    "POST /passkeys/add": async (page) => {
      const { request, client, form } = page;
      const signedIn = await findSignedIn(cognito, request);
      const place = { poolId: request.pool.id, clientId: client.id, now: request.now };
      const step = openStep(cognito.seal, only(form, "step"), place);
      if (signedIn === undefined || step?.name !== stepName || step.username !== signedIn.user.username) {
        return toSignIn(page);
      }
      try {
        const { passkeysMax } = cognitoLimits;
        await completeRegistration(
          cognito,
          request.pool,
          signedIn.user,
          form.get("credential"),
          request.now,
          passkeysMax,
        );
      } catch (error) {
        if (!(error instanceof AwsError) || error.status >= 500) throw error;
        return offer(page, signedIn, error.message);
      }
      return finish(page, signedIn);
    },

    "POST /passkeys/skip": async (page) => {
      const signedIn = await findSignedIn(cognito, page.request);
      return signedIn === undefined ? toSignIn(page) : finish(page, signedIn);
    },
  };
}
