import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseProviderResponse } from "./provider-response.ts";

const subject = { stackId: "s", requestId: "r", logicalId: "L" };
const due = { StackId: "s", RequestId: "r", LogicalResourceId: "L" };
const parse = (value: unknown) => parseProviderResponse(Buffer.from(JSON.stringify(value)), subject);

test("SUCCESS gives the physical id and the data; without data there are no attributes", () => {
  expect(parse({ ...due, Status: "SUCCESS", PhysicalResourceId: "p", Data: { a: ["1"] }, NoEcho: true })).toEqual({
    status: "SUCCESS",
    physicalId: "p",
    data: { a: ["1"] },
    noEcho: true,
  });
  for (const Data of [undefined, null, ""]) {
    expect(parse({ ...due, Status: "SUCCESS", Data })).toEqual({ status: "SUCCESS", data: {}, noEcho: false });
  }
});

test("FAILED gives the reason, and the physical id where there is one", () => {
  expect(parse({ ...due, Status: "FAILED", Reason: "no", PhysicalResourceId: "p" })).toEqual({
    status: "FAILED",
    reason: "no",
    physicalId: "p",
  });
  expect(parse({ ...due, Status: "FAILED" })).toEqual({ status: "FAILED", reason: "" });
});

describe("A response is invalid", () => {
  test.each<[string, unknown, string]>([
    [
      "of another status",
      { ...due, Status: "FAILURE" },
      "Invalid Response object: 'FAILURE' is not a valid ResponseStatus",
    ],
    [
      "of another request",
      { ...due, RequestId: "x", Status: "SUCCESS" },
      "Invalid Response object: RequestId is not that of the request",
    ],
    [
      "of another stack",
      { ...due, StackId: "x", Status: "SUCCESS" },
      "Invalid Response object: StackId is not that of the request",
    ],
    [
      "of no resource",
      { StackId: "s", RequestId: "r", Status: "SUCCESS" },
      "Invalid Response object: LogicalResourceId is not that of the request",
    ],
    ["with an id that is no text", { ...due, Status: "SUCCESS", PhysicalResourceId: {} }, "Invalid PhysicalResourceId"],
    [
      "with an id of more than 1 KB",
      { ...due, Status: "SUCCESS", PhysicalResourceId: "x".repeat(1025) },
      "Invalid PhysicalResourceId",
    ],
    [
      "with data that is no object",
      { ...due, Status: "SUCCESS", PhysicalResourceId: "p", Data: [1] },
      "Invalid Response object: Data is not a JSON object",
    ],
    ["that is no object", [], "Invalid Response object: it is not a JSON object"],
    ["of more than 4 KB", { ...due, Status: "SUCCESS", Data: { a: "x".repeat(4096) } }, "Response object is too long."],
  ])("%s", (_what, value, reason) => {
    expect(parse(value)).toEqual({ status: "INVALID", reason });
  });

  test("that is not JSON, or not UTF-8", () => {
    const reason = "Invalid Response object: it is not JSON";
    expect(parseProviderResponse(Buffer.from("{"), subject)).toEqual({ status: "INVALID", reason });
    expect(parseProviderResponse(Buffer.from([0xff, 0xfe]), subject)).toEqual({ status: "INVALID", reason });
  });

  test("whatever it is, nothing is thrown", () => {
    fc.assert(fc.property(fc.uint8Array(), (body) => void parseProviderResponse(body, subject)));
    fc.assert(fc.property(fc.json(), (text) => void parseProviderResponse(Buffer.from(text), subject)));
    const members = {
      Status: fc.anything(),
      PhysicalResourceId: fc.anything(),
      Data: fc.anything(),
      Reason: fc.anything(),
    };
    fc.assert(
      fc.property(fc.record(members, { requiredKeys: [] }), (value) => {
        const text = JSON.stringify({ ...due, ...value }, (_key, each) => (typeof each === "bigint" ? 1 : each));
        parseProviderResponse(Buffer.from(text), subject);
      }),
    );
  });
});
