import { sub } from "./intrinsics.ts";
import { resourceProblem } from "./problems.ts";
import { policyTemplateData } from "./policy-template-data.ts";
import { display, isDict, isString, type Dict } from "./values.ts";

export const policyTemplates: ReadonlyMap<string, unknown> = new Map(Object.entries(policyTemplateData));

/** The policy document that a template makes of its parameters' values. */
export function expandPolicyTemplate(logicalId: string, name: string, values: unknown): Dict {
  if (!isDict(values)) {
    throw resourceProblem(logicalId, `Must specify valid parameter values for policy template '${name}'`);
  }
  const template = policyTemplateData[name];
  if (!template) throw new Error(`no such policy template: ${name}`);
  const missing = template.parameters.filter((parameter) => !Object.hasOwn(values, parameter)).toSorted();
  if (missing.length > 0) {
    throw resourceProblem(
      logicalId,
      `Following required parameters of template '${name}' don't have values: ${display(missing)}`,
    );
  }
  const fill = (text: string) => fillIn(text, template.parameters, values);
  return {
    Statement: template.statements.map(({ allow, single, on, when }) => ({
      Effect: "Allow",
      Action: single ? allow : allow.split(" ").flatMap(actionsOf),
      Resource: isString(on) ? fill(on) : on.map(fill),
      Condition: when ? { [when[0]]: { [when[1]]: fill(when[2]) } } : undefined,
    })),
  };
}

function actionsOf(group: string): string[] {
  const [service = "", names = ""] = group.split(":");
  return names.split(",").map((name) => `${service}:${name}`);
}

function fillIn(text: string, parameters: readonly string[], values: Dict): unknown {
  const variables: Dict = {};
  for (const [, variable = ""] of text.matchAll(/\$\{([A-Za-z0-9]+)\}/g)) {
    const parameter = parameters.find((name) => name.toLowerCase() === variable.toLowerCase());
    if (parameter !== undefined) variables[variable] = values[parameter];
  }
  if (Object.keys(variables).length > 0) return sub(text, variables);
  return text.includes("${") ? sub(text) : text;
}
