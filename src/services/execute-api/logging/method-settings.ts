import type { PublishedMethod, PublishedMethodSettings } from "../port.ts";

/** A method's own settings, else those of all methods: settings are taken as a whole. */
export function settingsOf(
  settings: Readonly<Record<string, PublishedMethodSettings>> | undefined,
  { path, httpMethod }: PublishedMethod,
): PublishedMethodSettings | undefined {
  return settings?.[`${path.slice(1)}/${httpMethod}`] ?? settings?.["*/*"];
}
