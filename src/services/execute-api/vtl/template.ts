import { compileNodes, type Render } from "./compiler.ts";
import { type ContextValues, contextObject } from "./context-object.ts";
import { TemplateError } from "./errors.ts";
import { inputObject, stageVariablesMap, type TemplateInput } from "./input.ts";
import { createJsonPaths } from "./json-path.ts";
import { parseTemplate } from "./parser.ts";
import { createPatterns } from "./patterns.ts";
import { type Run, spendText } from "./run.ts";
import { utilObject } from "./util.ts";
import type { Value } from "./values.ts";

/** What a template sees. */
export interface TemplateScope {
  readonly input: TemplateInput;
  readonly context: ContextValues;
  readonly stageVariables: Readonly<Record<string, string>>;
}

export interface CompiledTemplate {
  /** The template's text where there is nothing in it to evaluate: it need not be rendered. */
  readonly plain: string | undefined;
  /**
   * @throws {TemplateError} for a template that is malformed or cannot be rendered: AWS's 500
   * @throws {PayloadError} for a payload that is not the JSON the template reads
   */
  render(scope: TemplateScope): string;
}

/**
 * Compile a mapping template once. One that is malformed compiles too: as on AWS, where a template is first looked at when a
 * request needs it, only rendering it fails.
 */
export function compileTemplate(text: string): CompiledTemplate {
  let render: Render;
  try {
    const template = parseTemplate(text);
    const plain = template.body.every((node) => node.kind === "text")
      ? template.body.map((node) => (node.kind === "text" ? node.text : "")).join("")
      : undefined;
    if (plain !== undefined) return { plain, render: () => plain };
    render = compileNodes(template);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    render = () => {
      throw error;
    };
  }
  const patterns = createPatterns();
  const paths = createJsonPaths();
  return {
    plain: undefined,
    render: (scope) => {
      const run: Run = {
        variables: new Map<string, Value>([
          ["input", inputObject(scope.input)],
          ["util", utilObject],
          ["context", contextObject(scope.context)],
          ["stageVariables", stageVariablesMap(scope.stageVariables)],
        ]),
        macroDepth: 0,
        depth: 0,
        patterns,
        paths,
        slowPatterns: 0,
        signal: undefined,
        steps: 0,
      };
      try {
        return spendText(run, render(run));
      } catch (error) {
        // A text too long for the engine, a recursion too deep for its stack: the template's fault, whatever it did.
        if (error instanceof RangeError) throw new TemplateError("The template takes too much");
        throw error;
      }
    },
  };
}
