import type { Properties } from "../../cloudformation/port.ts";
import { objectOf, textOf } from "./properties.ts";

export const accessLogProperties = ["AccessLogSetting.DestinationArn", "AccessLogSetting.Format"];

/** Access logs are set by patches alone. */
export function accessLogPatchesOf(
  properties: Properties,
  previous: Properties,
): { readonly op: "replace" | "remove"; readonly path: string; readonly value?: string }[] {
  const settings = objectOf(properties, "AccessLogSetting");
  if (settings === undefined) {
    return objectOf(previous, "AccessLogSetting") === undefined ? [] : [{ op: "remove", path: "/accessLogSettings" }];
  }
  const { destinationArn, format } = {
    destinationArn: textOf(settings, "DestinationArn"),
    format: textOf(settings, "Format"),
  };
  return [
    ...(destinationArn === undefined
      ? []
      : [{ op: "replace" as const, path: "/accessLogSettings/destinationArn", value: destinationArn }]),
    ...(format === undefined ? [] : [{ op: "replace" as const, path: "/accessLogSettings/format", value: format }]),
  ];
}
