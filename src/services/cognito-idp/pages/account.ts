import { createHmac } from "node:crypto";
import { AwsError } from "../../../aws/error.ts";
import { startAuth } from "../auth/start.ts";
import { openSecrets } from "../client-secrets.ts";
import type { Client, Pool } from "../model.ts";
import { only, type Answer } from "../oauth/exchange.ts";
import type { HostedNeeds, PageHandler, PageRequest } from "./page.ts";
import { contextOf, goOn, showSignIn } from "./sign-in.ts";
import { renderConfirm, renderError, renderForgot, renderReset, renderSignUp } from "./sign-in-pages.ts";
import type { Texts } from "./texts.ts";
import { passwordRulesOf } from "./view.ts";

/** Signing up, confirming it, and setting a forgotten password anew. */
export function accountHandlers(needs: HostedNeeds): Readonly<Record<string, PageHandler>> {
  const { cognito, api } = needs;

  /** The pages act for the client, so they know its secret. */
  const secretHash = (client: Client, username: string): { SecretHash?: string } => {
    const [secret] = openSecrets(cognito.seal, client);
    if (secret === undefined) return {};
    return { SecretHash: createHmac("sha256", secret).update(`${username}${client.id}`).digest("base64") };
  };

  const common = ({ client }: PageRequest, username: string) => ({
    ClientId: client.id,
    Username: username,
    ...secretHash(client, username),
  });

  return {
    "GET /signup": (page) => showSignUp(page),

    "POST /signup": async (page) => {
      const { request, form } = page;
      const fields = signUpFields(request.pool, page.view.t);
      const given = new Map(fields.map(({ name }) => [name, (only(form, name) ?? "").trim()] as const));
      const username = given.get("username") ?? given.get("email") ?? given.get("phone_number") ?? "";
      const password = form.get("password") ?? "";
      if (isClosed(request.pool)) return renderError(page.view, page.view.t.badRequest, 403);
      try {
        const { UserConfirmed: confirmed, CodeDeliveryDetails: sent } = await api(request.endpoint).SignUp({
          ...common(page, username),
          Password: password,
          UserAttributes: [...given].flatMap(([Name, Value]) =>
            Name === "username" || Value === "" ? [] : [{ Name, Value }],
          ),
        });
        const template = request.pool.settings.VerificationMessageTemplate;
        if (
          confirmed !== true &&
          sent?.DeliveryMedium === "EMAIL" &&
          template?.DefaultEmailOption === "CONFIRM_WITH_LINK"
        ) {
          return showSignIn(needs, page, { username, note: page.view.t.linkSent });
        }
        if (confirmed !== true) return renderConfirm(page.view, { username });
      } catch (error) {
        return tell(error, (message) => showSignUp(page, message, given));
      }
      const outcome = await startAuth(cognito, contextOf(page), "USER_PASSWORD_AUTH", {
        USERNAME: username,
        PASSWORD: password,
      });
      return goOn(needs, page, outcome, username);
    },

    // The address that messages with links lead to.
    "GET /confirmUser": (page) => {
      const { query } = page.request;
      const username = only(query, "user_name");
      const code = only(query, "confirmation_code");
      if (username === undefined || code === undefined) return renderConfirm(page.view, { username: username ?? "" });
      return confirm(page, username, code);
    },

    "POST /confirmUser": (page) =>
      confirm(page, only(page.form, "username") ?? "", (only(page.form, "code") ?? "").trim()),

    "POST /resendcode": async (page) => {
      const username = only(page.form, "username") ?? "";
      try {
        await api(page.request.endpoint).ResendConfirmationCode(common(page, username));
        return renderConfirm(page.view, { username, note: page.view.t.resent });
      } catch (error) {
        return tell(error, (message) => renderConfirm(page.view, { username, error: message }));
      }
    },

    "GET /forgotPassword": ({ view }) => renderForgot(view, {}),

    "POST /forgotPassword": async (page) => {
      const username = only(page.form, "username") ?? "";
      try {
        await api(page.request.endpoint).ForgotPassword(common(page, username));
        return renderReset(page.view, { username, rules: passwordRulesOf(page.request.pool, page.view.t) });
      } catch (error) {
        return tell(error, (message) => renderForgot(page.view, { error: message }));
      }
    },

    "POST /confirmForgotPassword": async (page) => {
      const { form, view, request } = page;
      const username = only(form, "username") ?? "";
      const again = (error: string) =>
        renderReset(view, { username, error, rules: passwordRulesOf(request.pool, view.t) });
      const password = form.get("password") ?? "";
      if (password !== form.get("confirm_password")) return again(view.t.mismatch);
      try {
        await api(request.endpoint).ConfirmForgotPassword({
          ...common(page, username),
          ConfirmationCode: (only(form, "code") ?? "").trim(),
          Password: password,
        });
      } catch (error) {
        return tell(error, again);
      }
      // Not signed in by the code alone: a second factor is still to be shown.
      try {
        const outcome = await startAuth(cognito, contextOf(page), "USER_PASSWORD_AUTH", {
          USERNAME: username,
          PASSWORD: password,
        });
        return await goOn(needs, page, outcome, username);
      } catch (error) {
        return tell(error, (message) => showSignIn(needs, page, { error: message, username }));
      }
    },
  };

  async function confirm(page: PageRequest, username: string, code: string): Promise<Answer> {
    try {
      await api(page.request.endpoint).ConfirmSignUp({ ...common(page, username), ConfirmationCode: code });
    } catch (error) {
      return tell(error, (message) => renderConfirm(page.view, { username, error: message }));
    }
    return showSignIn(needs, page, { username, note: page.view.t.confirmed });
  }
}

/** What the API refuses stands on the page; anything else is a bug. */
async function tell(error: unknown, page: (message: string) => Promise<Answer> | Answer): Promise<Answer> {
  if (!(error instanceof AwsError) || error.status >= 500) throw error;
  return page(error.message);
}

function isClosed(pool: Pool): boolean {
  return pool.settings.AdminCreateUserConfig?.AllowAdminCreateUserOnly === true;
}

function showSignUp(page: PageRequest, error?: string, given?: ReadonlyMap<string, string>): Answer {
  const { view, request } = page;
  if (isClosed(request.pool)) return renderError(view, view.t.badRequest, 403);
  const fields = signUpFields(request.pool, view.t);
  return renderSignUp(view, {
    fields: fields.map(({ name, label }) => ({ name, label, value: given?.get(name) })),
    rules: passwordRulesOf(request.pool, view.t),
    error,
  });
}

/** The name, and attributes that the pool requires or verifies. */
function signUpFields(pool: Pool, t: Texts): readonly { readonly name: string; readonly label: string }[] {
  const instead = pool.settings.UsernameAttributes?.[0];
  const required = pool.schema.flatMap(({ Name, Required }) =>
    Required === true && Name !== undefined && Name !== "sub" ? [Name] : [],
  );
  const names = [instead ?? "username", ...required, ...(pool.settings.AutoVerifiedAttributes ?? [])];
  const labels: Readonly<Record<string, string>> = t;
  return [...new Set<string>(names)].map((name) => ({
    name,
    label: Object.hasOwn(labels, name) ? (labels[name] ?? name) : name.replaceAll("_", " "),
  }));
}
