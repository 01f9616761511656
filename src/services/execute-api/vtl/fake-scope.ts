import { createOverrides } from "./context-object.ts";
import { compileTemplate, type TemplateScope } from "./template.ts";
import type { Value } from "./values.ts";

/** For tests: what a template sees of a request. */
export interface FakeRequest {
  readonly body?: string;
  readonly path?: Readonly<Record<string, string>>;
  readonly querystring?: Readonly<Record<string, string>>;
  readonly header?: Readonly<Record<string, string>>;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly stageVariables?: Readonly<Record<string, string>>;
}

export function fakeScope(request: FakeRequest = {}): TemplateScope {
  const context = new Map(Object.entries(request.context ?? {}));
  return {
    input: {
      body: request.body ?? "",
      params: () => ({
        path: new Map<Value, Value>(Object.entries(request.path ?? {})),
        querystring: new Map<Value, Value>(Object.entries(request.querystring ?? {})),
        header: new Map<Value, Value>(Object.entries(request.header ?? {})),
      }),
    },
    context: { variable: (name) => context.get(name), names: () => [...context.keys()], overrides: createOverrides() },
    stageVariables: request.stageVariables ?? {},
  };
}

export function render(template: string, request: FakeRequest | string = {}): string {
  return compileTemplate(template).render(fakeScope(typeof request === "string" ? { body: request } : request));
}
