import type { OperationModel, ServiceModel } from "./model.ts";

/** Finds the operation of a REST request. */
export interface Router {
  /**
   * @param path as sent, percent-encoded
   * @param query decoded, by name
   * @param headers by lower-case name
   */
  match(
    method: string,
    path: string,
    query: ReadonlyMap<string, readonly string[]>,
    headers: Readonly<Record<string, string>>,
  ): OperationModel | undefined;
}

interface Route {
  readonly operation: OperationModel;
  readonly segments: readonly string[];
  readonly greedyAt: number;
  /** Parameters the pattern itself names: `?uploads`, `?list-type=2`. */
  readonly literals: readonly (readonly [name: string, value: string | undefined])[];
  /**
   * Required parameters and headers. They tell operations apart that share method, path and literals (S3's UploadPart
   * and PutObject); elsewhere their absence is the operation's own error.
   */
  readonly requiredQuery: readonly string[];
  readonly requiredHeaders: readonly string[];
  readonly pattern: string;
}

export function createRouter(model: ServiceModel): Router {
  const byMethod = new Map<string, Route[]>();
  for (const operation of model.operations.values()) {
    const route = toRoute(operation);
    const routes = byMethod.get(operation.method);
    if (routes) routes.push(route);
    else byMethod.set(operation.method, [route]);
  }
  for (const routes of byMethod.values()) routes.sort(bySpecificity);

  return {
    match: (method, path, query, headers) => {
      const routes = byMethod.get(method);
      if (!routes) return undefined;
      const segments = toSegments(path);
      const id = query.get("x-id")?.[0];
      let complete: Route | undefined;
      let last: Route | undefined;
      for (const route of routes) {
        if (last && route.pattern !== last.pattern) break;
        if (!matchesPath(route, segments) || !matchesLiterals(route, query)) continue;
        // SDKs name the operation where the rest of the request does not tell it apart.
        if (route.operation.name === id) return route.operation;
        if (!complete && isComplete(route, query, headers)) complete = route;
        last = route;
      }
      // Of those that share a pattern the last asks for the least: it is the one a request with too little means.
      return (complete ?? last)?.operation;
    },
  };
}

function isComplete(
  route: Route,
  query: ReadonlyMap<string, readonly string[]>,
  headers: Readonly<Record<string, string>>,
): boolean {
  return route.requiredQuery.every((name) => query.has(name)) && route.requiredHeaders.every((name) => name in headers);
}

function toRoute(operation: OperationModel): Route {
  const [path = "/", queryText = ""] = operation.uri.split("?");
  const segments = toSegments(path);
  const literals = queryText
    .split("&")
    .filter((part) => part !== "")
    .map((part): readonly [string, string | undefined] => {
      const equals = part.indexOf("=");
      return equals < 0 ? [part, undefined] : [part.slice(0, equals), part.slice(equals + 1)];
    });
  const required = (location: string) =>
    (operation.input?.members ?? [])
      .filter((member) => member.required && member.location === location)
      .map((member) => member.locationName ?? member.name);
  return {
    operation,
    segments,
    greedyAt: segments.findIndex((segment) => segment.endsWith("+}")),
    literals,
    requiredQuery: required("querystring"),
    requiredHeaders: required("header").map((name) => name.toLowerCase()),
    pattern: `${segments.map((segment) => (segment.startsWith("{") ? (segment.endsWith("+}") ? "{+}" : "{}") : segment)).join("/")}?${queryText}`,
  };
}

/** `/a/b/` and `/a/b` are the same. */
function toSegments(path: string): string[] {
  const segments = path.split("/").slice(1);
  if (segments.at(-1) === "") segments.pop();
  return segments;
}

/** Literal before label before greedy label, segment by segment; longer first; more literals first; more required members first. */
function bySpecificity(left: Route, right: Route): number {
  const count = Math.max(left.segments.length, right.segments.length);
  for (let index = 0; index < count; index += 1) {
    const difference = rank(left.segments[index]) - rank(right.segments[index]);
    if (difference !== 0) return difference;
  }
  const literals = right.literals.length - left.literals.length;
  if (literals !== 0) return literals;
  if (left.pattern !== right.pattern) return left.pattern < right.pattern ? -1 : 1;
  const required =
    right.requiredQuery.length + right.requiredHeaders.length - left.requiredQuery.length - left.requiredHeaders.length;
  return required === 0 ? Number(left.operation.deprecated) - Number(right.operation.deprecated) : required;
}

function rank(segment: string | undefined): number {
  if (segment === undefined) return 3;
  if (!segment.startsWith("{")) return 0;
  return segment.endsWith("+}") ? 2 : 1;
}

function matchesPath(route: Route, segments: readonly string[]): boolean {
  const { segments: wanted, greedyAt } = route;
  if (greedyAt < 0 ? segments.length !== wanted.length : segments.length < wanted.length) return false;
  const tail = greedyAt < 0 ? 0 : wanted.length - greedyAt - 1;
  const head = greedyAt < 0 ? wanted.length : greedyAt;
  for (let index = 0; index < head; index += 1) {
    if (!matchesSegment(wanted[index], segments[index])) return false;
  }
  for (let index = 1; index <= tail; index += 1) {
    if (!matchesSegment(wanted[wanted.length - index], segments[segments.length - index])) return false;
  }
  return true;
}

function matchesSegment(wanted: string | undefined, segment: string | undefined): boolean {
  if (wanted === undefined || segment === undefined) return false;
  return wanted.startsWith("{") ? segment !== "" : wanted === segment;
}

function matchesLiterals(route: Route, query: ReadonlyMap<string, readonly string[]>): boolean {
  return route.literals.every(([name, value]) => {
    const values = query.get(name);
    return values !== undefined && (value === undefined || values.includes(value));
  });
}
