import { TemplateError } from "./errors.ts";
import type { PathFunction } from "./json-path-parser.ts";
import { type Run, spend, spendText } from "./run.ts";
import { textOf } from "./text.ts";
import { double, isList, isNumber, toNumber, type Value } from "./values.ts";

/** The functions of JSONPath for Java, on everything that the path before has found. Throws a TemplateError for what they cannot take. */
export function applyPathFunction(name: PathFunction, value: Value, args: readonly Value[], run: Run): Value {
  switch (name) {
    case "length":
    case "size":
      if (value instanceof Map) return value.size;
      return isList(value) ? value.items.length : typeof value === "string" ? value.length : undefined;
    case "keys":
      return value instanceof Map ? { kind: "list", items: [...value.keys()], json: true } : undefined;
    case "first":
      return itemsOf(value)[0];
    case "last":
      return itemsOf(value).at(-1);
    case "index": {
      const [index] = args;
      return isNumber(index) ? itemsOf(value).at(toNumber(index)) : undefined;
    }
    case "append": {
      const items = [...itemsOf(value), ...args];
      spend(run, items.length);
      return { kind: "list", items, json: true };
    }
    case "concat":
      return spendText(run, [...(isList(value) ? value.items : []), ...args].map((item) => textOf(item, run)).join(""));
    default:
      return aggregate(name, [...itemsOf(value), ...args], run);
  }
}

function itemsOf(value: Value): readonly Value[] {
  return isList(value) ? value.items : [];
}

function aggregate(name: "min" | "max" | "avg" | "sum" | "stddev", items: readonly Value[], run: Run): Value {
  spend(run, items.length);
  const numbers = items.filter(isNumber).map(toNumber);
  if (numbers.length === 0) throw new TemplateError(`The JSONPath function ${name}() has no numbers to work on`);
  const sum = numbers.reduce((total, number) => total + number, 0);
  switch (name) {
    case "sum":
      return double(sum);
    case "avg":
      return double(sum / numbers.length);
    case "min":
      return double(numbers.reduce((least, number) => Math.min(least, number)));
    case "max":
      return double(numbers.reduce((most, number) => Math.max(most, number)));
    case "stddev": {
      const mean = sum / numbers.length;
      const squares = numbers.reduce((total, number) => total + (number - mean) ** 2, 0);
      return double(Math.sqrt(squares / numbers.length));
    }
  }
}
