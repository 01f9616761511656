import type { Answer } from "../oauth/exchange.ts";
import { html } from "./html.ts";
import { field, form, hiddenFields, link, renderPage, submit, type View } from "./layout.ts";

export interface ProviderButton {
  readonly name: string;
  /** Where its sign-in begins. */
  readonly href: string;
}

export interface SignInPage {
  /** What users are named by: `username`, `email`, `phone_number`. */
  readonly names: readonly ("username" | "email" | "phone_number")[];
  readonly username?: string | undefined;
  readonly error?: string | undefined;
  readonly note?: string | undefined;
  readonly providers: readonly ProviderButton[];
  /** Whether users of the pool's own sign in here. */
  readonly ownUsers: boolean;
  readonly signUp: boolean;
  readonly passkeys: boolean;
  /** Who is signed in already. */
  readonly signedInAs?: string | undefined;
}

export function renderSignIn(view: View, page: SignInPage): Answer {
  const { t } = view;
  const nameLabel = page.names.map((name) => t[name]).join(` ${t.or} `);
  const own = html`${form(
      view,
      "/login",
      html`${field({
        name: "username",
        label: nameLabel,
        autocomplete: page.passkeys ? "username webauthn" : "username",
        value: page.username,
        focus: page.username === undefined && page.error === undefined,
        invalid: page.error !== undefined,
      })}
      ${field({
        name: "password",
        label: t.password,
        type: "password",
        autocomplete: "current-password",
        optional: page.passkeys,
        invalid: page.error !== undefined,
      })}
      ${submit(t.signIn, "action", "password")}
      ${
        page.passkeys &&
        html`<p class="divider">${t.or}</p>
          <button type="submit" class="idpButton-customizable" name="action" value="passkey">
            ${t.signInWithPasskey}
          </button>`
      }`,
    )}
    <p>${link(view, "/forgotPassword", t.forgotPassword)}</p>
    ${page.signUp && html`<p>${t.noAccount} ${link(view, "/signup", t.signUp)}</p>`}`;
  const providers = html`${page.providers.map(
    ({ name, href }) =>
      html`<form method="get" action="${href.split("?", 1)[0] ?? ""}">
        ${[...new URLSearchParams(href.split("?")[1] ?? "")].map(
          ([key, value]) => html`<input type="hidden" name="${key}" value="${value}" />`,
        )}
        <button type="submit" class="idpButton-customizable">${t.continueWith} ${name}</button>
      </form>`,
  )}`;
  const known =
    page.signedInAs !== undefined &&
    html`${form(view, "/continue", submit(`${t.continueAs} ${page.signedInAs}`))}
      <h2>${t.otherUser}</h2>`;
  return renderPage(view, {
    title: t.signInTitle,
    error: page.error,
    note: page.note,
    content: html`${known} ${page.providers.length > 0 && providers}
    ${page.providers.length > 0 && page.ownUsers && html`<p class="divider">${t.or}</p>`} ${page.ownUsers && own}`,
  });
}

export interface SignUpPage {
  readonly fields: readonly { readonly name: string; readonly label: string; readonly value?: string | undefined }[];
  readonly rules: readonly string[];
  readonly error?: string | undefined;
}

export function renderSignUp(view: View, page: SignUpPage): Answer {
  const { t } = view;
  return renderPage(view, {
    title: t.signUpTitle,
    error: page.error,
    content: html`${form(
        view,
        "/signup",
        html`${page.fields.map(({ name, label, value }, index) =>
          field({
            name,
            label,
            value,
            type: name === "email" ? "email" : name === "phone_number" ? "tel" : "text",
            autocomplete: name === "phone_number" ? "tel" : name,
            focus: index === 0,
            invalid: page.error !== undefined && index === 0,
          }),
        )}
        ${field({
          name: "password",
          label: t.password,
          type: "password",
          autocomplete: "new-password",
          invalid: page.error !== undefined,
        })}
        ${passwordRules(view, page.rules)} ${submit(t.signUp)}`,
      )}
      <p>${t.haveAccount} ${link(view, "/login", t.signIn)}</p>`,
  });
}

export function renderConfirm(
  view: View,
  page: { readonly username: string; readonly error?: string | undefined; readonly note?: string | undefined },
): Answer {
  const { t } = view;
  return renderPage(view, {
    title: t.confirmTitle,
    error: page.error,
    note: page.note,
    content: html`<p>${t.confirmText}</p>
      ${form(
        view,
        "/confirmUser",
        html`${page.username === "" && field({ name: "username", label: t.username, autocomplete: "username" })}
        ${codeField(view, page.error)} ${submit(t.confirm)}`,
        page.username === "" ? {} : { username: page.username },
      )}
      ${
        page.username !== "" &&
        form(view, "/resendcode", html`<button type="submit" class="plain">${t.resend}</button>`, {
          username: page.username,
        })
      }`,
  });
}

export function renderForgot(view: View, page: { readonly error?: string | undefined }): Answer {
  const { t } = view;
  return renderPage(view, {
    title: t.forgotTitle,
    error: page.error,
    content: html`<p>${t.forgotText}</p>
      ${form(
        view,
        "/forgotPassword",
        html`${field({
          name: "username",
          label: t.username,
          autocomplete: "username",
          focus: true,
          invalid: page.error !== undefined,
        })}
        ${submit(t.sendCode)}`,
      )}
      <p>${link(view, "/login", t.backToSignIn)}</p>`,
  });
}

export function renderReset(
  view: View,
  page: { readonly username: string; readonly rules: readonly string[]; readonly error?: string | undefined },
): Answer {
  const { t } = view;
  return renderPage(view, {
    title: t.resetTitle,
    error: page.error,
    content: html`<p>${t.resetText}</p>
      ${form(
        view,
        "/confirmForgotPassword",
        html`${codeField(view, page.error)} ${newPasswordFields(view, page.error)} ${passwordRules(view, page.rules)}
        ${submit(t.changePassword)}`,
        { username: page.username },
      )}`,
  });
}

export function renderError(view: View, error: string, status = 400): Answer {
  return renderPage(view, { title: view.t.errorTitle, error, status, content: html`` });
}

export function codeField(view: View, error: string | undefined) {
  return field({
    name: "code",
    label: view.t.verificationCode,
    autocomplete: "one-time-code",
    numeric: true,
    focus: true,
    invalid: error !== undefined,
  });
}

export function newPasswordFields(view: View, error: string | undefined) {
  const more = { type: "password", autocomplete: "new-password", invalid: error !== undefined } as const;
  return html`${field({ name: "password", label: view.t.newPassword, ...more })}
  ${field({ name: "confirm_password", label: view.t.confirmPassword, ...more })}`;
}

export function passwordRules(view: View, rules: readonly string[]) {
  return html`<p class="hint">${view.t.mustBe}</p>
    <ul class="rules">
      ${rules.map((rule) => html`<li>${rule}</li>`)}
    </ul>`;
}

/** A form that the browser's passkey dialogue fills. */
export function passkeyForm(
  view: View,
  path: string,
  kind: "get" | "create",
  options: string,
  label: string,
  hidden: Readonly<Record<string, string>>,
) {
  return html`<p class="errorMessage-customizable" id="passkey-error" role="alert" hidden></p>
    <form
      method="post"
      action="${view.request.base}${path}${view.search}"
      data-webauthn="${kind}"
      data-options="${options}"
    >
      ${hiddenFields(view, { ...hidden, credential: "" })} ${submit(label)}
    </form>
    <noscript><p>${view.t.passkeyNeedsScript}</p></noscript>`;
}
