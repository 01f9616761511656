import type { Cognito } from "../core.ts";
import { readClient, type Client } from "../model.ts";
import { parseAuthorizeRequest, type AuthorizeRequest } from "./authorize-request.ts";
import { only, type Answer, type DomainRequest } from "./exchange.ts";
import { answerProblem } from "./finish.ts";

/** A request of an application that was found to be in order. */
export interface Asked {
  readonly client: Client;
  readonly asked: AuthorizeRequest;
}

/** Which application asks for what, by the query, which all pages of a sign-in carry on; else what is answered. */
export async function readAsked(cognito: Cognito, request: DomainRequest): Promise<Asked | Answer> {
  const clientId = only(request.query, "client_id");
  const found = clientId === undefined ? undefined : await cognito.store.read((reader) => readClient(reader, clientId));
  const client = found?.poolId === request.pool.id ? found : undefined;
  const asked = parseAuthorizeRequest(request.query, client);
  if ("tell" in asked || client === undefined) {
    return answerProblem(request, "tell" in asked ? asked : { tell: "page", error: "invalid_request" });
  }
  return { client, asked };
}
