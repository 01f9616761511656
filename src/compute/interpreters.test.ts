import { describe, expect, it } from "vitest";
import { choose } from "./interpreters.ts";

const python = (version: string) => ({ language: "python" as const, version, executable: `/${version}`, prefix: "/" });
const found = [python("3.13.0"), python("3.9.18"), python("3.11.2"), python("3.10.13")];

describe("the interpreter for a runtime", () => {
  it.each([
    [[3, 11], "3.11.2"],
    [[3, 12], "3.13.0"],
    [[3, 9], "3.9.18"],
    [[3, 14], undefined],
  ])("asked for as %j is %s: its own version, else the nearest newer one, never an older one", (wanted, version) => {
    expect(choose(found, wanted)?.version).toBe(version);
  });
});
