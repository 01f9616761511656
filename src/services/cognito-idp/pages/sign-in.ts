import type { ChallengeNameType } from "@aws-sdk/client-cognito-identity-provider";
import { AwsError } from "../../../aws/error.ts";
import type { AuthContext, AuthOutcome, Parameters } from "../auth/flow.ts";
import { respondToChallenge } from "../auth/respond.ts";
import { startAuth } from "../auth/start.ts";
import { inPool, type IdentityProvider, type Pool } from "../model.ts";
import { only, withParameters, type Answer } from "../oauth/exchange.ts";
import { finishSignIn } from "../oauth/finish.ts";
import { findSignedIn } from "../oauth/hosted-session.ts";
import { oauthLimits as limits } from "../oauth/limits.ts";
import { isBuilt } from "../federation/provider.ts";
import { renderChallenge, parseList } from "./challenge-pages.ts";
import type { HostedNeeds, PageHandler, PageRequest } from "./page.ts";
import { renderConfirm, renderForgot, renderSignIn, renderError } from "./sign-in-pages.ts";
import { openStep, sealStep, type Step } from "./steps.ts";
import { passwordRulesOf } from "./view.ts";

/** Signing in, and the challenges on the way. */
export function signInHandlers(needs: HostedNeeds): Readonly<Record<string, PageHandler>> {
  const { cognito, api } = needs;

  return {
    "GET /login": (page) => showSignIn(needs, page, {}),

    "POST /login": async (page) => {
      const { form } = page;
      const username = only(form, "username") ?? "";
      const password = form.get("password") ?? "";
      const wantsPasskey = only(form, "action") === "passkey";
      try {
        const outcome =
          wantsPasskey || (password === "" && offersChoice(page.request.pool))
            ? await startAuth(cognito, contextOf(page), "USER_AUTH", {
                USERNAME: username,
                ...(wantsPasskey && { PREFERRED_CHALLENGE: "WEB_AUTHN" }),
              })
            : await startAuth(cognito, contextOf(page), "USER_PASSWORD_AUTH", {
                USERNAME: username,
                PASSWORD: password,
              });
        return await goOn(needs, page, outcome, username);
      } catch (error) {
        if (!(error instanceof AwsError) || error.status >= 500) throw error;
        return refuseSignIn(needs, page, username, error);
      }
    },

    "POST /continue": async (page) => {
      const signedIn = await findSignedIn(cognito, page.request);
      if (signedIn === undefined) return showSignIn(needs, page, {});
      const { user, session } = signedIn;
      return finishSignIn(cognito, page.request, page.asked, page.client, {
        user,
        authTime: session.authTime,
        ...(session.provider !== undefined && { provider: session.provider }),
      });
    },

    "POST /challenge": async (page) => {
      const { request, client, form } = page;
      const place = { poolId: request.pool.id, clientId: client.id, now: request.now };
      const step = openStep(cognito.seal, only(form, "step"), place);
      if (step === undefined) return showSignIn(needs, page, { error: page.view.t.expired });
      const again = async (error: string): Promise<Answer> =>
        (await showChallenge(page, cognito.seal, step, error)) ?? renderError(page.view, error);
      if (form.has("confirm_password") && form.get("password") !== form.get("confirm_password")) {
        return again(page.view.t.mismatch);
      }
      try {
        const session = step.parameters["totpSecret"] === undefined ? step.session : await verifyApp(step, page);
        const responses = { USERNAME: step.username, ...responsesTo(step, form) };
        const name = step.name as ChallengeNameType;
        return await goOn(
          needs,
          page,
          await respondToChallenge(cognito, contextOf(page), name, session, responses),
          step.username,
        );
      } catch (error) {
        if (!(error instanceof AwsError) || error.status >= 500) throw error;
        // The session is over: nothing but a new sign-in helps.
        if (error.code === "NotAuthorizedException" || error.code === "ExpiredCodeException") {
          return refuseSignIn(needs, page, step.username, error);
        }
        return again(error.message);
      }
    },
  };

  /** The app that a code of was entered is the user's from now on. */
  async function verifyApp(step: Step, { request, form }: PageRequest): Promise<string | undefined> {
    const verified = await api(request.endpoint).VerifySoftwareToken({
      Session: step.session,
      UserCode: only(form, "code") ?? "",
      FriendlyDeviceName: only(form, "device_name"),
    });
    return verified.Session;
  }
}

export function contextOf({ request, client }: PageRequest): AuthContext {
  return {
    pool: request.pool,
    client,
    via: "hosted",
    endpoint: request.endpoint,
    now: request.now,
    sourceIp: request.sourceIp,
  };
}

/** To the application, or to the page of the next challenge. */
export async function goOn(
  { cognito, api }: HostedNeeds,
  page: PageRequest,
  outcome: AuthOutcome,
  username: string,
): Promise<Answer> {
  const { request, client, asked } = page;
  if (outcome.kind === "authenticated") {
    const { user, deviceKey, commit } = outcome;
    return finishSignIn(cognito, request, asked, client, {
      user,
      authTime: request.now,
      commit,
      ...(deviceKey !== undefined && { deviceKey }),
    });
  }
  let step: Step = {
    poolId: request.pool.id,
    clientId: client.id,
    expiresAt: request.now + limits.stepMs,
    name: outcome.name,
    session: outcome.session,
    username: outcome.parameters["USERNAME"] ?? outcome.parameters["USER_ID_FOR_SRP"] ?? username,
    parameters: outcome.parameters,
    available: outcome.available ?? [],
  };
  if (step.name === "MFA_SETUP" && parseList(step.parameters["MFAS_CAN_SETUP"]).includes("SOFTWARE_TOKEN_MFA")) {
    const made = await api(request.endpoint).AssociateSoftwareToken({ Session: step.session });
    const totpSecret = made.SecretCode ?? "";
    step = { ...step, session: made.Session ?? step.session, parameters: { ...step.parameters, totpSecret } };
  }
  return (await showChallenge(page, cognito.seal, step)) ?? renderError(page.view, page.view.t.unsupported);
}

async function showChallenge(
  { view, request }: PageRequest,
  seal: HostedNeeds["cognito"]["seal"],
  step: Step,
  error?: string,
): Promise<Answer | undefined> {
  const secret = step.parameters["totpSecret"];
  const label = encodeURIComponent(`${request.domain.name}:${step.username}`);
  const issuer = encodeURIComponent(request.domain.name);
  return renderChallenge(view, {
    step,
    sealed: sealStep(seal, step),
    error,
    rules: passwordRulesOf(request.pool, view.t),
    ...(secret !== undefined && {
      setup: { secret, uri: `otpauth://totp/${label}?secret=${secret}&issuer=${issuer}` },
    }),
  });
}

/** What of a form answers a challenge. Source: API reference, RespondToAuthChallenge. */
function responsesTo(step: Step, form: URLSearchParams): Parameters {
  const code = (only(form, "code") ?? "").trim();
  switch (step.name) {
    case "NEW_PASSWORD_REQUIRED":
      return {
        NEW_PASSWORD: form.get("password") ?? "",
        ...Object.fromEntries([...form].filter(([name]) => name.startsWith("userAttributes."))),
      };
    case "SOFTWARE_TOKEN_MFA":
      return { SOFTWARE_TOKEN_MFA_CODE: code };
    case "SMS_MFA":
      return { SMS_MFA_CODE: code };
    case "EMAIL_OTP":
      return { EMAIL_OTP_CODE: code };
    case "SMS_OTP":
      return { SMS_OTP_CODE: code };
    case "SELECT_MFA_TYPE":
    case "SELECT_CHALLENGE":
      return { ANSWER: only(form, "choice") ?? "" };
    case "PASSWORD":
      return { PASSWORD: form.get("password") ?? "" };
    case "WEB_AUTHN":
      return { CREDENTIAL: form.get("credential") ?? "" };
    case "MFA_SETUP":
      return { EMAIL: only(form, "email") ?? "" };
    default:
      return {};
  }
}

async function refuseSignIn(needs: HostedNeeds, page: PageRequest, username: string, error: AwsError): Promise<Answer> {
  if (error.code === "UserNotConfirmedException") return renderConfirm(page.view, { username });
  if (error.code === "PasswordResetRequiredException") return renderForgot(page.view, { error: error.message });
  return showSignIn(needs, page, { error: error.message, username });
}

export async function showSignIn(
  { cognito }: Pick<HostedNeeds, "cognito">,
  page: PageRequest,
  more: { readonly error?: string; readonly note?: string; readonly username?: string },
): Promise<Answer> {
  const { request, view, client, asked } = page;
  const { pool } = request;
  const supported = client.settings.SupportedIdentityProviders ?? ["COGNITO"];
  const external = supported.filter((name) => name !== "COGNITO");
  const records = await cognito.store.read((reader) =>
    reader.getMany<IdentityProvider>(external.map((name) => inPool("provider", pool.id, name))),
  );
  const query = Object.fromEntries(request.query);
  const signedIn =
    asked.prompt.includes("login") || request.method === "POST" ? undefined : await findSignedIn(cognito, request);
  return renderSignIn(view, {
    names: namesOf(pool),
    username: more.username ?? asked.loginHint,
    error: more.error,
    note: more.note,
    providers: records.flatMap((record) =>
      record === undefined || !isBuilt(record)
        ? []
        : [
            {
              name: record.name,
              href: withParameters(`${request.base}/oauth2/authorize`, { ...query, identity_provider: record.name }),
            },
          ],
    ),
    ownUsers: supported.includes("COGNITO"),
    signUp: pool.settings.AdminCreateUserConfig?.AllowAdminCreateUserOnly !== true,
    passkeys: offersChoice(pool),
    signedInAs: signedIn?.user.attributes["email"] ?? signedIn?.user.username,
  });
}

function namesOf(pool: Pool): readonly ("username" | "email" | "phone_number")[] {
  const instead = (pool.settings.UsernameAttributes ?? []).filter(
    (name) => name === "email" || name === "phone_number",
  );
  if (instead.length > 0) return instead;
  const beside = (pool.settings.AliasAttributes ?? []).filter((name) => name === "email" || name === "phone_number");
  return ["username", ...beside];
}

/** Whether users may sign in with something else than their password. */
function offersChoice(pool: Pool): boolean {
  return (pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors ?? []).some((factor) => factor !== "PASSWORD");
}
