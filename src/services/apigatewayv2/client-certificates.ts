import type { Reader } from "../../kernel/store/store.ts";
import { listApis, listChildren, type Place } from "./model.ts";

/** Whether a stage of a WebSocket API shows its endpoints a client certificate. */
export async function usesClientCertificate(reader: Reader, place: Place, id: string): Promise<boolean> {
  for (const { apiId, webSocket } of await listApis(reader, place)) {
    if (webSocket === undefined) continue;
    const stages = await listChildren(reader, place, apiId, "stage");
    if (stages.some(({ clientCertificate }) => clientCertificate?.id === id)) return true;
  }
  return false;
}
