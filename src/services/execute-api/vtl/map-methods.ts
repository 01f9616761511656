import { TemplateError } from "./errors.ts";
import { areEqual } from "./operators.ts";
import { type Run, spend } from "./run.ts";
import { list, type Value, type VtlMap } from "./values.ts";

type MapMethod = (map: VtlMap, args: readonly Value[], run: Run) => Value;

/** Methods of `java.util.Map`. */
export const mapMethods: ReadonlyMap<string, MapMethod> = new Map(
  Object.entries<MapMethod>({
    size: (map) => map.size,
    isEmpty: (map) => map.size === 0,
    get: (map, [key]) => map.get(key),
    getOrDefault: (map, [key, otherwise]) => (map.has(key) ? map.get(key) : otherwise),
    put: (map, [key, value], run) => {
      spend(run);
      const before = map.get(key);
      map.set(key, value);
      return before;
    },
    putIfAbsent: (map, [key, value], run) => {
      spend(run);
      const before = map.get(key);
      if (before === undefined || before === null) map.set(key, value);
      return before;
    },
    putAll: (map, [more], run) => {
      if (!(more instanceof Map)) throw new TemplateError("putAll needs a map");
      spend(run, more.size);
      for (const [key, value] of more) map.set(key, value);
      return undefined;
    },
    remove: (map, [key]) => {
      const before = map.get(key);
      map.delete(key);
      return before;
    },
    clear: (map) => {
      map.clear();
      return undefined;
    },
    containsKey: (map, [key]) => map.has(key),
    containsValue: (map, [wanted], run) => {
      spend(run, map.size);
      return [...map.values()].some((value) => areEqual(value, wanted, run));
    },
    keySet: (map, _args, run) => {
      spend(run, map.size);
      return list([...map.keys()]);
    },
    values: (map, _args, run) => {
      spend(run, map.size);
      return list([...map.values()]);
    },
    entrySet: (map, _args, run) => {
      spend(run, map.size);
      return list(Array.from(map, ([key, value]): Value => ({ kind: "entry", key, value })));
    },
    // AWS: "Variables for data transformations" counts with it.
    count: (map) => map.size,
  }),
);
