import { describe, expect, test } from "vitest";
import { convertRequest, convertResponse } from "./content-handling.ts";

/** "Content type conversions in API Gateway": both tables, row by row. A conversion to binary takes the text to be base 64. */
const text = Buffer.from("AP9i");
const binary = Buffer.from([0x00, 0xff, 0x62]);
const [toBinary, toText] = ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"] as const;

describe("a request's body", () => {
  test.each([
    ["Text data", "Any data type", "Undefined", undefined, "UTF8-encoded string"],
    ["Text data", "Any data type", "Undefined", toBinary, "Base64-decoded binary blob"],
    ["Text data", "Any data type", "Undefined", toText, "UTF8-encoded string"],
    ["Text data", "A text data type", "Set with matching media types", undefined, "Text data"],
    ["Text data", "A text data type", "Set with matching media types", toBinary, "Base64-decoded binary blob"],
    ["Text data", "A text data type", "Set with matching media types", toText, "Text data"],
    ["Binary data", "A binary data type", "Set with matching media types", undefined, "Binary data"],
    ["Binary data", "A binary data type", "Set with matching media types", toBinary, "Binary data"],
    ["Binary data", "A binary data type", "Set with matching media types", toText, "Base64-encoded string"],
  ] as const)("%s, Content-Type: %s, binaryMediaTypes: %s, contentHandling: %s: %s", (...row) => {
    const [payload, type, , handling, result] = row;
    const sent = payload === "Binary data" ? binary : text;
    expect(convertRequest(sent, type === "A binary data type", handling)).toEqual(results[result]);
  });
});

describe("an integration's answer", () => {
  test.each([
    ["Text or binary data", "A text type", "Undefined", undefined, "UTF8-encoded string"],
    ["Text or binary data", "A text type", "Undefined", toBinary, "Base64-decoded blob"],
    ["Text or binary data", "A text type", "Undefined", toText, "UTF8-encoded string"],
    ["Text data", "A text type", "Set with matching media types", undefined, "Text data"],
    ["Text data", "A text type", "Set with matching media types", toBinary, "Base64-decoded blob"],
    ["Text data", "A text type", "Set with matching media types", toText, "UTF8-encoded string"],
    ["Text data", "A binary type", "Set with matching media types", undefined, "Base64-decoded blob"],
    ["Text data", "A binary type", "Set with matching media types", toBinary, "Base64-decoded blob"],
    ["Text data", "A binary type", "Set with matching media types", toText, "UTF8-encoded string"],
    ["Binary data", "A text type", "Set with matching media types", undefined, "Base64-encoded string"],
    ["Binary data", "A text type", "Set with matching media types", toBinary, "Binary data"],
    ["Binary data", "A text type", "Set with matching media types", toText, "Base64-encoded string"],
    ["Binary data", "A binary type", "Set with matching media types", undefined, "Binary data"],
    ["Binary data", "A binary type", "Set with matching media types", toBinary, "Binary data"],
    ["Binary data", "A binary type", "Set with matching media types", toText, "Base64-encoded string"],
  ] as const)("%s, Accept: %s, binaryMediaTypes: %s, contentHandling: %s: %s", (...row) => {
    const [payload, accept, , handling, result] = row;
    const isBinary = payload === "Binary data";
    const answered = isBinary ? binary : text;
    expect(convertResponse(answered, isBinary, accept === "A binary type", handling)).toEqual(results[result]);
  });

  test("Binary data of an API without binary media types is text as far as it is that", () => {
    expect(convertResponse(binary, false, false, undefined)).toEqual(Buffer.from("\0\ufffdb"));
  });
});

test.each(["no base 64!", "A", "{}", "AA=A", "é"])("Text that is to be binary and is no base 64 fails: %s", (given) => {
  expect(convertRequest(Buffer.from(given), false, toBinary)).toBeUndefined();
  expect(convertResponse(Buffer.from(given), false, false, toBinary)).toBeUndefined();
  expect(convertResponse(Buffer.from(given), false, true, undefined)).toBeUndefined();
});

test.each(["", "AP9i", "AA==", "AA", "AP9i\r\nAP9i", '"AP9i"'])(
  "What is base 64 is taken, in lines and quotation marks too: %j",
  (given) => {
    expect(convertRequest(Buffer.from(given), false, toBinary)).toEqual(Buffer.from(given, "base64"));
  },
);

const results = {
  "UTF8-encoded string": text,
  "Text data": text,
  "Base64-decoded binary blob": binary,
  "Base64-decoded blob": binary,
  "Binary data": binary,
  "Base64-encoded string": text,
} as const;
