import { parseArn } from "../../../aws/arn.ts";
import { replaceStageVariables } from "./endpoint-url.ts";

/** An operation of a service, as an integration's URI names it. */
export interface ServiceTarget {
  /** As in a credential scope. */
  readonly service: string;
  readonly region: string;
  /** Of the form `action/NAME`. */
  readonly action: string | undefined;
  /**
   * The path with its variables in their places; a query may follow.
   *
   * @returns undefined for a value with a segment `.` or `..`
   */
  fill(value: (name: string) => string | undefined): string | undefined;
}

/**
 * Read `arn:aws:apigateway:REGION:[SUBDOMAIN.]SERVICE:action/NAME` or `…:path/PATH`, stage variables replaced; undefined for
 * anything else.
 */
export function compileServiceUri(uri: string, variables: Readonly<Record<string, string>>): ServiceTarget | undefined {
  const arn = parseArn(replaceStageVariables(uri, variables).toWellFormed());
  if (arn === undefined || arn.service !== "apigateway" || arn.account === "") return undefined;
  const [, form, rest = ""] = /^(action|path)\/(.*)$/s.exec(arn.resource) ?? [];
  const labels = arn.account.split(".");
  const service = labels.pop() ?? "";
  // A bucket may stand before the service's name, as in the host names of S3.
  const subdomain = labels.join(".");
  const base = { service, region: arn.region };
  if (form === "action") {
    const [name = "", query] = rest.split("?", 2);
    const [action = ""] = name.split("&", 1);
    const more = [name.slice(action.length + 1), query].filter(Boolean).join("&");
    return { ...base, action, fill: () => (more === "" ? "/" : `/?${more}`) };
  }
  if (form !== "path") return undefined;
  const written = `/${subdomain === "" ? "" : `${subdomain}/`}${rest.replace(/^\/+/, "")}`;
  const parts = written.split(/\{([^{}/]+?)\+?\}/);
  return {
    ...base,
    action: undefined,
    fill: (value) => {
      let filled = "";
      for (const [index, part] of parts.entries()) {
        if (index % 2 === 0) {
          filled += part.replaceAll(/[^\u0021-\u007e]/gu, encodeURIComponent);
          continue;
        }
        const text = value(part) ?? "";
        if (text.split("/").some((segment) => segment === "." || segment === "..")) return undefined;
        filled += encodeURIComponent(text.toWellFormed()).replaceAll("%2F", "/");
      }
      return filled;
    },
  };
}
