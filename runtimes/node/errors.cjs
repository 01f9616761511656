"use strict";

/** An error of the runtime itself, with the name that Lambda gives it. */
function failure(name, message) {
  const error = new Error(message);
  error.name = name;
  error.stack = `${name}: ${message}${(error.stack ?? "").replace(/^.*?(?=\n|$)/su, "")}`;
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
  const document = { errorType: error.name, errorMessage: error.message };
  if (error.name === "Runtime.UnhandledPromiseRejection") {
    document.reason = isError(error.reason) ? describe(error.reason) : error.reason;
    document.promise = {};
  }
  document.trace = String(error.stack ?? "").split("\n");
  return document;
}

/** The same error as Lambda writes it to the log: `stack` in place of `trace`, and what the error carries besides. */
function errorForLog(error) {
  if (!isError(error)) return { errorType: typeof error, errorMessage: String(error), stack: [] };
  const extra = {};
  for (const name of Object.keys(error)) {
    if (name !== "name" && name !== "promise")
      extra[name] = isError(error[name]) ? errorForLog(error[name]) : error[name];
  }
  return {
    errorType: error.name,
    errorMessage: error.message,
    ...extra,
    ...(error.name === "Runtime.UnhandledPromiseRejection" ? { promise: {} } : {}),
    stack: String(error.stack ?? "").split("\n"),
  };
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

module.exports = { errorDocument, errorForLog, failure, isError };
