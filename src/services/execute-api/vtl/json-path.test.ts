import { describe, expect, test } from "vitest";
import { render } from "./fake-scope.ts";

const store = JSON.stringify({
  store: {
    book: [
      { category: "reference", author: "Rees", title: "Sayings", price: 8.95 },
      { category: "fiction", author: "Waugh", title: "Sword", price: 12.99 },
      { category: "fiction", author: "Melville", title: "Moby Dick", isbn: "0-553", price: 8.99 },
      { category: "fiction", author: "Tolkien", title: "The Lord", isbn: "0-395", price: 22.99, tags: ["a", "b"] },
    ],
    bicycle: { color: "red", price: 19.95, "odd name": 1, none: null },
  },
  limit: 10,
  words: ["x", "yy", "zzz"],
});

/** Source: the README of JSONPath for Java (Jayway), whose document this resembles. */
describe("JSONPath", () => {
  test.each([
    ["$.store.bicycle.color", '"red"'],
    ["store.bicycle.color", '"red"'],
    ["$['store']['bicycle'][\"odd name\"]", "1"],
    ["$.store.bicycle.none", "null"],
    ["$.store.bicycle['color','price']", '{"color":"red","price":19.95}'],
    ["$.store.book[0].title", '"Sayings"'],
    ["$.store.book[-1].title", '"The Lord"'],
    ["$.store.book[0,1].author", '["Rees","Waugh"]'],
    ["$.store.book[:2].author", '["Rees","Waugh"]'],
    ["$.store.book[1:3].author", '["Waugh","Melville"]'],
    ["$.store.book[-2:].author", '["Melville","Tolkien"]'],
    ["$.store.book[*].author", '["Rees","Waugh","Melville","Tolkien"]'],
    ["$..author", '["Rees","Waugh","Melville","Tolkien"]'],
    ["$.store..price", "[8.95,12.99,8.99,22.99,19.95]"],
    ["$..book[2].title", '["Moby Dick"]'],
    ["$.store.book[?(@.isbn)].title", '["Moby Dick","The Lord"]'],
    ["$.store.book[?(!@.isbn)].title", '["Sayings","Sword"]'],
    ["$.store.book[?(@.price < 10)].title", '["Sayings","Moby Dick"]'],
    ["$.store.book[?(@.price <= $['limit'])].title", '["Sayings","Moby Dick"]'],
    ["$.store.book[?(@.category == 'fiction' && @.price > 20 || @.author == 'Rees')].title", '["Sayings","The Lord"]'],
    ["$.store.book[?(@.author =~ /.*REES/i)].title", '["Sayings"]'],
    ["$.store.book[?(@.author in ['Rees','Waugh'])].price", "[8.95,12.99]"],
    ["$.store.book[?(@.author nin ['Rees','Waugh'])].price", "[8.99,22.99]"],
    ["$.store.book[?(@.tags contains 'a')].title", '["The Lord"]'],
    ["$.store.book[?(@.tags size 2)].title", '["The Lord"]'],
    ["$.store.book[?(@.tags subsetof ['a','b','c'])].title", '["The Lord"]'],
    ["$.store.book[?(@.title empty false)].isbn", '["0-553","0-395"]'],
    ["$.words[?(@ == 'yy')]", '["yy"]'],
    ["$.words.length()", "3"],
    ["$..price.sum()", "73.87"],
    ["$.store.book[*].price.max()", "22.99"],
    ["$.store.bicycle.keys()", '["color","price","odd name","none"]'],
    ["$.words.first()", '"x"'],
    ["$.words.last()", '"zzz"'],
    // What is nowhere: nothing for one place, an empty list for many.
    ["$.store.car", '""'],
    ["$.store.book[9]", '""'],
    ["$.store.book.title", '""'],
    ["$.store.car.color", '""'],
    ["$..car", "[]"],
    ["$.store.book[?(@.price > 100)]", "[]"],
    ["$.__proto__", '""'],
    ["$.store.constructor", '""'],
  ])("%s is %s", (path, json) => {
    const quoted = path.includes("'") ? `"${path.replaceAll('"', '""')}"` : `'${path}'`;
    // In double quotation marks what looks like a reference would be one.
    const template = quoted.startsWith('"')
      ? `#set($p = "#[[${path.replaceAll('"', '""')}]]#")$input.json($p)`
      : `$input.json(${quoted})`;
    expect(render(template, store)).toBe(json);
  });

  test.each([
    "$.",
    "$[",
    "$['a",
    "$.a[?(@.b ==)]",
    "$.a[?(]",
    "$.a[x]",
    "$..",
    "$.a b",
    "$.words.nothing()",
    "$.a[?(1)]",
  ])("%s is malformed", (path) => {
    expect(() => render(`#set($p = "#[[${path}]]#")$input.json($p)`, store)).toThrow(/JSONPath/);
  });
});
