import { inState } from "./capacity/errors.ts";
import { aliasNotFound, functionNotFound } from "./errors.ts";
import type { CompiledFunction } from "./functions.ts";
import { functionArn, type AliasRecord, type FunctionVersion } from "./model.ts";
import { isVersionNumber } from "./names.ts";

/** The version that a qualifier stands for now. Throws ResourceNotFoundException. */
export async function resolveVersion(
  fn: CompiledFunction,
  qualifier: string | undefined,
  fraction: () => number,
): Promise<FunctionVersion> {
  const version = await fn.version(chooseVersion(fn, qualifier, fraction));
  if (!version) throw functionNotFound(functionArn(fn.place, fn.record.name, qualifier));
  return version;
}

/**
 * The version that runs when a qualifier is invoked. AWS: of functions on a capacity provider only what is published runs, and
 * without a qualifier that is `$LATEST.PUBLISHED`.
 */
export function resolveInvoked(
  fn: CompiledFunction,
  qualifier: string | undefined,
  fraction: () => number,
): Promise<FunctionVersion> {
  if (fn.record.latest.settings.capacity === undefined) return resolveVersion(fn, qualifier, fraction);
  if (qualifier === "$LATEST") return Promise.reject(inState("ActiveNonInvocable"));
  return resolveVersion(fn, qualifier ?? "$LATEST.PUBLISHED", fraction);
}

function chooseVersion(fn: CompiledFunction, qualifier: string | undefined, fraction: () => number): string {
  if (qualifier === undefined || qualifier === "$LATEST") return "$LATEST";
  if (qualifier === "$LATEST.PUBLISHED" || isVersionNumber(qualifier)) return qualifier;
  const alias = fn.aliases.get(qualifier);
  if (!alias) throw aliasNotFound(functionArn(fn.place, fn.record.name, qualifier));
  return routeAlias(alias, fraction);
}

/** Whether a qualifier stands for the same version until something changes. */
export function isFixed(fn: CompiledFunction, qualifier: string | undefined): boolean {
  const alias = qualifier === undefined ? undefined : fn.aliases.get(qualifier);
  return alias === undefined || Object.keys(alias.weights).length === 0;
}

/** An additional version gets its weight of the invocations, the main version what is left. */
export function routeAlias(alias: AliasRecord, fraction: () => number): string {
  const weights = Object.entries(alias.weights);
  if (weights.length === 0) return alias.functionVersion;
  let left = fraction();
  for (const [version, weight] of weights) {
    if (left < weight) return version;
    left -= weight;
  }
  return alias.functionVersion;
}
