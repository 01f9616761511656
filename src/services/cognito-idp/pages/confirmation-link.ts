import { createHmac } from "node:crypto";
import { AwsError } from "../../../aws/error.ts";
import { openSecrets } from "../client-secrets.ts";
import { readClient } from "../model.ts";
import { only, type Answer, type DomainRequest } from "../oauth/exchange.ts";
import { html } from "./html.ts";
import { renderPage } from "./layout.ts";
import type { HostedNeeds } from "./page.ts";
import { renderError } from "./sign-in-pages.ts";
import { createView } from "./view.ts";

/** A link of a message: it names a user and a code, and no application that anybody is to be sent back to. */
export function isConfirmationLink({ method, path, query }: DomainRequest): boolean {
  return method === "GET" && path === "/confirmUser" && query.has("confirmation_code") && !query.has("response_type");
}

/** Confirm a sign-up by the link that was sent. Source: developer guide, "Verification message template". */
export async function confirmByLink({ cognito, api }: HostedNeeds, request: DomainRequest): Promise<Answer> {
  const view = await createView(cognito, request, undefined);
  const clientId = only(request.query, "client_id");
  const username = only(request.query, "user_name");
  const code = only(request.query, "confirmation_code");
  const client =
    clientId === undefined ? undefined : await cognito.store.read((reader) => readClient(reader, clientId));
  if (client?.poolId !== request.pool.id || username === undefined || code === undefined) {
    return renderError(view, view.t.badRequest);
  }
  const [secret] = openSecrets(cognito.seal, client);
  try {
    await api(request.endpoint).ConfirmSignUp({
      ClientId: client.id,
      Username: username,
      ConfirmationCode: code,
      ...(secret !== undefined && {
        SecretHash: createHmac("sha256", secret).update(`${username}${client.id}`).digest("base64"),
      }),
    });
  } catch (error) {
    if (error instanceof AwsError && error.status < 500) return renderError(view, error.message);
    throw error;
  }
  return renderPage(view, { title: view.t.confirmTitle, note: view.t.registered, content: html`` });
}
