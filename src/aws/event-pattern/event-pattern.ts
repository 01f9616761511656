import { compileLeaf, isLeafValue, type Leaf } from "./leaf.ts";
import { EventPatternError } from "./error.ts";

export { EventPatternError } from "./error.ts";

/** Whether an event (what JSON can say) is one of those that a pattern describes. Reads it, and nothing else. */
export type EventPattern = (event: unknown) => boolean;

/** Ours: how deep a pattern may nest, and how many values it may name. */
const depthMax = 100;
const valuesMax = 2_000;

/**
 * An event pattern as EventBridge, Pipes, SNS (on bodies) and Lambda's event filters have it, compiled once. Fields must all match,
 * a field matches when one of its values does, and an array in the event when one of its elements does. Documented operators:
 * prefix, suffix, equals-ignore-case, wildcard, anything-but with each of these, numeric, exists, cidr, `$or`.
 *
 * Source: EventBridge user guide, "Comparison operators for use in event patterns".
 *
 * @param text JSON
 * @throws {EventPatternError} for what is no pattern
 */
export function compileEventPattern(text: string): EventPattern {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new EventPatternError("An event pattern is JSON");
  }
  if (!isObject(parsed)) throw new EventPatternError("An event pattern is an object");
  return compileObject(parsed, { depth: 0, budget: { values: valuesMax } });
}

interface Place {
  readonly depth: number;
  readonly budget: { values: number };
}

function compileObject(pattern: Fields, place: Place): EventPattern {
  if (place.depth >= depthMax) throw new EventPatternError("An event pattern is nested too deep");
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw new EventPatternError("An object of an event pattern is not empty");
  const inside = { ...place, depth: place.depth + 1 };
  const fields = entries.map(([name, value]) => compileField(name, value, inside));
  const matches = (value: unknown): boolean => {
    // All fields of a pattern are found in one and the same element.
    if (Array.isArray(value) && value.length > 0) return value.some(matches);
    const object = isObject(value) ? value : undefined;
    return fields.every((field) => field(object));
  };
  return matches;
}

type Field = (object: Fields | undefined) => boolean;

function compileField(name: string, pattern: unknown, place: Place): Field {
  if (name === "$or" && isAlternatives(pattern)) {
    const alternatives = pattern.map((each) => compileObject(each, place));
    return (object) => alternatives.some((matches) => matches(object));
  }
  if (Array.isArray(pattern)) {
    place.budget.values -= pattern.length;
    if (place.budget.values < 0) throw new EventPatternError("An event pattern names too many values");
    const leaf = compileLeaf(pattern);
    return (object) => matchLeaf(leaf, own(object, name));
  }
  if (!isObject(pattern)) throw new EventPatternError(`"${name}" is an object or an array`);
  const matches = compileObject(pattern, place);
  return (object) => matches(own(object, name));
}

/** A key of this name is an operator only with objects to choose among: events may have fields of the name. */
function isAlternatives(pattern: unknown): pattern is readonly Fields[] {
  return Array.isArray(pattern) && pattern.length > 1 && pattern.every(isObject) && !pattern.some(isOperator);
}

function isOperator(pattern: Fields): boolean {
  const [name = "", ...others] = Object.keys(pattern);
  return others.length === 0 && ["exists", "prefix", "suffix", "numeric", "anything-but", "cidr"].includes(name);
}

function matchLeaf(leaf: Leaf, value: unknown): boolean {
  if (Array.isArray(value)) {
    const values = value.flat(Infinity).filter(isLeafValue);
    return values.length === 0 ? leaf.absent : values.some(leaf.matches);
  }
  return isLeafValue(value) ? leaf.matches(value) : leaf.absent;
}

interface Fields {
  readonly [name: string]: unknown;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(object: Fields | undefined, name: string): unknown {
  return object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;
}
