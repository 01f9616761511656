import { TemplateError } from "./errors.ts";
import { templateLimits as limits } from "./limits.ts";
import type { BoundedPattern } from "./patterns.ts";
import { type Run, spend, spendText } from "./run.ts";
import { textOf } from "./text.ts";
import { isList, isNumber, list, toNumber, type Value } from "./values.ts";

type StringMethod = (text: string, args: readonly Value[], run: Run) => Value;

/** Methods of `java.lang.String`. */
const methods: Readonly<Record<string, StringMethod>> = {
  length: (text) => text.length,
  isEmpty: (text) => text.length === 0,
  isBlank: (text) => text.trim() === "",
  charAt: (text, args) => {
    const index = wholeAt(args, 0);
    if (index < 0 || index >= text.length) throw outside(index);
    return text.charAt(index);
  },
  substring: (text, args) => {
    const from = wholeAt(args, 0);
    const to = args.length > 1 ? wholeAt(args, 1) : text.length;
    if (from < 0 || to > text.length || from > to) throw outside(from);
    return text.slice(from, to);
  },
  subSequence: (text, args) => text.slice(wholeAt(args, 0), wholeAt(args, 1)),
  indexOf: (text, args, run) => text.indexOf(textAt(args, 0, run), args.length > 1 ? wholeAt(args, 1) : 0),
  lastIndexOf: (text, args, run) =>
    text.lastIndexOf(textAt(args, 0, run), args.length > 1 ? wholeAt(args, 1) : text.length),
  contains: (text, args, run) => text.includes(textAt(args, 0, run)),
  startsWith: (text, args, run) => text.startsWith(textAt(args, 0, run), args.length > 1 ? wholeAt(args, 1) : 0),
  endsWith: (text, args, run) => text.endsWith(textAt(args, 0, run)),
  equalsIgnoreCase: (text, args, run) => text.toLowerCase() === textOf(args[0], run).toLowerCase(),
  compareTo: (text, args, run) => compare(text, textAt(args, 0, run)),
  compareToIgnoreCase: (text, args, run) => compare(text.toLowerCase(), textAt(args, 0, run).toLowerCase()),
  toLowerCase: (text, _args, run) => spendText(run, text.toLowerCase()),
  toUpperCase: (text, _args, run) => spendText(run, text.toUpperCase()),
  // eslint-disable-next-line no-control-regex -- Java's trim takes everything up to the space
  trim: (text) => text.replace(/^[\u0000-\u0020]+/, "").replace(/[\u0000-\u0020]+$/, ""),
  strip: (text) => text.trim(),
  stripLeading: (text) => text.trimStart(),
  stripTrailing: (text) => text.trimEnd(),
  concat: (text, args, run) => spendText(run, text + textAt(args, 0, run)),
  repeat: (text, args, run) => {
    const count = wholeAt(args, 0);
    if (count < 0) throw outside(count);
    if (text.length * count > limits.outputCharactersMax) throw new TemplateError("The template makes too long a text");
    return spendText(run, text.repeat(count));
  },
  replace: (text, args, run) => replaceText(text, textAt(args, 0, run), textAt(args, 1, run), run),
  replaceAll: (text, args, run) => spendText(run, patternAt(args, run, text).replace(text, textAt(args, 1, run), true)),
  replaceFirst: (text, args, run) =>
    spendText(run, patternAt(args, run, text).replace(text, textAt(args, 1, run), false)),
  matches: (text, args, run) => patternAt(args, run, text).matches(text),
  split: (text, args, run) => split(text, args, run),
  toCharArray: (text, _args, run) => {
    spend(run, text.length);
    return list(Array.from({ length: text.length }, (_character, index) => text.charAt(index)));
  },
  // Static in Java: `$text.join(",", $list)`, `$text.valueOf($x)`.
  join: (_text, args, run) => {
    const [mark, source] = args;
    const items = isList(source) ? source.items : args.slice(1);
    return spendText(run, items.map((item) => textOf(item, run)).join(textOf(mark, run)));
  },
  valueOf: (_text: string, args: readonly Value[], run: Run) => textOf(args[0], run),
};

export const stringMethods: ReadonlyMap<string, StringMethod> = new Map(Object.entries(methods));

function split(text: string, args: readonly Value[], run: Run): Value {
  const parts = patternAt(args, run, text).split(text, args.length > 1 ? wholeAt(args, 1) : 0);
  spend(run, parts.length);
  return list(parts);
}

function replaceText(text: string, from: string, to: string, run: Run): string {
  const count = from === "" ? text.length + 1 : text.split(from).length - 1;
  if (text.length + count * to.length > limits.outputCharactersMax) {
    throw new TemplateError("The template makes too long a text");
  }
  return spendText(
    run,
    text.replaceAll(from, () => to),
  );
}

function compare(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const difference = left.charCodeAt(index) - right.charCodeAt(index);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function patternAt(args: readonly Value[], run: Run, text: string): BoundedPattern {
  const pattern = run.patterns(textAt(args, 0, run));
  spend(run, Math.ceil(text.length / limits.charactersPerStep));
  if (pattern.slow && ++run.slowPatterns > limits.slowPatternsMax) {
    throw new TemplateError("The template uses too many regular expressions that may backtrack");
  }
  return pattern;
}

/** A text is demanded: what is missing makes Java throw. */
function textAt(args: readonly Value[], index: number, run: Run): string {
  const value = args[index];
  if (value === undefined || value === null) throw new TemplateError(`Argument ${index + 1} of a method is missing`);
  return textOf(value, run);
}

function wholeAt(args: readonly Value[], index: number): number {
  const value = args[index];
  if (!isNumber(value)) throw new TemplateError(`Argument ${index + 1} of a method is no number`);
  return Math.trunc(toNumber(value));
}

function outside(index: number): TemplateError {
  return new TemplateError(`String index out of range: ${index}`);
}
