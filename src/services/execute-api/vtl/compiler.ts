import type { Expression, Node, Reference, Step, Template } from "./ast.ts";
import { TemplateError } from "./errors.ts";
import { renderForeach } from "./foreach.ts";
import { templateLimits as limits } from "./limits.ts";
import { areEqual, isTrue, operate } from "./operators.ts";
import { getProperty, setProperty } from "./properties.ts";
import { callMethod } from "./methods.ts";
import { nested, type Run, spend, spendText } from "./run.ts";
import { textOf } from "./text.ts";
import { double, isNumber, list, toNumber, type Value, type VtlMap } from "./values.ts";

/** Part of a template, ready to be rendered. */
export type Render = (run: Run) => string;
type Evaluate = (run: Run) => Value;

/** What calls of macros look up; filled before anything is rendered. */
type Macros = Map<string, { readonly parameters: readonly string[]; readonly render: Render }>;

/** Make a parsed template into closures: rendering looks at no syntax any more. */
export function compileNodes(template: Template): Render {
  const macros: Macros = new Map();
  for (const [name, { parameters, body }] of template.macros) {
    macros.set(name, { parameters, render: compileBody(body, macros) });
  }
  return compileBody(template.body, macros);
}

function compileBody(nodes: readonly Node[], macros: Macros): Render {
  const renders = nodes.map((node) => compileNode(node, macros));
  const [only] = renders;
  if (only === undefined) return () => "";
  if (renders.length === 1) return only;
  return (run) => {
    let text = "";
    for (const render of renders) {
      text += render(run);
      if (run.signal !== undefined) break;
    }
    return spendText(run, text);
  };
}

function compileNode(node: Node, macros: Macros): Render {
  switch (node.kind) {
    case "text":
      return () => node.text;
    case "reference": {
      const evaluate = compileReference(node.reference, macros);
      return (run) => textOf(evaluate(run), run);
    }
    case "set":
      return compileSet(node.target, compileExpression(node.value, macros), macros);
    case "if": {
      const branches = node.branches.map(({ condition, body }) => ({
        condition: compileExpression(condition, macros),
        render: compileBody(body, macros),
      }));
      const otherwise = compileBody(node.otherwise, macros);
      return (run) => {
        spend(run);
        for (const { condition, render } of branches) if (isTrue(condition(run))) return render(run);
        return otherwise(run);
      };
    }
    case "foreach": {
      const source = compileExpression(node.source, macros);
      const body = compileBody(node.body, macros);
      return (run) => nested(run, () => renderForeach(run, node.variable, source(run), body));
    }
    case "define": {
      const body = compileBody(node.body, macros);
      const block: Value = { kind: "block", render: (run) => nested(run, () => body(run)) };
      return (run) => {
        run.variables.set(node.name, block);
        return "";
      };
    }
    case "call":
      return compileCall(node.name, node.args, node.written, macros);
    case "break":
    case "stop":
      return (run) => {
        run.signal = node.kind === "stop" ? "stop" : "break";
        return "";
      };
  }
}

/** AWS: as in Velocity 1.7, setting to nothing leaves what was there. */
function compileSet(target: Reference, value: Evaluate, macros: Macros): Render {
  const last = target.steps.at(-1);
  if (last === undefined) {
    return (run) => {
      spend(run);
      const result = value(run);
      if (result !== undefined && result !== null) run.variables.set(target.name, result);
      return "";
    };
  }
  if (last.kind === "call") throw new TemplateError("#set cannot set what a method returns");
  const owner = compileReference({ name: target.name, steps: target.steps.slice(0, -1) }, macros);
  const key: Evaluate = last.kind === "property" ? () => last.name : compileExpression(last.index, macros);
  return (run) => {
    spend(run);
    const result = value(run);
    if (result !== undefined && result !== null) setProperty(owner(run), key(run), result, run);
    return "";
  };
}

function compileCall(name: string, args: readonly Expression[], written: string, macros: Macros): Render {
  const values = args.map((argument) => compileExpression(argument, macros));
  return (run) => {
    const macro = macros.get(name);
    if (macro === undefined) return written;
    if (run.macroDepth >= limits.macroDepthMax) throw new TemplateError(`The macro ${name} calls itself too often`);
    spend(run);
    const before = macro.parameters.map((parameter) => run.variables.get(parameter));
    const given = macro.parameters.map((_parameter, index) => values[index]?.(run));
    macro.parameters.forEach((parameter, index) => run.variables.set(parameter, given[index]));
    run.macroDepth++;
    const text = nested(run, () => macro.render(run));
    run.macroDepth--;
    macro.parameters.forEach((parameter, index) => run.variables.set(parameter, before[index]));
    return text;
  };
}

function compileReference(reference: Reference, macros: Macros): Evaluate {
  const { name } = reference;
  const steps = reference.steps.map((step) => compileStep(step, macros));
  const [first, second] = steps;
  if (first === undefined) return (run) => run.variables.get(name);
  if (second === undefined) return (run) => first(run.variables.get(name), run);
  return (run) => {
    let value = run.variables.get(name);
    for (const step of steps) {
      if (value === undefined || value === null) return undefined;
      value = step(value, run);
    }
    return value;
  };
}

function compileStep(step: Step, macros: Macros): (value: Value, run: Run) => Value {
  switch (step.kind) {
    case "property":
      return (value, run) => getProperty(value, step.name, run);
    case "index": {
      const index = compileExpression(step.index, macros);
      return (value, run) => getProperty(value, index(run), run);
    }
    case "call": {
      const args = step.args.map((argument) => compileExpression(argument, macros));
      return (value, run) => {
        spend(run);
        return value === undefined || value === null
          ? undefined
          : callMethod(
              value,
              step.name,
              args.map((argument) => argument(run)),
              run,
            );
      };
    }
  }
}

function compileExpression(expression: Expression, macros: Macros): Evaluate {
  switch (expression.kind) {
    case "text":
      return () => expression.text;
    case "whole":
    case "boolean":
      return () => expression.value;
    case "double": {
      const value = double(expression.value);
      return () => value;
    }
    case "interpolated": {
      const body = compileBody(expression.body, macros);
      return (run) => spendText(run, body(run));
    }
    case "reference":
      return compileReference(expression.reference, macros);
    case "list": {
      const items = expression.items.map((item) => compileExpression(item, macros));
      return (run) => {
        spend(run, items.length);
        return list(items.map((item) => item(run)));
      };
    }
    case "range":
      return compileRange(compileExpression(expression.from, macros), compileExpression(expression.to, macros));
    case "map": {
      const members = expression.members.map(
        ([key, value]) => [compileExpression(key, macros), compileExpression(value, macros)] as const,
      );
      return (run) => {
        spend(run, members.length);
        const map: VtlMap = new Map();
        for (const [key, value] of members) map.set(key(run), value(run));
        return map;
      };
    }
    case "not": {
      const operand = compileExpression(expression.operand, macros);
      return (run) => !isTrue(operand(run));
    }
    case "binary":
      return compileBinary(expression, macros);
  }
}

function compileBinary(expression: Expression & { kind: "binary" }, macros: Macros): Evaluate {
  const { operator } = expression;
  const compileSide = operator === "==" || operator === "!=" ? compileCompared : compileExpression;
  const left = compileSide(expression.left, macros);
  const right = compileSide(expression.right, macros);
  if (operator === "&&") return (run) => isTrue(left(run)) && isTrue(right(run));
  if (operator === "||") return (run) => isTrue(left(run)) || isTrue(right(run));
  if (operator === "==") return (run) => areEqual(left(run), right(run), run);
  return (run) => {
    spend(run);
    return operate(operator, left(run), right(run), run);
  };
}

/** AWS: what `$input.path` does not find is equal to an empty text ("Create a REST API as an Amazon Kinesis proxy"). */
function compileCompared(expression: Expression, macros: Macros): Evaluate {
  const evaluate = compileExpression(expression, macros);
  if (expression.kind !== "reference" || expression.reference.name !== "input") return evaluate;
  const [step, ...more] = expression.reference.steps;
  return step?.kind === "call" && step.name === "path" && more.length === 0 ? (run) => evaluate(run) ?? "" : evaluate;
}

function compileRange(from: Evaluate, to: Evaluate): Evaluate {
  return (run) => {
    const start = from(run);
    const end = to(run);
    if (!isNumber(start) || !isNumber(end)) return undefined;
    const first = Math.trunc(toNumber(start));
    const last = Math.trunc(toNumber(end));
    const length = Math.abs(last - first) + 1;
    spend(run, length);
    const step = last < first ? -1 : 1;
    return list(Array.from({ length }, (_item, index) => first + index * step));
  };
}
