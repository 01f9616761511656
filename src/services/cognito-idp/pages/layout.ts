import type { Answer, DomainRequest } from "../oauth/exchange.ts";
import { html, type Html } from "./html.ts";
import type { Texts } from "./texts.ts";

/** What all pages of a client have in common. */
export interface View {
  readonly request: DomainRequest;
  readonly t: Texts;
  readonly lang: string;
  /** Goes back with every form. */
  readonly csrf: string;
  /** The query that came, with which every form goes on. */
  readonly search: string;
  /** Of the client's look: where its style and logo are. */
  readonly customCss: boolean;
  readonly logo: boolean;
  readonly cookies: readonly string[];
  /** Schemes of applications' own that a form may lead to. */
  readonly schemes: readonly string[];
}

export interface Page {
  readonly title: string;
  readonly content: Html;
  readonly error?: string | undefined;
  readonly note?: string | undefined;
  readonly status?: number;
  /** It needs the script for passkeys. */
  readonly passkeys?: boolean;
}

/** A whole page. The error stands where a screen reader hears of it, and fields refer to it. */
export function renderPage(view: View, page: Page): Answer {
  const { request, lang } = view;
  const { base, query } = request;
  const look = query.get("client_id") ?? "";
  const asset = (name: string) => `${base}/${name}?client_id=${encodeURIComponent(look)}`;
  const document = html`<!doctype html>
    <html lang="${lang}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${page.title}</title>
        <link rel="stylesheet" href="${base}/style.css" />
        ${view.customCss && html`<link rel="stylesheet" href="${asset("custom.css")}" />`}
        ${page.passkeys === true && html`<script src="${base}/script.js" defer></script>`}
      </head>
      <body>
        <div class="background-customizable">
          <main>
            <div class="banner-customizable">
              ${view.logo && html`<img class="logo-customizable" src="${asset("logo")}" alt="" />`}
            </div>
            <div class="content">
              <h1>${page.title}</h1>
              ${
                page.error !== undefined &&
                html`<p class="errorMessage-customizable" id="error" role="alert" tabindex="-1">${page.error}</p>`
              }
              ${page.note !== undefined && html`<p class="note" role="status">${page.note}</p>`} ${page.content}
            </div>
          </main>
        </div>
      </body>
    </html>`;
  return {
    status: page.status ?? 200,
    headers: { "content-type": "text/html; charset=utf-8", ...pageHeaders(view.schemes) },
    cookies: view.cookies,
    body: document.text,
  };
}

/** Nothing is loaded from elsewhere, nobody frames the page, nothing of it is kept or told to others. */
function pageHeaders(schemes: readonly string[]): Record<string, string> {
  // After a form has been sent, applications redirect to wherever they like: over HTTP, or in a scheme of their own.
  const targets = ["'self'", "https:", "http:", ...schemes].join(" ");
  return {
    "content-security-policy": `default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action ${targets}; frame-ancestors 'none'; base-uri 'none'`,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    // Not `no-referrer`: browsers would keep back where a form comes from.
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
  };
}

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type?: "text" | "password" | "email" | "tel";
  readonly autocomplete?: string;
  readonly value?: string | undefined;
  readonly optional?: boolean;
  readonly numeric?: boolean;
  readonly focus?: boolean;
  /** The error is about this field. */
  readonly invalid?: boolean;
}

export function field(each: Field): Html {
  const id = `field-${each.name.replaceAll(/[^\w-]/g, "-")}`;
  return html`<label for="${id}" class="label-customizable">${each.label}</label>
    <input
      class="inputField-customizable"
      id="${id}"
      name="${each.name}"
      type="${each.type ?? "text"}"
      autocomplete="${each.autocomplete ?? "off"}"
      autocapitalize="none"
      spellcheck="false"
      ${each.value !== undefined && html`value="${each.value}"`}
      ${each.numeric === true && html`inputmode="numeric"`}
      ${each.optional !== true && html`required`}
      ${each.focus === true && html`autofocus`}
      ${each.invalid === true && html`aria-invalid="true" aria-describedby="error"`}
    />`;
}

/** A form of this domain, with what every form carries. */
export function form(view: View, path: string, content: Html, hidden: Readonly<Record<string, string>> = {}): Html {
  return html`<form method="post" action="${view.request.base}${path}${view.search}">
    ${hiddenFields(view, hidden)} ${content}
  </form>`;
}

export function hiddenFields(view: View, hidden: Readonly<Record<string, string>>): Html {
  const all = { _csrf: view.csrf, ...hidden };
  return html`${Object.entries(all).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  )}`;
}

export function submit(label: string, name?: string, value?: string): Html {
  return html`<button
    type="submit"
    class="submitButton-customizable"
    ${name !== undefined && html`name="${name}" value="${value ?? ""}"`}
  >
    ${label}
  </button>`;
}

export function link(view: View, path: string, label: string): Html {
  return html`<a class="redirect-customizable" href="${view.request.base}${path}${view.search}">${label}</a>`;
}
