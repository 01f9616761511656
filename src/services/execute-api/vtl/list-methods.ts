import { TemplateError } from "./errors.ts";
import { areEqual } from "./operators.ts";
import { type Run, spend, spendText } from "./run.ts";
import { textOf } from "./text.ts";
import { isList, isNumber, list, toNumber, type Value, type VtlList } from "./values.ts";

type ListMethod = (list: VtlList, args: readonly Value[], run: Run) => Value;

/** Methods of `java.util.List`; sets are lists here. `count` is AWS's: "Variables for data transformations". */
export const listMethods: ReadonlyMap<string, ListMethod> = new Map(
  Object.entries<ListMethod>({
    size: ({ items }) => items.length,
    length: ({ items }) => items.length,
    count: ({ items }) => items.length,
    isEmpty: ({ items }) => items.length === 0,
    get: ({ items }, args) => items[indexAt(items, args, items.length - 1)],
    set: ({ items }, args) => {
      const index = indexAt(items, args, items.length - 1);
      const before = items[index];
      items[index] = args[1];
      return before;
    },
    add: ({ items }, args, run) => {
      spend(run);
      if (args.length < 2) items.push(args[0]);
      else items.splice(indexAt(items, args, items.length), 0, args[1]);
      return args.length < 2 ? true : undefined;
    },
    addAll: ({ items }, args, run) => {
      const more = args.at(-1);
      if (!isList(more)) throw new TemplateError("addAll needs a list");
      spend(run, more.items.length);
      const added = more.items.slice();
      const after = args.length > 1 ? items.splice(indexAt(items, args, items.length)) : [];
      for (const item of added) items.push(item);
      for (const item of after) items.push(item);
      return added.length > 0;
    },
    remove: ({ items }, args, run) => {
      if (isNumber(args[0])) return items.splice(indexAt(items, args, items.length - 1), 1)[0];
      const index = find(items, args[0], run);
      if (index >= 0) items.splice(index, 1);
      return index >= 0;
    },
    removeAll: ({ items }, args, run) => {
      const [other] = args;
      const kept = items.filter((item) => !isList(other) || find(other.items, item, run) === -1);
      const changed = kept.length < items.length;
      items.length = 0;
      for (const item of kept) items.push(item);
      return changed;
    },
    clear: ({ items }) => {
      items.length = 0;
      return undefined;
    },
    contains: ({ items }, args, run) => find(items, args[0], run) >= 0,
    containsAll: ({ items }, args, run) => {
      const [other] = args;
      return isList(other) && other.items.every((item) => find(items, item, run) >= 0);
    },
    indexOf: ({ items }, args, run) => find(items, args[0], run),
    lastIndexOf: ({ items }, args, run) => {
      spend(run, items.length);
      return items.findLastIndex((item) => areEqual(item, args[0], run));
    },
    subList: ({ items, json }, args, run) => {
      const from = indexAt(items, args, items.length);
      const to = indexAt(items, args.slice(1), items.length);
      if (from > to) throw new TemplateError(`fromIndex(${from}) > toIndex(${to})`);
      spend(run, to - from);
      return { kind: "list", items: items.slice(from, to), json };
    },
    iterator: (whole) => whole,
    toArray: ({ items }, _args, run) => {
      spend(run, items.length);
      return list([...items]);
    },
    join: ({ items }, args, run) => spendText(run, items.map((item) => textOf(item, run)).join(textOf(args[0], run))),
  }),
);

function find(items: readonly Value[], wanted: Value, run: Run): number {
  spend(run, items.length);
  return items.findIndex((item) => areEqual(item, wanted, run));
}

/** The first argument as an index, which must not be beyond `last`. */
function indexAt(items: readonly Value[], args: readonly Value[], last: number): number {
  const [index] = args;
  if (!isNumber(index)) throw new TemplateError("An index is no number");
  const whole = Math.trunc(toNumber(index));
  if (whole < 0 || whole > last) throw new TemplateError(`Index: ${whole}, Size: ${items.length}`);
  return whole;
}
