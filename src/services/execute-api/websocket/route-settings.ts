import type { PublishedRouteSetting, PublishedRouteSettings } from "./published.ts";

/** What holds for a route: its own settings, and the stage's default for those that it does not have. */
export function settingsOf(settings: PublishedRouteSettings | undefined, routeKey: string): PublishedRouteSetting {
  const own =
    settings !== undefined && Object.hasOwn(settings.routes, routeKey) ? settings.routes[routeKey] : undefined;
  return { ...settings?.default, ...own };
}
