import { TemplateError } from "./errors.ts";
import { templateLimits as limits } from "./limits.ts";
import type { JsonPath } from "./json-path-parser.ts";
import type { BoundedPattern } from "./patterns.ts";
import type { Value } from "./values.ts";

/** One rendering of a template: its variables, and how much work it may still do. */
export interface Run {
  readonly variables: Map<string, Value>;
  /** Macros being expanded. */
  macroDepth: number;
  /** Of `#foreach`, `#define` and texts within texts. */
  depth: number;
  /** Regular expressions of this template, compiled; kept with the template. */
  readonly patterns: (source: string) => BoundedPattern;
  /** JSONPaths of this template, parsed; kept with the template. */
  readonly paths: (text: string) => JsonPath;
  slowPatterns: number;
  /** What `#break` and `#stop` have asked for. */
  signal: "break" | "stop" | undefined;
  steps: number;
}

/** Count work. Throws a TemplateError where a template does too much. */
export function spend(run: Run, steps = 1): void {
  run.steps += steps;
  if (run.steps > limits.stepsMax) throw new TemplateError("The template takes too long");
}

/** Count a text that has been made, and hand it on. */
export function spendText(run: Run, text: string): string {
  if (text.length > limits.outputCharactersMax) throw new TemplateError("The template makes too long a text");
  if (text.length > limits.charactersPerStep) spend(run, Math.floor(text.length / limits.charactersPerStep));
  return text;
}

/** Go one level deeper. */
export function nested<T>(run: Run, action: () => T): T {
  if (run.depth >= limits.nestingMax) throw new TemplateError("The template is nested too deep");
  run.depth++;
  try {
    return action();
  } finally {
    run.depth--;
  }
}
