import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * The gateway's data plane: answers requests to deployed APIs. A published stage is an immutable value that is compiled
 * once into routes and integrations; requests touch neither the store nor a parser of templates.
 */
export interface ExecuteApiPort {
  /**
   * Answer a request to an API's address.
   *
   * @param apiId from the host (`{apiId}.execute-api.…`) or the path form
   * @param target path and query after what addressed the API, as sent: for REST APIs it starts with the stage, for HTTP
   *   APIs with the stage unless the stage is `$default`
   */
  handle(apiId: string, target: string, request: IncomingMessage, response: ServerResponse): void;
}
