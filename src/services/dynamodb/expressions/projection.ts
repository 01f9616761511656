import { attributeOf, setAttribute, type AttributeValue, type Item } from "../values/attribute-value.ts";
import type { Path } from "./ast.ts";
import { assertApart, assertNotReserved, type BoundPath, type Placeholders } from "./placeholders.ts";

/** Which parts of an item are answered, as a tree: a leaf is the whole value. */
export interface Projection {
  readonly tree: Branch;
  readonly paths: readonly BoundPath[];
}

type Branch = Map<string | number, Branch | undefined>;

/** @throws {ExpressionError} */
export function checkProjection(paths: readonly Path[]): void {
  paths.forEach(assertNotReserved);
}

/** @throws {ExpressionError} */
export function bindProjection(paths: readonly Path[], placeholders: Placeholders): Projection {
  const bound = paths.map((path) => placeholders.path(path));
  assertApart(bound);
  return toProjection(bound);
}

export function toProjection(paths: readonly BoundPath[]): Projection {
  const tree: Branch = new Map();
  for (const path of paths) {
    let branch = tree;
    path.forEach((step, at) => {
      if (at === path.length - 1) {
        branch.set(step, undefined);
        return;
      }
      let next = branch.get(step);
      if (!next) {
        next = new Map();
        branch.set(step, next);
      }
      branch = next;
    });
  }
  return { tree, paths };
}

/** What of the item the projection keeps. Elements of lists close up. */
export function project(projection: Projection, item: Item): Item {
  return pick(projection.tree, item);
}

function pick(branch: Branch, item: Item): Item {
  const picked: Record<string, AttributeValue> = {};
  for (const [step, below] of branch) {
    const value = typeof step === "string" ? attributeOf(item, step) : undefined;
    const kept = value && (below ? pickWithin(below, value) : value);
    if (kept && typeof step === "string") setAttribute(picked, step, kept);
  }
  return picked;
}

function pickWithin(branch: Branch, value: AttributeValue): AttributeValue | undefined {
  if ("M" in value) {
    const picked = pick(branch, value.M);
    return Object.keys(picked).length > 0 ? { M: picked } : undefined;
  }
  if (!("L" in value)) return undefined;
  const kept: AttributeValue[] = [];
  value.L.forEach((each, index) => {
    if (!branch.has(index)) return;
    const below = branch.get(index);
    const part = below ? pickWithin(below, each) : each;
    if (part) kept.push(part);
  });
  return kept.length > 0 ? { L: kept } : undefined;
}
