import type { Template } from "./document.ts";
import { evaluateCondition, type Scope } from "./evaluate.ts";
import { TemplateError } from "./template-error.ts";

/**
 * The truth of each of a template's conditions.
 *
 * @throws {TemplateError} for unknown conditions and circles
 */
export function evaluateConditions(template: Template, scope: Omit<Scope, "conditions">): ReadonlyMap<string, boolean> {
  const results = new Map<string, boolean>();
  const open = new Set<string>();
  const find = (name: string): boolean => {
    const known = results.get(name);
    if (known !== undefined) return known;
    const value = template.conditions.get(name);
    if (value === undefined) {
      throw new TemplateError(
        `Template format error: Unresolved dependencies [${name}]. Cannot reference resources in the Conditions block of the template`,
      );
    }
    if (open.has(name)) throw new TemplateError("Template format error: Circular dependencies for conditions");
    open.add(name);
    const result = evaluateCondition(value, scope, find);
    open.delete(name);
    results.set(name, result);
    return result;
  };
  for (const name of template.conditions.keys()) find(name);
  return results;
}
