import { expect, test } from "vitest";
import { fakeScope, render } from "./fake-scope.ts";
import { type GuideExample, mappingExamples, serviceExamples } from "./guide-examples.fixture.ts";
import { recordExamples } from "./guide-records.fixture.ts";
import { compileTemplate } from "./template.ts";

const examples = [...mappingExamples, ...recordExamples, ...serviceExamples];
const rows = examples.map((example): readonly [string, GuideExample] => [`${example.page}: ${example.what}`, example]);

test.each(rows)("The developer guide's example %s", (_name, { template, request, result }) => {
  const printed = render(template, request);
  // The guide indents what it prints as it likes.
  if (typeof result === "string") expect(printed.replaceAll(/\s+/g, " ").trim()).toBe(result);
  else expect(JSON.parse(printed)).toEqual(result);
});

test("The status that the guide's example overrides is 400 for an error alone", () => {
  const template = mappingExamples.find(({ page }) => page.startsWith("Override"))?.template ?? "";
  for (const [body, status] of [
    ['{"errors":[]}', 400],
    ['{"id":1}', undefined],
  ] as const) {
    const scope = fakeScope({ body });
    compileTemplate(template).render(scope);
    expect(scope.context.overrides.response.status).toBe(status);
  }
});
