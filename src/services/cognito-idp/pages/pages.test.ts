import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sanitizeCss } from "./customization.ts";
import { html } from "./html.ts";

describe("markup", () => {
  test("holds what is put in as text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(html`<a title="${text}">${[text]}</a>`.text).not.toMatch(
          /<a title="[^"]*["<>][^"]*">[^<]*[<>][^<]*<\/a>/,
        );
      }),
    );
    const given = `"><script>alert('x')</script>&`;
    expect(html`<p title="${given}">${html`<b>${given}</b>`}</p>`.text).toBe(
      `<p title="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;"><b>&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;</b></p>`,
    );
  });
});

describe("SetUICustomization's style sheet", () => {
  test("is written anew from what is known", () => {
    const given = `.banner-customizable { background: #fff; padding: 1px 2px; } /* note */
      .submitButton-customizable:hover, .label-customizable { color: rgb(1, 2, 3) }`;
    expect(sanitizeCss(given)).toEqual({
      css: ".banner-customizable { background: #fff; padding: 1px 2px }\n.submitButton-customizable:hover, .label-customizable { color: rgb(1, 2, 3) }",
    });
  });

  test.each([
    "body { color: red }",
    ".banner-customizable input[value^=a] { color: red }",
    ".banner-customizable { background: url(https://evil.example.com/x) }",
    ".banner-customizable { background: u\\rl(x) }",
    ".banner-customizable { position: fixed }",
    ".banner-customizable { background-image: none }",
    ".banner-customizable { width: expression(alert(1)) }",
    "@import 'x'; .banner-customizable { color: red }",
    ".banner-customizable { color: red } </style><script>",
    ".banner-customizable { color: red",
    "} .banner-customizable { color: red }",
  ])("is refused with %s", (given) => {
    expect(sanitizeCss(given)).toHaveProperty("problem");
  });

  test("never loads, runs or closes anything", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ".banner-customizable",
        "{",
        "}",
        ":",
        ";",
        "color",
        "url(",
        "/*",
        "*/",
        "@import",
        "<",
        "\\",
        "red",
      ),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const found = sanitizeCss(pieces.join(" "));
        if ("css" in found) expect(found.css).not.toMatch(/url\s*\(|@|<|\\|\/\*/i);
      }),
      { numRuns: 500 },
    );
  });
});
