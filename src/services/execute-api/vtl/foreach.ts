import { templateLimits as limits } from "./limits.ts";
import { type Run, spend } from "./run.ts";
import { type HostObject, isList, type Value } from "./values.ts";

/**
 * `#foreach`: render a body for each item of a list, or value of a map.
 *
 * AWS: 1,000 iterations at the most; as Velocity does, the loop ends there.
 */
export function renderForeach(run: Run, variable: string, source: Value, body: (run: Run) => string): string {
  const items = itemsOf(source);
  const count = Math.min(items.length, limits.foreachIterationsMax);
  const { variables } = run;
  const outer = {
    item: variables.get(variable),
    foreach: variables.get("foreach"),
    count: variables.get("velocityCount"),
  };
  const state: LoopState = { index: 0, count, parent: outer.foreach };
  const foreach = loopObject(state, run);
  let text = "";
  for (; state.index < count; state.index++) {
    spend(run);
    variables.set(variable, items[state.index]);
    variables.set("foreach", foreach);
    variables.set("velocityCount", state.index + 1);
    text += body(run);
    if (run.signal === "break") {
      run.signal = undefined;
      break;
    }
    if (run.signal === "stop") break;
  }
  variables.set(variable, outer.item);
  variables.set("foreach", outer.foreach);
  variables.set("velocityCount", outer.count);
  return text;
}

function itemsOf(source: Value): readonly Value[] {
  if (source instanceof Map) return [...source.values()];
  // What is added to a list in its loop does not prolong it.
  return isList(source) ? [...source.items] : [];
}

interface LoopState {
  index: number;
  readonly count: number;
  readonly parent: Value;
}

function loopObject(state: LoopState, run: Run): HostObject {
  const property = (name: string): Value => {
    switch (name) {
      case "index":
        return state.index;
      case "count":
        return state.index + 1;
      case "hasNext":
        return state.index + 1 < state.count;
      case "first":
        return state.index === 0;
      case "last":
        return state.index + 1 === state.count;
      case "parent":
      case "topmost":
        return state.parent;
      default:
        return undefined;
    }
  };
  return {
    kind: "host",
    property,
    call: (name) => {
      if (name === "stop") run.signal = "break";
      if (name === "hasNext") return property("hasNext");
      const named = /^(?:get|is)([A-Z]\w*)$/.exec(name)?.[1];
      return named === undefined ? undefined : property(named.charAt(0).toLowerCase() + named.slice(1));
    },
    text: () => "",
  };
}
