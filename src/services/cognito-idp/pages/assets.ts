import type { Cognito } from "../core.ts";
import { readClient } from "../model.ts";
import { only, type Answer, type DomainRequest } from "../oauth/exchange.ts";
import { findCustomization, type Customization } from "./customization.ts";
import { renderError } from "./sign-in-pages.ts";
import { script } from "./script.ts";
import { style } from "./style.ts";
import { createView } from "./view.ts";

type AssetHandler = (request: DomainRequest) => Promise<Answer> | Answer;

/** What pages load, and the page that tells errors nobody else may be told. */
export function assetHandlers(cognito: Cognito): Readonly<Record<string, AssetHandler>> {
  const lookOf = (request: DomainRequest): Promise<Customization | undefined> =>
    cognito.store.read((reader) =>
      findCustomization(reader, request.pool.id, only(request.query, "client_id") ?? "ALL"),
    );
  return {
    "/style.css": () => asset("text/css", style),
    "/script.js": () => asset("text/javascript", script),
    "/custom.css": async (request) => asset("text/css", (await lookOf(request))?.css ?? ""),
    "/logo": async (request) => {
      const image = (await lookOf(request))?.image;
      if (image === undefined) return { status: 404, body: "" };
      return asset(image.type, Buffer.from(image.bytes));
    },
    "/error": async (request) => {
      const clientId = only(request.query, "client_id");
      const client =
        clientId === undefined ? undefined : await cognito.store.read((reader) => readClient(reader, clientId));
      // Anybody can make such an address: what it says is not repeated, but for what we know.
      const view = await createView(cognito, request, client?.settings.CallbackURLs?.[0]);
      const { t } = view;
      const known: Readonly<Record<string, string>> = {
        redirect_mismatch: t.redirectMismatch,
        "Client does not exist": t.unknownClient,
        "Invalid state": t.expired,
      };
      const error = only(request.query, "error") ?? "";
      return renderError(view, Object.hasOwn(known, error) ? (known[error] ?? t.badRequest) : t.badRequest);
    },
  };
}

function asset(type: string, body: string | Buffer): Answer {
  return {
    status: 200,
    headers: {
      "content-type": typeof body === "string" ? `${type}; charset=utf-8` : type,
      "x-content-type-options": "nosniff",
      "cache-control": "private, max-age=300",
      "content-security-policy": "default-src 'none'",
    },
    body,
  };
}
