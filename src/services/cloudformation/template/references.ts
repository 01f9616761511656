import type { ResourceDeclaration, Template } from "./document.ts";
import { attributeReference, subForm, unresolvedCondition, unresolvedResource } from "./evaluate.ts";
import { isList, isObject, type JsonValue } from "./parse.ts";
import { isPseudoParameter } from "./pseudo-parameters.ts";
import { parseSub } from "./substitution.ts";
import { TemplateError, templateError } from "./template-error.ts";

/** One place where a value names something else. */
export type Reference =
  | { readonly kind: "ref"; readonly name: string }
  /** `attribute` is undefined when it is computed. */
  | { readonly kind: "attribute"; readonly name: string; readonly attribute: string | undefined }
  | { readonly kind: "condition"; readonly name: string }
  | { readonly kind: "dynamic"; readonly name: string };

/** Everything a value names, in order, each as often as it is named. */
export function findReferences(value: JsonValue): Reference[] {
  const found: Reference[] = [];
  collect(value, found);
  return found;
}

function collect(value: JsonValue, found: Reference[]): void {
  if (typeof value === "string") {
    const dynamic = /\{\{resolve:([^:}]+):/.exec(value);
    if (dynamic?.[1]) found.push({ kind: "dynamic", name: dynamic[1] });
    return;
  }
  if (isList(value)) {
    for (const each of value) collect(each, found);
    return;
  }
  if (!isObject(value)) return;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first && collectFunction(first[0], first[1], found)) return;
  for (const [, each] of entries) collect(each, found);
}

/** Whether the member was a function that names things in a way of its own. */
function collectFunction(name: string, argument: JsonValue, found: Reference[]): boolean {
  switch (name) {
    case "Ref":
      if (typeof argument !== "string") throw templateError("every Ref object must have a single String value.");
      found.push({ kind: "ref", name: argument });
      return true;
    case "Fn::GetAtt": {
      const [logicalId, attribute] = attributeReference(argument);
      found.push({
        kind: "attribute",
        name: logicalId,
        attribute: typeof attribute === "string" ? attribute : undefined,
      });
      if (typeof attribute !== "string") collect(attribute, found);
      return true;
    }
    case "Fn::Sub":
      collectSub(argument, found);
      return true;
    case "Fn::If":
      if (!isList(argument) || argument.length !== 3)
        throw templateError("Fn::If requires a list argument with three elements");
      if (typeof argument[0] !== "string") {
        throw templateError("Fn::If requires a list argument with the first element being a condition");
      }
      found.push({ kind: "condition", name: argument[0] });
      collect(argument.slice(1), found);
      return true;
    default:
      return false;
  }
}

function collectSub(argument: JsonValue, found: Reference[]): void {
  const [text, variables] = isList(argument) ? argument : [argument];
  if (typeof text !== "string" || (variables !== undefined && !isObject(variables))) throw subForm();
  collect(text, found);
  const own = new Set(Object.keys(variables ?? {}));
  for (const part of parseSub(text)) {
    if ("text" in part || own.has(part.variable)) continue;
    const dot = part.variable.indexOf(".");
    if (dot < 0) found.push({ kind: "ref", name: part.variable });
    else {
      const [name, attribute] = [part.variable.slice(0, dot), part.variable.slice(dot + 1)];
      found.push({ kind: "attribute", name, attribute });
    }
  }
  if (variables) collect(variables, found);
}

/**
 * Check that everything named exists, and that resources do not wait for each other in a circle.
 *
 * @throws {TemplateError} `Template format error: Unresolved resource dependencies [X] in the Resources block of the template` …
 */
export function checkReferences(template: Template): void {
  checkConditions(template);
  const missing = new Set<string>();
  for (const resource of template.resources.values()) {
    if (resource.condition !== undefined && !template.conditions.has(resource.condition)) {
      throw new TemplateError(
        `Template format error: Unresolved condition dependency ${resource.condition} in the Resources block of the template`,
      );
    }
    for (const name of resource.dependsOn) if (!template.resources.has(name)) missing.add(name);
    for (const name of missingOf(template, resource.properties)) missing.add(name);
  }
  if (missing.size > 0) throw unresolvedResource([...missing]);
  checkOutputs(template);
  const circle = findCircle(template);
  if (circle) throw new TemplateError(`Circular dependency between resources: [${circle.join(", ")}]`);
}

function checkConditions(template: Template): void {
  for (const value of template.conditions.values()) {
    for (const reference of findReferences(value)) {
      if (reference.kind === "dynamic") throw dynamicReference(reference.name);
      if (reference.kind === "condition") continue;
      if (reference.kind === "ref" && (template.parameters.has(reference.name) || isPseudoParameter(reference.name)))
        continue;
      throw new TemplateError(
        `Template format error: Unresolved dependencies [${reference.name}]. Cannot reference resources in the Conditions block of the template`,
      );
    }
  }
}

function checkOutputs(template: Template): void {
  const missing = new Set<string>();
  for (const output of template.outputs.values()) {
    if (output.condition !== undefined && !template.conditions.has(output.condition)) {
      throw new TemplateError(
        `Template format error: Unresolved condition dependency ${output.condition} in the Outputs block of the template`,
      );
    }
    for (const name of missingOf(template, [output.value, output.exportName ?? ""])) missing.add(name);
  }
  if (missing.size > 0) throw unresolvedResource([...missing], "Outputs");
}

const dynamicReference = (service: string) =>
  new TemplateError(`Dynamic references to ${service} ({{resolve:${service}:…}}) are not implemented by Cumulet`);

function missingOf(template: Template, value: JsonValue): string[] {
  const missing: string[] = [];
  for (const reference of findReferences(value)) {
    switch (reference.kind) {
      case "dynamic":
        throw dynamicReference(reference.name);
      case "condition":
        if (!template.conditions.has(reference.name)) throw unresolvedCondition(reference.name);
        break;
      case "attribute":
        if (!template.resources.has(reference.name)) {
          throw templateError(`instance of Fn::GetAtt references undefined resource ${reference.name}`);
        }
        break;
      case "ref": {
        const { name } = reference;
        if (!template.parameters.has(name) && !template.resources.has(name) && !isPseudoParameter(name))
          missing.push(name);
      }
    }
  }
  return missing;
}

/** The resources that must be there before this one: named in its properties or its DependsOn. */
export function dependenciesOf(template: Template, resource: ResourceDeclaration): string[] {
  const names = new Set(resource.dependsOn);
  for (const reference of findReferences(resource.properties)) {
    if (reference.kind === "ref" || reference.kind === "attribute") names.add(reference.name);
  }
  return [...names].filter((name) => template.resources.has(name));
}

/** The resources that are in a circle or wait for one, in the template's order; undefined when all can be ordered. */
function findCircle(template: Template): string[] | undefined {
  const waiting = new Map(
    [...template.resources.values()].map((each) => [each.logicalId, new Set(dependenciesOf(template, each))]),
  );
  let free = [...waiting].filter(([, on]) => on.size === 0).map(([name]) => name);
  const dependents = new Map<string, string[]>();
  for (const [name, on] of waiting)
    for (const each of on) dependents.set(each, [...(dependents.get(each) ?? []), name]);
  while (free.length > 0) {
    const next: string[] = [];
    for (const name of free) {
      waiting.delete(name);
      for (const dependent of dependents.get(name) ?? []) {
        const on = waiting.get(dependent);
        on?.delete(name);
        if (on?.size === 0) next.push(dependent);
      }
    }
    free = next;
  }
  if (waiting.size === 0) return undefined;
  return withoutTails(waiting, dependents);
}

/** Of what is left, drop what only waits for the circle and is waited for by nothing. */
function withoutTails(
  waiting: ReadonlyMap<string, ReadonlySet<string>>,
  dependents: ReadonlyMap<string, string[]>,
): string[] {
  const left = new Set(waiting.keys());
  for (let before = -1; before !== left.size;) {
    before = left.size;
    for (const name of left) if (!(dependents.get(name) ?? []).some((each) => left.has(each))) left.delete(name);
  }
  return [...left];
}
