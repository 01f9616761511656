import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import { keys, type Export, type Place, type Stack, type StackOutput } from "../model.ts";
import { exportInUse } from "../errors.ts";
import { evaluate } from "../template/evaluate.ts";
import { TemplateError } from "../template/template-error.ts";
import type { Blueprint } from "./blueprint.ts";
import { currentValues } from "./resource-steps.ts";
import type { Run } from "./run.ts";

/** All exports of an account and region: values by name. */
export async function readExports(reader: Reader, at: Place): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  const prefix = keys.exports(at);
  for (let after = prefix, first = true; ; first = false) {
    const page = await reader.range<Export>(first ? { prefix } : { prefix, after }, { limit: 1000 });
    for (const { key, value } of page) values.set(String(key.at(-1)), value.value);
    const last = page.at(-1);
    if (page.length < 1000 || !last) return values;
    after = last.key;
  }
}

/** @throws {TemplateError} when an output is not text */
export function evaluateOutputs(run: Run, blueprint: Blueprint): StackOutput[] {
  const scope = blueprint.scope(currentValues(run.resources));
  return blueprint.outputs.map((output) => {
    const value = text(evaluate(output.value, scope));
    const exportName = output.exportName === undefined ? undefined : text(evaluate(output.exportName, scope));
    if (value === undefined) {
      throw new TemplateError(
        "Template format error: The Value field of every Outputs member must evaluate to a String.",
      );
    }
    return {
      key: output.name,
      value,
      ...(output.description !== undefined && { description: output.description }),
      ...(exportName !== undefined && { exportName }),
    };
  });
}

function text(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/**
 * Publish what a stack exports instead of what it exported before.
 *
 * @throws {TemplateError} when another stack has the name, or another stack imports what changes or goes
 */
export async function replaceExports(
  tx: Transaction,
  stack: Stack,
  before: readonly StackOutput[],
  after: readonly StackOutput[],
): Promise<void> {
  const next = new Map<string, string>();
  for (const { exportName, value } of after) {
    if (exportName === undefined) continue;
    if (next.has(exportName)) throw new TemplateError(`Template format error: Duplicate export name ${exportName}`);
    next.set(exportName, value);
  }
  for (const { exportName, value } of before) {
    if (exportName === undefined || next.get(exportName) === value) continue;
    const importers = (await readImporters(tx, stack, exportName)).join(", ");
    if (next.has(exportName)) {
      if (importers) throw new TemplateError(`Export ${exportName} cannot be updated as it is in use by ${importers}`);
    } else {
      if (importers) throw new TemplateError(`Export ${exportName} cannot be deleted as it is in use by ${importers}`);
      tx.delete(keys.export(stack, exportName));
    }
  }
  for (const [name, value] of next) {
    const existing = await tx.get<Export>(keys.export(stack, name));
    if (existing && existing.stackId !== stack.stackId) {
      throw new TemplateError(`Export with name ${name} is already exported by stack ${existing.stackName}`);
    }
    tx.set(keys.export(stack, name), { value, stackId: stack.stackId, stackName: stack.stackName } satisfies Export);
  }
}

/** Names of the stacks that import an export. */
export async function readImporters(reader: Reader, at: Place, name: string): Promise<string[]> {
  const page = await reader.range<string>({ prefix: keys.imports(at, name) }, { limit: 1000 });
  return page.map(({ value }) => value);
}

/** Refuse to delete a stack whose exports are imported. */
export async function checkExportsUnused(reader: Reader, stack: Stack): Promise<void> {
  for (const { exportName } of stack.outputs) {
    if (exportName === undefined) continue;
    const importers = await readImporters(reader, stack, exportName);
    if (importers.length > 0) throw exportInUse(exportName, importers);
  }
}

/** What a stack imports: what it is deployed with, and what it is being deployed with. */
interface Imports {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
}

/** Hold the exports that are about to be used, beside those in use. @throws {TemplateError} when one has gone */
export async function holdImports(tx: Transaction, stack: Stack, names: ReadonlySet<string>): Promise<void> {
  const held = await tx.get<Imports>(keys.importedBy(stack, stack.stackId));
  for (const name of names) {
    if (!(await tx.get(keys.export(stack, name)))) throw new TemplateError(`No export named ${name} found.`);
    tx.set(keys.import(stack, name, stack.stackId), stack.stackName);
  }
  if (names.size === 0 && !held) return;
  const imports: Imports = { applied: held?.applied ?? [], pending: [...names] };
  tx.set(keys.importedBy(stack, stack.stackId), imports);
}

/** The operation is over: keep what was pending (`applied`), what was there before (`restored`), or nothing (`deleted`). */
export async function settleImports(
  tx: Transaction,
  stack: Stack,
  outcome: "applied" | "restored" | "deleted",
): Promise<void> {
  const key = keys.importedBy(stack, stack.stackId);
  const held = await tx.get<Imports>(key);
  if (!held) return;
  const kept = outcome === "applied" ? held.pending : outcome === "restored" ? held.applied : [];
  for (const name of new Set([...held.applied, ...held.pending])) {
    if (!kept.includes(name)) tx.delete(keys.import(stack, name, stack.stackId));
  }
  if (kept.length === 0) tx.delete(key);
  else tx.set(key, { applied: kept, pending: kept } satisfies Imports);
}
