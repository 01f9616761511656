import type { Properties } from "../../cloudformation/port.ts";
import { textOf } from "./properties.ts";
import type { StagePatch } from "./stage-settings.ts";

/** How a stage comes to its client certificate. */
export function certificatePatches(properties: Properties, previous: Properties): StagePatch[] {
  const value = textOf(properties, "ClientCertificateId");
  if (value === textOf(previous, "ClientCertificateId")) return [];
  return [{ op: "replace", path: "/clientCertificateId", value: value ?? "" }];
}
