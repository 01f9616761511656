import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fakeScope, render } from "./fake-scope.ts";
import { parseJson } from "./json.ts";
import { jsonText } from "./json-text.ts";
import { compileTemplate } from "./template.ts";

describe("a template that asks for too much is stopped", () => {
  test.each([
    ["a text that doubles", `#set($s = "x")#foreach($i in [1..64])#set($s = "$s$s")#end$s`, /too long/],
    [
      "loops in loops",
      "#foreach($a in [1..999])#foreach($b in [1..999])#foreach($c in [1..999])x#end#end#end",
      /too long/,
    ],
    ["a range without end", "#foreach($a in [1..999999999])x#end", /takes too long/],
    [
      "a list that holds itself twice",
      "#set($l = [])#foreach($i in [1..2])#set($x = $l.add($l))#end$l",
      /nested too deep/,
    ],
    ["a map that holds itself", "#set($m = {})#set($m.m = $m)$m", /nested too deep/],
    ["a block that holds itself", "#define($b)$b$b#end$b", /nested too deep|too/],
    ["a macro that calls itself", "#macro(m)#m()#end#m()", /calls itself/],
    [
      "a regular expression that backtracks",
      `#set($s = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")$s.matches("(a+)+")`,
      /too long/,
    ],
    ["a filter that backtracks", `$input.path('$[?(@ =~ /(a|a)+b/)]')`, /too long/],
    ["a deep document", "$input.path('$.a')", /nested too deep/],
    ["a text repeated", "#set($s = 'abc')$s.repeat(99999999)", /too long/],
    [
      "a number that grows",
      "#set($n = 9)#foreach($i in [1..40])#set($n = $n * $n)#end$util.urlEncode($n)#set($m = $n * $n)",
      undefined,
    ],
  ])("%s", (what, template, reason) => {
    const body = what === "a deep document" ? "[".repeat(1000) : `["${"a".repeat(40)}"]`;
    const started = performance.now();
    if (reason === undefined) expect(render(template, body).length).toBeLessThan(10_000);
    else expect(() => render(template, body)).toThrow(reason);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test("a loop ends after 1,000 iterations, and the template goes on", () => {
    expect(render("#foreach($x in [1..1500])$x #end.")).toMatch(/ 1000 \.$/);
  });

  test("parts nested too deep are malformed, not a crash", () => {
    for (const part of ["#if(true)", "(", "[", "$a[", '"$a.b(', "#foreach($x in [1])", "!", "{1:"]) {
      const template = part.startsWith("#") ? part.repeat(5_000) : `#set($x = ${part.repeat(5_000)}`;
      expect(() => render(template)).toThrow(expect.objectContaining({ name: "TemplateError" }));
    }
  });
});

describe("whatever is thrown at it", () => {
  const pieces = fc.constantFrom(
    ...'#set($x = |#if(|#else|#elseif(|#end|#foreach($i in |)|(|[|]|{|}|$x|${x|$!|\\|.a|.size()|.get(|\'|"|""|##|#*|*#|#[[|]]#'.split(
      "|",
    ),
    ..."$input.path('|$input.json('$|$input.params()|$util.parseJson(|$context.|#macro(m $a)|#m(|#define($d)|$d|#break|#stop".split(
      "|",
    ),
    "1",
    "-1",
    "2.5",
    "..",
    ",",
    ":",
    "==",
    "+",
    "-",
    "*",
    "/",
    "%",
    "&&",
    "||",
    "!",
    "\n",
    " ",
    "a",
    "$.a[?(@.b",
    "..c",
    "é",
  );

  test("a template renders or fails as a template", () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), fc.json(), (parts, body) => {
        try {
          compileTemplate(parts.join("")).render(fakeScope({ body, context: { stage: "s" } }));
        } catch (error) {
          expect(["TemplateError", "PayloadError"]).toContain(error instanceof Error ? error.name : error);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test("a JSONPath finds something or fails as one", () => {
    const parts = fc.constantFrom(
      "$",
      "@",
      ".",
      "..",
      "*",
      "[",
      "]",
      "'a'",
      "a",
      "?(",
      ")",
      "@.a",
      "==",
      "1",
      "-1",
      ":",
      ",",
      "&&",
      "!",
      "/a/",
      ".length()",
      "=~",
      " in ",
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), fc.json(), (path, body) => {
        try {
          render(`#set($p = "#[[${path.join("")}]]#")$input.json($p)`, body);
        } catch (error) {
          expect(["TemplateError", "PayloadError"]).toContain(error instanceof Error ? error.name : error);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("JSON is read as it was written", () => {
    const run = { variables: new Map(), macroDepth: 0, depth: 0, slowPatterns: 0, signal: undefined, steps: 0 };
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (json) => {
        const text = jsonText(parseJson(json), { ...run, patterns: unused, paths: unused }, "plain");
        expect(JSON.parse(text)).toEqual(JSON.parse(json));
      }),
    );
  });

  test("what is no JSON is refused where JSON.parse refuses it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("{", "}", "[", "]", '"', ":", ",", "1", "-", ".", "e", "\\", "a", "t", "null", " "), {
          maxLength: 10,
        }),
        (parts) => {
          const text = parts.join("");
          let refused = false;
          try {
            JSON.parse(text);
          } catch {
            refused = true;
          }
          if (refused) expect(() => parseJson(text)).toThrow(expect.objectContaining({ name: "PayloadError" }));
          else expect(() => parseJson(text)).not.toThrow();
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

function unused(): never {
  throw new Error("not needed");
}
