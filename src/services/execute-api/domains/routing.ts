import type { IncomingHttpHeaders } from "node:http";
import type { DomainMapping, DomainRecord, RoutingRule } from "./domain.ts";

/** Which stage answers a request to a domain. */
export interface RequestTarget {
  readonly apiId: string;
  /** Absent: the path names it. */
  readonly stage: string | undefined;
  /** What the API sees: starts with `/`. */
  readonly path: string;
  /** The mapping or the rule that says so. */
  readonly matched: { readonly basePathMatched: string } | { readonly routingRuleIdMatched: string };
}

/** Undefined where the domain sends it nowhere. */
export type DomainRouting = (path: string, headers: IncomingHttpHeaders) => RequestTarget | undefined;

/** Make a domain's mappings and rules ready: a request costs a look-up for each part of its path, and each rule once. */
export function compileRouting(record: DomainRecord): DomainRouting {
  const byMappings = compileMappings(record.mappings);
  if (record.routingMode === "mappings") return byMappings;
  const byRules = compileRules(record.rules);
  if (record.routingMode === "rules") return byRules;
  return (path, headers) => byRules(path, headers) ?? byMappings(path, headers);
}

/** AWS: the longest base path wins; only whole parts of the path count, and case does. */
function compileMappings(mappings: readonly DomainMapping[]): DomainRouting {
  const byKey = new Map(mappings.map((mapping) => [mapping.key, mapping]));
  const levelsMax = Math.max(0, ...mappings.map(({ key }) => levelsOf(key)));
  return (path) => {
    const ends = endsOfParts(path, levelsMax);
    for (const end of ends.toReversed()) {
      const mapping = byKey.get(path.slice(1, end));
      if (mapping !== undefined) return targetOf(mapping, path.slice(end));
    }
    const whole = byKey.get("");
    return whole === undefined ? undefined : targetOf(whole, path);
  };
}

function targetOf({ apiId, stage, key }: DomainMapping, rest: string): RequestTarget {
  return { apiId, stage, path: rest === "" ? "/" : rest, matched: { basePathMatched: key } };
}

/** Where the first parts of a path end, at most `levelsMax` of them: `/a/b/c` has 2, 4 and 6. */
function endsOfParts(path: string, levelsMax: number): number[] {
  const ends: number[] = [];
  let at = 0;
  while (at !== -1 && ends.length < levelsMax) {
    at = path.indexOf("/", at + 1);
    ends.push(at === -1 ? path.length : at);
  }
  return ends;
}

function levelsOf(key: string): number {
  return key === "" ? 0 : key.split("/").length;
}

/** AWS: the lowest priority number first; a rule without conditions takes every request. */
function compileRules(rules: readonly RoutingRule[]): DomainRouting {
  const compiled = rules.toSorted((a, b) => a.priority - b.priority).map(compileRule);
  return (path, headers) => {
    for (const rule of compiled) {
      const target = rule(path, headers);
      if (target !== undefined) return target;
    }
    return undefined;
  };
}

function compileRule({ id, conditions, apiId, stage, stripBasePath }: RoutingRule): DomainRouting {
  const matched = { routingRuleIdMatched: id };
  const basePaths = conditions.flatMap((condition) => (condition.kind === "base-paths" ? [condition.anyOf] : []));
  const headerTests = conditions.flatMap((condition) =>
    condition.kind === "headers"
      ? [condition.anyOf.map(({ header, valueGlob }) => ({ name: header.toLowerCase(), matches: glob(valueGlob) }))]
      : [],
  );
  return (path, headers) => {
    let stripped = 0;
    for (const anyOf of basePaths) {
      const found = anyOf.find((basePath) => isBelow(path, basePath));
      if (found === undefined) return undefined;
      stripped = found.length + 1;
    }
    for (const anyOf of headerTests) {
      const holds = anyOf.some(({ name, matches }) => {
        const value = headers[name];
        return value !== undefined && matches(Array.isArray(value) ? value.join(",") : value);
      });
      if (!holds) return undefined;
    }
    const rest = stripBasePath ? path.slice(stripped) : path;
    return { apiId, stage, path: rest === "" ? "/" : rest, matched };
  };
}

function isBelow(path: string, basePath: string): boolean {
  const end = basePath.length + 1;
  return path.startsWith(basePath, 1) && (path.length === end || path[end] === "/");
}

/** AWS: a star may stand at either end, or at both: `beta*`, `*beta`, `*beta*`; case counts. */
function glob(pattern: string): (value: string) => boolean {
  const start = pattern.startsWith("*");
  const end = pattern.length > 1 && pattern.endsWith("*");
  const text = pattern.slice(start ? 1 : 0, end ? -1 : undefined);
  if (start && end) return (value) => value.includes(text);
  if (start) return (value) => value.endsWith(text);
  if (end) return (value) => value.startsWith(text);
  return (value) => value === text;
}
