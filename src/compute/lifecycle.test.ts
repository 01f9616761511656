import { describe, expect, it } from "vitest";
import { createLifecycle } from "./lifecycle.ts";
import type { LifecycleEvent } from "./lifecycle.ts";

const events: readonly LifecycleEvent[] = ["next", "initError", "invoke", "response", "error", "exit"];

function after(...path: readonly LifecycleEvent[]) {
  const lifecycle = createLifecycle();
  for (const event of path) expect(lifecycle.advance(event)).toBe(true);
  return lifecycle;
}

describe("an environment's lifecycle", () => {
  it.each<[readonly LifecycleEvent[], readonly LifecycleEvent[]]>([
    [[], ["next", "initError", "exit"]],
    [["next"], ["invoke", "exit"]],
    [
      ["next", "invoke"],
      ["response", "error", "exit"],
    ],
    [
      ["next", "invoke", "response"],
      ["next", "exit"],
    ],
    [
      ["next", "invoke", "error"],
      ["next", "exit"],
    ],
    [["initError"], ["exit"]],
    [["exit"], []],
  ])("after %j allows %j and refuses everything else, staying as it is", (path, allowed) => {
    for (const event of events) {
      const lifecycle = after(...path);
      const { phase } = lifecycle;
      expect([event, lifecycle.advance(event)]).toEqual([event, allowed.includes(event)]);
      if (!allowed.includes(event)) expect(lifecycle.phase).toBe(phase);
    }
  });
});
