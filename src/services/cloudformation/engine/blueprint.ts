import { evaluateConditions } from "../template/conditions.ts";
import type { OutputDeclaration, ResourceDeclaration, Template } from "../template/document.ts";
import {
  evaluate,
  unresolvedCondition,
  unresolvedResource,
  type ResourceValues,
  type Scope,
} from "../template/evaluate.ts";
import { parameterValue } from "../template/parameters.ts";
import { isList, isObject, type JsonObject, type JsonValue } from "../template/parse.ts";
import { pseudoParameters } from "../template/pseudo-parameters.ts";
import { findReferences } from "../template/references.ts";
import { TemplateError } from "../template/template-error.ts";

/** A template with its parameters given: what a stack is to be made of. Values that depend on resources are still open. */
export interface Blueprint {
  readonly template: Template;
  /** Those whose condition holds, in the template's order. */
  readonly resources: ReadonlyMap<string, ResourceDeclaration>;
  readonly outputs: readonly OutputDeclaration[];
  /** Logical ids that must be there first. */
  dependencies(logicalId: string): readonly string[];
  /** Names of exports that are imported. */
  readonly imports: ReadonlySet<string>;
  scope(values: ResourceValues): Scope;
}

export interface BlueprintNeeds {
  readonly account: string;
  readonly region: string;
  readonly stackId: string;
  readonly stackName: string;
  /** Texts by name: all of the template's. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly exports: ReadonlyMap<string, string>;
}

/** @throws {TemplateError} for what can only be seen once parameters and conditions are known */
export function createBlueprint(template: Template, needs: BlueprintNeeds): Blueprint {
  const parameters = new Map<string, JsonValue>();
  for (const [name, { type }] of template.parameters) {
    parameters.set(name, parameterValue(type, needs.parameters.get(name) ?? ""));
  }
  const open = { pseudo: pseudoParameters(needs), parameters, mappings: template.mappings, exports: needs.exports };
  const conditions = evaluateConditions(template, { ...open, resources: noResources });
  const scope = (resources: ResourceValues): Scope => ({ ...open, conditions, resources });
  const holds = ({ condition }: { readonly condition: string | undefined }) =>
    condition === undefined || conditions.get(condition) === true;
  const resources = new Map<string, ResourceDeclaration>();
  for (const [name, resource] of template.resources) {
    if (holds(resource)) resources.set(name, { ...resource, properties: pruneObject(resource.properties, conditions) });
  }
  const outputs: OutputDeclaration[] = [];
  for (const output of template.outputs.values()) {
    if (holds(output)) outputs.push({ ...output, value: prune(output.value, conditions) });
  }
  const dependencies = new Map<string, readonly string[]>();
  for (const resource of resources.values()) {
    dependencies.set(resource.logicalId, activeDependencies(template, resources, resource));
  }
  for (const output of outputs) {
    const missing = namesIn([output.value, output.exportName ?? ""], template).filter((name) => !resources.has(name));
    if (missing.length > 0) throw unresolvedResource(missing, "Outputs");
  }
  return {
    template,
    resources,
    outputs,
    dependencies: (logicalId) => dependencies.get(logicalId) ?? [],
    imports: findImports(
      [...resources.values()].map((each) => each.properties),
      outputs,
      scope(noResources),
    ),
    scope,
  };
}

const noResources: ResourceValues = { ref: () => undefined, attribute: () => undefined };

/** Resources that a value names, whatever their condition. */
function namesIn(value: JsonValue, template: Template): string[] {
  const names = new Set<string>();
  for (const reference of findReferences(value)) {
    if (reference.kind !== "ref" && reference.kind !== "attribute") continue;
    if (template.resources.has(reference.name)) names.add(reference.name);
  }
  return [...names];
}

function activeDependencies(
  template: Template,
  active: ReadonlyMap<string, ResourceDeclaration>,
  resource: ResourceDeclaration,
): readonly string[] {
  const named = namesIn(resource.properties, template);
  const missing = named.filter((name) => !active.has(name));
  if (missing.length > 0) throw unresolvedResource(missing);
  // DependsOn a resource whose condition is false asks for nothing.
  return [...new Set([...named, ...resource.dependsOn.filter((name) => active.has(name))])];
}

/** Each `Fn::If` replaced by the branch that holds. */
function prune(value: JsonValue, conditions: ReadonlyMap<string, boolean>): JsonValue {
  if (isList(value)) return value.map((each) => prune(each, conditions));
  if (!isObject(value)) return value;
  const branches = value["Fn::If"];
  if (isList(branches) && Object.keys(value).length === 1) {
    const [name, whenTrue, whenFalse] = branches;
    const holds = typeof name === "string" ? conditions.get(name) : undefined;
    if (holds === undefined) throw unresolvedCondition(String(name));
    return prune((holds ? whenTrue : whenFalse) ?? null, conditions);
  }
  return pruneObject(value, conditions);
}

function pruneObject(value: JsonObject, conditions: ReadonlyMap<string, boolean>): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, prune(each, conditions)]));
}

function findImports(
  properties: readonly JsonValue[],
  outputs: readonly OutputDeclaration[],
  scope: Scope,
): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (value: JsonValue): void => {
    if (isList(value)) for (const each of value) visit(each);
    if (!isObject(value)) return;
    for (const [key, each] of Object.entries(value)) {
      visit(each);
      if (key !== "Fn::ImportValue" || Object.keys(value).length !== 1) continue;
      const name = evaluate(each, scope);
      if (typeof name !== "string") {
        throw new TemplateError(
          "Template error: the attribute in Fn::ImportValue must be a string or a function that returns a string",
        );
      }
      if (!scope.exports.has(name)) throw new TemplateError(`No export named ${name} found.`);
      names.add(name);
    }
  };
  for (const each of properties) visit(each);
  for (const output of outputs) visit(output.value);
  return names;
}
