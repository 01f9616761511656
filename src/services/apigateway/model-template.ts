import type { ModelRecord } from "./records.ts";

const depthMax = 12;
const nodesMax = 5000;

/**
 * A mapping template that hands on every member that a model names: what GetModelTemplate gives as a start.
 *
 * Source: the documented sample of `model:generate-template`: `#set($inputRoot = $input.path('$'))` and then the members, with a
 * loop for each array.
 */
export function sampleTemplate(model: ModelRecord, schemas: Readonly<Record<string, string>>): string {
  const state: State = { schemas, loops: 0, nodes: 0 };
  const root = parse(model.schema);
  return `#set($inputRoot = $input.path('$'))\n${write(root, root, "$inputRoot", "", 0, state)}`;
}

interface State {
  readonly schemas: Readonly<Record<string, string>>;
  loops: number;
  nodes: number;
}

function write(value: unknown, document: unknown, path: string, indent: string, depth: number, state: State): string {
  if (depth > depthMax || ++state.nodes > nodesMax) return "{}";
  const { schema, document: home } = resolve(value, document, state);
  const inner = `${indent}  `;
  const type = schema["type"];
  if (type === "array" || schema["items"] !== undefined) {
    const variable = state.loops++ === 0 ? "$elem" : `$elem${state.loops - 1}`;
    const element = write(schema["items"] ?? {}, home, variable, inner, depth + 1, state);
    return `[\n#foreach(${variable} in ${path})\n${inner}${element}#if($foreach.hasNext),#end\n#end\n${indent}]`;
  }
  const properties = Object.entries(asMembers(schema["properties"]));
  if (type === "object" || properties.length > 0) {
    if (properties.length === 0) return "{}";
    const members = properties.map(
      ([name, child]) =>
        `${inner}${JSON.stringify(name)} : ${write(child, home, `${path}.${name}`, inner, depth + 1, state)}`,
    );
    return `{\n${members.join(",\n")}\n${indent}}`;
  }
  return type === "string" || type === undefined ? `"${path}"` : path;
}

function resolve(value: unknown, document: unknown, state: State): { schema: Members; document: unknown } {
  const schema = asMembers(value);
  const reference = schema["$ref"];
  if (typeof reference !== "string") return { schema, document };
  const name = /\/models\/([A-Za-z0-9]+)$/.exec(reference)?.[1];
  if (name !== undefined) {
    const other = parse(state.schemas[name] ?? "{}");
    return { schema: asMembers(other), document: other };
  }
  let target = document;
  for (const part of reference.split("/").slice(1)) target = asMembers(target)[part];
  return { schema: asMembers(target), document };
}

type Members = Readonly<Record<string, unknown>>;

function asMembers(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function parse(schema: string): unknown {
  try {
    return JSON.parse(schema);
  } catch {
    return {};
  }
}
