import { describe, expect, test } from "vitest";
import { parseStore, readConfig } from "./config.ts";

describe("--store", () => {
  test.each([undefined, "", "embedded"])("%s is the embedded store", (text) => {
    expect(parseStore(text)).toEqual({ kind: "embedded" });
  });

  test("takes the address of a PostgreSQL, goes before CUMULET_STORE, and may come from it", () => {
    const url = "postgres://u:p@db:5432/cumulet";
    expect(readConfig({ store: url }, { CUMULET_STORE: "embedded" }).store).toEqual({ kind: "postgres", url });
    expect(readConfig({}, { CUMULET_STORE: url }).store).toEqual({ kind: "postgres", url });
  });

  test.each([
    ["mysql://root:secret@db/x", "has the scheme mysql"],
    ["/var/lib/secret", "has no scheme"],
    ["postgres://u:secret#x@y/z:9:9", "no URL"],
  ])("refuses what it does not know, without repeating it: %s", (text, message) => {
    expect(() => parseStore(text)).toThrow(message);
    expect(() => parseStore(text)).not.toThrow("secret");
  });
});

test("CUMULET_SERVER_KEY must be 64 hex digits", () => {
  expect(() => readConfig({}, { CUMULET_SERVER_KEY: "secret" })).toThrow(/64 hex digits/);
  expect(() => readConfig({}, { CUMULET_SERVER_KEY: "secret" })).not.toThrow("secret");
});

describe("--workers", () => {
  test("is one unless told, by flag before variable", () => {
    expect(readConfig({}, {}).workers).toBe(1);
    expect(readConfig({}, { CUMULET_WORKERS: "3" }).workers).toBe(3);
    expect(readConfig({ workers: "2" }, { CUMULET_WORKERS: "3" }).workers).toBe(2);
  });

  test.each(["0", "129", "1.5", "-1", "many", ""])("refuses %j", (workers) => {
    expect(() => readConfig({ workers }, {})).toThrow("--workers takes a number from 1 to 128");
  });
});
