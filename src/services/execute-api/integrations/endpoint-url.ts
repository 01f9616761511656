/** The URL of an HTTP endpoint, with places for path variables. */
export interface EndpointUrl {
  readonly protocol: "http:" | "https:";
  /** Without brackets. */
  readonly hostname: string;
  readonly port: string;
  /** As a Host header names it. */
  readonly host: string;
  /** What the path and its query ask for by name. */
  readonly variables: readonly string[];
  /**
   * Path and query with the variables in their places. A value goes in encoded, but for the slashes of a greedy one.
   *
   * @returns undefined for a value with a segment `.` or `..`, which an endpoint might leave the configured path by
   */
  fill(value: (name: string) => string | undefined): string | undefined;
}

const urlPattern = /^(https?):\/\/([^/?#{}]+)([^#]*)/;
const variablePattern = /\{([^{}/]+?)\+?\}/;

/**
 * Make an endpoint's URI ready, stage variables replaced.
 *
 * @returns undefined for what is no address of an HTTP endpoint
 */
export function compileEndpointUrl(uri: string, variables: Readonly<Record<string, string>>): EndpointUrl | undefined {
  // A lone surrogate, which JSON can spell, has no encoding: filling it in would throw.
  const match = urlPattern.exec(replaceStageVariables(uri, variables).toWellFormed());
  if (match === null) return undefined;
  const [, scheme = "", authority = "", rest = ""] = match;
  if (!URL.canParse(`${scheme}://${authority}`)) return undefined;
  const url = new URL(`${scheme}://${authority}`);
  if (url.username !== "" || url.password !== "" || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return undefined;
  }
  const parts = (rest.startsWith("/") ? rest : `/${rest}`).split(variablePattern);
  return {
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port,
    host: url.host,
    variables: parts.filter((_part, index) => index % 2 === 1),
    fill: (value) => {
      let filled = "";
      for (const [index, part] of parts.entries()) {
        if (index % 2 === 0) {
          filled += part.replaceAll(/[^\u0021-\u007e]/gu, encodeURIComponent);
          continue;
        }
        const text = value(part) ?? "";
        if (text.split(/[/\\]/).some((segment) => segment === "." || segment === "..")) return undefined;
        filled += encodeSegments(text);
      }
      return filled;
    },
  };
}

export function replaceStageVariables(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{stageVariables\.(\w+)\}/g, (_all, name: string) =>
    Object.hasOwn(variables, name) ? (variables[name] ?? "") : "",
  );
}

/** Encoded, slashes kept. A lone surrogate has no encoding: it becomes what UTF-8 decoders make of one. */
function encodeSegments(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll("%2F", "/");
}
