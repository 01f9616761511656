import type { Answer } from "../oauth/exchange.ts";
import { html } from "./html.ts";
import { field, form, link, renderPage, submit, type View } from "./layout.ts";
import { codeField, newPasswordFields, passkeyForm, passwordRules } from "./sign-in-pages.ts";
import type { Step } from "./steps.ts";

/** A challenge that the pages can put. */
export interface ChallengePage {
  readonly step: Step;
  /** The step, sealed. */
  readonly sealed: string;
  readonly error?: string | undefined;
  readonly rules: readonly string[];
  /** MFA_SETUP: what the authenticator app is to be told. */
  readonly setup?: { readonly secret: string; readonly uri: string };
}

/** The page of a challenge; undefined where there is none for it. */
export async function renderChallenge(view: View, page: ChallengePage): Promise<Answer | undefined> {
  const { step } = page;
  switch (step.name) {
    case "NEW_PASSWORD_REQUIRED":
      return renderNewPassword(view, page);
    case "SOFTWARE_TOKEN_MFA":
    case "SMS_MFA":
    case "EMAIL_OTP":
    case "SMS_OTP":
      return renderCode(view, page);
    case "MFA_SETUP":
      return page.setup ? await renderSetup(view, page, page.setup) : renderEmailSetup(view, page);
    case "SELECT_MFA_TYPE":
      return renderChoice(view, page, view.t.selectMfaTitle, parseList(step.parameters["MFAS_CAN_CHOOSE"]));
    case "SELECT_CHALLENGE":
      return renderChoice(view, page, view.t.selectTitle, withoutSrp(step.available));
    case "PASSWORD":
      return renderPassword(view, page);
    case "WEB_AUTHN":
      return renderPasskey(view, page);
    default:
      return undefined;
  }
}

const answerTo = "/challenge";

function renderNewPassword(view: View, page: ChallengePage): Answer {
  const { t } = view;
  const required = parseList(page.step.parameters["requiredAttributes"]).map((name) =>
    name.replace(/^userAttributes\./, ""),
  );
  return renderPage(view, {
    title: t.newPasswordTitle,
    error: page.error,
    content: html`<p>${t.newPasswordText}</p>
      ${form(
        view,
        answerTo,
        html`${newPasswordFields(view, page.error)} ${passwordRules(view, page.rules)}
        ${required.map((name) => field({ name: `userAttributes.${name}`, label: labelOf(view, name) }))}
        ${submit(t.changePassword)}`,
        { step: page.sealed },
      )}`,
  });
}

function renderCode(view: View, page: ChallengePage): Answer {
  const { t } = view;
  const { name, parameters } = page.step;
  const destination = parameters["CODE_DELIVERY_DESTINATION"];
  return renderPage(view, {
    title: t.codeTitle,
    error: page.error,
    content: html`<p>${name === "SOFTWARE_TOKEN_MFA" ? t.totpText : html`${t.codeSentText} ${destination ?? ""}`}</p>
      ${form(view, answerTo, html`${codeField(view, page.error)} ${submit(t.submit)}`, { step: page.sealed })}
      <p>${link(view, "/login", t.backToSignIn)}</p>`,
  });
}

async function renderSetup(
  view: View,
  page: ChallengePage,
  { secret, uri }: { readonly secret: string; readonly uri: string },
): Promise<Answer> {
  // Loaded only where it is used.
  const { renderSVG } = await import("uqr");
  const { t } = view;
  const image = `data:image/svg+xml;base64,${Buffer.from(renderSVG(uri)).toString("base64")}`;
  return renderPage(view, {
    title: t.setupTitle,
    error: page.error,
    content: html`<p>${t.setupText}</p>
      <img class="qr" src="${image}" alt="" />
      <p>${t.setupKey}: <code id="totp-secret">${secret}</code></p>
      ${form(
        view,
        answerTo,
        html`${codeField(view, page.error)} ${field({ name: "device_name", label: t.deviceName, optional: true })}
        ${submit(t.confirm)}`,
        { step: page.sealed },
      )}`,
  });
}

function renderEmailSetup(view: View, page: ChallengePage): Answer {
  const { t } = view;
  return renderPage(view, {
    title: t.emailSetupTitle,
    error: page.error,
    content: html`<p>${t.emailSetupText}</p>
      ${form(
        view,
        answerTo,
        html`${field({ name: "email", label: t.email, type: "email", autocomplete: "email", focus: true })}
        ${submit(t.submit)}`,
        { step: page.sealed },
      )}`,
  });
}

function renderChoice(view: View, page: ChallengePage, title: string, choices: readonly string[]): Answer {
  return renderPage(view, {
    title,
    error: page.error,
    content: form(
      view,
      answerTo,
      html`<fieldset>
          <legend>${title}</legend>
          ${choices.map(
            (choice, index) =>
              html`<label class="choice"
                ><input type="radio" name="choice" value="${choice}" required ${index === 0 && html`checked`} />
                ${labelOf(view, choice)}</label
              >`,
          )}
        </fieldset>
        <p></p>
        ${submit(view.t.submit)}`,
      { step: page.sealed },
    ),
  });
}

function renderPassword(view: View, page: ChallengePage): Answer {
  const { t } = view;
  return renderPage(view, {
    title: t.signInTitle,
    error: page.error,
    content: form(
      view,
      answerTo,
      html`${field({
        name: "password",
        label: t.password,
        type: "password",
        autocomplete: "current-password",
        focus: true,
        invalid: page.error !== undefined,
      })}
      ${submit(t.signIn)}`,
      { step: page.sealed },
    ),
  });
}

function renderPasskey(view: View, page: ChallengePage): Answer {
  const { t } = view;
  const options = page.step.parameters["CREDENTIAL_REQUEST_OPTIONS"] ?? "{}";
  return renderPage(view, {
    title: t.passkeyTitle,
    error: page.error,
    passkeys: true,
    content: html`<p>${t.passkeyText}</p>
      ${passkeyForm(view, answerTo, "get", options, t.usePasskey, { step: page.sealed })}
      <p>${link(view, "/login", t.backToSignIn)}</p>`,
  });
}

/** An offer to somebody who has just signed in. */
export function renderAddPasskey(view: View, options: string, sealed: string, error?: string): Answer {
  const { t } = view;
  return renderPage(view, {
    title: t.addPasskeyTitle,
    error,
    passkeys: true,
    content: html`<p>${t.addPasskeyText}</p>
      ${passkeyForm(view, "/passkeys/add", "create", options, t.addPasskey, { step: sealed })}
      ${form(view, "/passkeys/skip", html`<button type="submit" class="plain">${t.notNow}</button>`, {
        step: sealed,
      })}`,
  });
}

function labelOf(view: View, name: string): string {
  const known: Readonly<Record<string, string>> = view.t;
  return Object.hasOwn(known, name) ? (known[name] ?? name) : name;
}

/** The pages have the password itself: one way to ask for it is enough. */
function withoutSrp(choices: readonly string[]): readonly string[] {
  const shown = choices.map((choice) => (choice === "PASSWORD_SRP" ? "PASSWORD" : choice));
  return [...new Set(shown)];
}

export function parseList(text: string | undefined): readonly string[] {
  try {
    const list: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(list) ? list.map(String) : [];
  } catch {
    return [];
  }
}
