import type { Nodes } from "../kernel/nodes/nodes.ts";
import type { HttpRequest, HttpResponse } from "../proxy/http-exchange.ts";

const text = "This node has lost touch with the store and cannot answer. Try again.";
const body = JSON.stringify({ __type: "ServiceUnavailable", message: text });

/**
 * A request that came while this node's lease had ended: what is in memory may be out of date. It waits for the lease to
 * be renewed, as after a pause, and is then answered by `then`; or it is refused, so that the client goes elsewhere.
 */
export async function awaitLease(
  nodes: Pick<Nodes, "renewed">,
  request: HttpRequest,
  response: HttpResponse,
  then: () => void,
): Promise<void> {
  if (await nodes.renewed()) {
    if (!response.destroyed) then();
    return;
  }
  request.resume();
  response.writeHead(503, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "x-amzn-errortype": "ServiceUnavailable",
    "retry-after": "1",
    connection: "close",
  });
  response.end(body);
}
