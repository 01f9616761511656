"use strict";

/** An error of the runtime itself, with the name that Lambda gives it. */
function failure(name, message) {
  const error = new Error(message);
  Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  error.stack = `${name}: ${message}${(error.stack ?? "").replace(/^.*?(?=\n {4}at |$)/su, "")}`;
  return error;
}

/** What Lambda answers for an error: `errorType`, `errorMessage`, `trace`, in that order. */
function errorDocument(error) {
  try {
    return Buffer.from(JSON.stringify(describe(error)));
  } catch {
    return Buffer.from(
      JSON.stringify({
        errorType: "handled",
        errorMessage:
          "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack",
        trace: [],
      }),
    );
  }
}

function describe(error) {
  if (!isError(error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return {
    errorType: escaped(error.name),
    errorMessage: escaped(error.message),
    trace: escaped(String(error.stack ?? "")).split("\n"),
  };
}

/** AWS: this one character is not let through. */
function escaped(text) {
  return typeof text === "string" ? text.replaceAll("\x7F", "%7F") : text;
}

/** AWS: what is thrown without being an error becomes one for the log. */
function intoError(thrown) {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The same error as Lambda writes it to the log: `stack` in place of `trace`, and what the error carries besides. */
function errorText(thrown) {
  const error = intoError(thrown);
  try {
    return JSON.stringify(error, (_key, value) => {
      if (!(value instanceof Error)) return value;
      const shown = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
      if (typeof value.stack === "string") shown.stack = value.stack.split("\n");
      return shown;
    });
  } catch {
    return JSON.stringify(describe(error));
  }
}

function isError(value) {
  return (
    value instanceof Error ||
    (typeof value === "object" &&
      value !== null &&
      typeof value.name === "string" &&
      typeof value.message === "string" &&
      typeof value.stack === "string")
  );
}

module.exports = { errorDocument, errorText, failure, intoError };
