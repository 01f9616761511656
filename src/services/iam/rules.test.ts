import { expect, test } from "vitest";
import { parseTags, requestTagContext } from "./rules.ts";

test("a tag is there for policies whatever its key", () => {
  const keys = ["__proto__", "constructor", "team"];
  const tags = parseTags(keys.map((Key) => ({ Key, Value: "x" })));
  expect(Object.keys(tags)).toEqual(keys);
  expect(requestTagContext(tags)).toMatchObject({ "aws:TagKeys": keys, "aws:RequestTag/__proto__": ["x"] });
});

test("keys that differ in case only are refused", () => {
  const sent = ["Team", "team"].map((Key) => ({ Key, Value: "x" }));
  expect(() => parseTags(sent)).toThrow("Duplicate tag keys found.");
});
