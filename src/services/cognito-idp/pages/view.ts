import type { Cognito } from "../core.ts";
import type { Pool } from "../model.ts";
import type { DomainRequest } from "../oauth/exchange.ts";
import { findCustomization } from "./customization.ts";
import { formToken } from "./forgery.ts";
import type { View } from "./layout.ts";
import { textsOf, type Texts } from "./texts.ts";

/** What the pages of this request have in common. */
export async function createView(
  { ids, store }: Pick<Cognito, "ids" | "store">,
  request: DomainRequest,
  redirectUri: string | undefined,
): Promise<View> {
  const { token, cookie } = formToken(request, ids);
  const look = await store.read((reader) =>
    findCustomization(reader, request.pool.id, request.query.get("client_id") ?? "ALL"),
  );
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(redirectUri ?? "")?.[1]?.toLowerCase();
  const isOwn = scheme !== undefined && scheme !== "http" && scheme !== "https" && scheme !== "javascript";
  const search = request.query.toString();
  return {
    request,
    ...textsOf(request.query.get("lang") ?? undefined),
    csrf: token,
    search: search === "" ? "" : `?${search}`,
    customCss: look?.css !== undefined,
    logo: look?.image !== undefined,
    cookies: cookie === undefined ? [] : [cookie],
    schemes: isOwn ? [`${scheme}:`] : [],
  };
}

/** What a pool asks of passwords, in words. */
export function passwordRulesOf(pool: Pool, t: Texts): readonly string[] {
  const policy = pool.settings.Policies?.PasswordPolicy;
  const needs = [
    [policy?.RequireLowercase, t.lowercase],
    [policy?.RequireUppercase, t.uppercase],
    [policy?.RequireNumbers, t.number],
    [policy?.RequireSymbols, t.symbol],
  ] as const;
  return [
    `${policy?.MinimumLength ?? 8} ${t.minimumLength}`,
    ...needs.flatMap(([required, text]) => (required === true ? [text] : [])),
  ];
}
