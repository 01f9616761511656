import { decodePercent } from "../../proxy/percent-decoding.ts";

/** A route to compile: `method` is `ANY` or an HTTP method, `path` a template as `/users/{id}` or `/files/{proxy+}`. */
export interface RouteDefinition<T> {
  readonly method: string;
  readonly path: string;
  readonly value: T;
}

export interface RouteMatch<T> {
  readonly value: T;
  /** Values of the path's variables, decoded, in the template's order. */
  readonly parameters: readonly string[];
}

/**
 * Finds the most specific route for a request: a literal segment goes before `{name}`, and that before `{name+}`; a
 * method before `ANY`.
 */
export interface Router<T> {
  match(method: string, path: string): RouteMatch<T> | undefined;
}

interface Leaf<T> {
  readonly methods: Map<string, T>;
}

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  variable: Node<T> | undefined;
  greedy: Leaf<T> | undefined;
  leaf: Leaf<T> | undefined;
}

const noParameters: readonly string[] = [];

/**
 * @param order `resource-first` (REST APIs): the path chooses a resource, and a method that the resource lacks is no
 *   match. `route-first` (HTTP APIs): path and method are matched together, so that a less specific path with the
 *   method wins over a more specific one without it.
 */
export function createRouter<T>(
  routes: readonly RouteDefinition<T>[],
  order: "resource-first" | "route-first",
): Router<T> {
  const literalPaths = new Map<string, Leaf<T>>();
  const root = createNode<T>();
  for (const route of routes) {
    const leaf = leafOf(root, route.path);
    leaf.methods.set(route.method, route.value);
    if (!route.path.includes("{")) literalPaths.set(route.path, leaf);
  }
  const mustHaveMethod = order === "route-first";

  return {
    match: (method, path) => {
      const literal = literalPaths.get(path);
      if (literal !== undefined) {
        const value = valueOf(literal, method);
        if (value !== undefined) return { value, parameters: noParameters };
        if (!mustHaveMethod) return undefined;
      }
      const segments = path.split("/").slice(1).map(decodePercent);
      const taken: string[] = [];
      const leaf = find(root, segments, 0, taken, (found) => !mustHaveMethod || valueOf(found, method) !== undefined);
      if (leaf === undefined) return undefined;
      const value = valueOf(leaf, method);
      return value === undefined ? undefined : { value, parameters: taken };
    },
  };
}

/** Names of a template's variables, in order: `/a/{b}/{c+}` has `b` and `c`. */
export function pathVariables(path: string): string[] {
  return path
    .split("/")
    .filter((segment) => isVariable(segment))
    .map((segment) => segment.slice(1, isGreedy(segment) ? -2 : -1));
}

function valueOf<T>(leaf: Leaf<T>, method: string): T | undefined {
  return leaf.methods.get(method) ?? leaf.methods.get("ANY");
}

function leafOf<T>(root: Node<T>, path: string): Leaf<T> {
  let node = root;
  // "/" has one empty segment, as a path of a request does.
  for (const segment of path.split("/").slice(1)) {
    if (isGreedy(segment)) return (node.greedy ??= { methods: new Map() });
    if (isVariable(segment)) {
      node = node.variable ??= createNode();
    } else {
      let next = node.literals.get(segment);
      if (next === undefined) node.literals.set(segment, (next = createNode()));
      node = next;
    }
  }
  return (node.leaf ??= { methods: new Map() });
}

// Each node of the tree is visited at the most once, so that no set of routes makes a request expensive.
function find<T>(
  node: Node<T>,
  segments: readonly string[],
  depth: number,
  taken: string[],
  accepts: (leaf: Leaf<T>) => boolean,
): Leaf<T> | undefined {
  const segment = segments[depth];
  if (segment === undefined) return node.leaf !== undefined && accepts(node.leaf) ? node.leaf : undefined;
  const literal = node.literals.get(segment);
  if (literal !== undefined) {
    const found = find(literal, segments, depth + 1, taken, accepts);
    if (found !== undefined) return found;
  }
  if (segment === "") return undefined;
  if (node.variable !== undefined) {
    taken.push(segment);
    const found = find(node.variable, segments, depth + 1, taken, accepts);
    if (found !== undefined) return found;
    taken.pop();
  }
  if (node.greedy !== undefined && accepts(node.greedy)) {
    taken.push(segments.slice(depth).join("/"));
    return node.greedy;
  }
  return undefined;
}

function createNode<T>(): Node<T> {
  return { literals: new Map(), variable: undefined, greedy: undefined, leaf: undefined };
}

function isVariable(segment: string): boolean {
  return segment.startsWith("{") && segment.endsWith("}");
}

function isGreedy(segment: string): boolean {
  return segment.startsWith("{") && segment.endsWith("+}");
}
