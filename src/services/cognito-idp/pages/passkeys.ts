import { AwsError } from "../../../aws/error.ts";
import { only, type Answer } from "../oauth/exchange.ts";
import { finishSignIn } from "../oauth/finish.ts";
import { findSignedIn, type SignedInUser } from "../oauth/hosted-session.ts";
import { oauthLimits as limits } from "../oauth/limits.ts";
import { adminScope, issueTokens } from "../tokens/issue.ts";
import { renderAddPasskey } from "./challenge-pages.ts";
import { toSignIn, type HostedNeeds, type PageHandler, type PageRequest } from "./page.ts";
import { openStep, sealStep } from "./steps.ts";

const stepName = "ADD_PASSKEY";

/** `/passkeys/add`: whoever is signed in adds a passkey, and goes on to the application. */
export function passkeyHandlers(needs: HostedNeeds): Readonly<Record<string, PageHandler>> {
  const { cognito, api } = needs;

  const finish = (page: PageRequest, { user, session }: SignedInUser): Promise<Answer> =>
    finishSignIn(cognito, page.request, page.asked, page.client, { user, authTime: session.authTime });

  const offer = async (page: PageRequest, signedIn: SignedInUser, error?: string): Promise<Answer> => {
    const { request, client } = page;
    const accessToken = await tokenFor(page, signedIn);
    const { CredentialCreationOptions: options } = await api(request.endpoint).StartWebAuthnRegistration({
      AccessToken: accessToken,
    });
    const sealed = sealStep(cognito.seal, {
      poolId: request.pool.id,
      clientId: client.id,
      expiresAt: request.now + limits.stepMs,
      name: stepName,
      session: accessToken,
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
        await api(request.endpoint).CompleteWebAuthnRegistration({
          AccessToken: step.session,
          Credential: parseCredential(form.get("credential")),
        });
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

  /** For the API, which the browser never sees. */
  async function tokenFor({ request, client }: PageRequest, { user, session }: SignedInUser): Promise<string> {
    const issued = await issueTokens(cognito, {
      pool: request.pool,
      client,
      user,
      endpoint: request.endpoint,
      now: request.now,
      authTime: session.authTime,
      source: "TokenGeneration_HostedAuth",
      scopes: [adminScope],
      noRefresh: true,
    });
    return issued.accessToken;
  }
}

// What is no credential is for the operation to refuse.
function parseCredential(text: string | null): Record<string, never> {
  try {
    return JSON.parse(text ?? "{}");
  } catch {
    return {};
  }
}
