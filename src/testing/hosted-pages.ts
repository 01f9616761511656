/** A form of a page: where it goes, and what is in it. */
export interface PageForm {
  readonly action: string;
  readonly method: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly forms: readonly PageForm[];
  /** Where a redirect that was not followed leads. */
  readonly location: string | undefined;
  /** What the page says is wrong. */
  readonly error: string | undefined;
}

/** A browser without JavaScript, as far as hosted pages need one: cookies, forms, redirects on the same host. */
export interface HostedBrowser {
  /** Follows redirects below `stayBelow`; the first that leads elsewhere is what is returned. */
  open(url: string, init?: RequestInit): Promise<Page>;
  /** Fills in and sends the form whose action ends so. */
  submit(page: Page, action: string, fields: Readonly<Record<string, string>>): Promise<Page>;
  readonly cookies: Map<string, string>;
}

export function createHostedBrowser(stayBelow: string): HostedBrowser {
  const cookies = new Map<string, string>();

  const open = async (url: string, init: RequestInit = {}): Promise<Page> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = new Headers(init.headers);
    if (cookie !== "") headers.set("cookie", cookie);
    const answer = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const set of answer.headers.getSetCookie()) {
      const [pair = ""] = set.split(";", 1);
      const name = pair.slice(0, pair.indexOf("="));
      if (/max-age=0(?:;|$)/i.test(set)) cookies.delete(name);
      else cookies.set(name, pair.slice(name.length + 1));
    }
    const location = answer.headers.get("location") ?? undefined;
    const text = await answer.text();
    const next = location === undefined ? undefined : new URL(location, url).toString();
    if (next?.startsWith(stayBelow)) return open(next);
    return {
      url,
      status: answer.status,
      headers: answer.headers,
      text,
      forms: readForms(text),
      location: next,
      error: /<p class="errorMessage-customizable" id="error"[^>]*>([^<]*)</.exec(text)?.[1]?.trim(),
    };
  };

  return {
    cookies,
    open,
    submit: async (page, action, fields) => {
      const form = page.forms.find((each) => each.action.split("?", 1)[0]?.endsWith(action));
      if (!form) throw new Error(`No form goes to ${action}: ${page.status} ${page.error ?? page.text.slice(0, 200)}`);
      const target = new URL(form.action, page.url).toString();
      return open(target, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded", origin: new URL(page.url).origin },
        body: new URLSearchParams({ ...form.fields, ...fields }).toString(),
      });
    },
  };
}

function readForms(text: string): PageForm[] {
  return [...text.matchAll(/<form([^>]*)>([^]*?)<\/form>/g)].map(([, attributes = "", body = ""]) => ({
    action: attributeOf(attributes, "action") ?? "",
    method: attributeOf(attributes, "method") ?? "get",
    fields: Object.fromEntries(
      [...body.matchAll(/<input([^>]*)>/g)].flatMap(([, input = ""]) => {
        const name = attributeOf(input, "name");
        const isLeft = /type="radio"/.test(input) && !/checked/.test(input);
        return name === undefined || isLeft ? [] : [[name, attributeOf(input, "value") ?? ""] as const];
      }),
    ),
  }));
}

function attributeOf(attributes: string, name: string): string | undefined {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
  return value
    ?.replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
