import type { Call, Operation } from "../../../wire/service.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { badRequest } from "../errors.ts";
import { type ApiRecord, type Place, readApi } from "../model.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { WebSocketSettings } from "./records.ts";

type Operations = Readonly<Record<string, Operation<never, unknown>>>;

/**
 * The operations of HTTP APIs and of WebSocket APIs as one: those that both have run as the API's protocol says. Who may call
 * them is the same for both.
 */
export function byProtocol(store: Store, http: Operations, webSocket: Operations): Operations {
  const both = Object.entries(http).map(([name, operation]) => {
    const other = webSocket[name];
    if (other === undefined) return [name, operation] as const;
    const run: Operation<never, unknown> = {
      authorize: operation.authorize,
      run: async (input, call) =>
        (await isWebSocket(store, call, input)) ? other.run(input, call) : operation.run(input, call),
    };
    return [name, run] as const;
  });
  return { ...webSocket, ...Object.fromEntries(both) };
}

/** By the protocol that the request names, else by the API that it names. */
async function isWebSocket(store: Store, call: Call, input: object): Promise<boolean> {
  if ("ProtocolType" in input && input.ProtocolType !== undefined) return input.ProtocolType === "WEBSOCKET";
  if (!("ApiId" in input) || typeof input.ApiId !== "string") return false;
  const { ApiId } = input;
  return store.read(async (reader) => (await readApi(reader, call, ApiId)).webSocket !== undefined);
}

/** Throws NotFoundException, and BadRequestException for an HTTP API. */
export async function readWebSocketApi(
  reader: Reader,
  place: Place,
  apiId: string,
): Promise<ApiRecord & { readonly webSocket: WebSocketSettings }> {
  const api = await readApi(reader, place, apiId);
  const { webSocket } = api;
  if (webSocket === undefined) throw badRequest("Operation is only supported for WEBSOCKET protocol APIs");
  return { ...api, webSocket };
}
