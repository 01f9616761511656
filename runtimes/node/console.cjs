"use strict";
const { writeSync } = require("node:fs");
const { format } = require("node:util");
const { errorText, intoError } = require("./errors.cjs");

// Messages leave at once and in order: a function that never yields is killed with its log complete.
const messagesFd = 4;
let logFormat = "Text";
let requestId = () => undefined;
let tenantId = () => undefined;

/** Gives the console Lambda's line format: `time <tab> request id <tab> level <tab> text`, or a JSON object. */
function patchConsole(chosenFormat, currentRequestId, currentTenantId = tenantId) {
  logFormat = chosenFormat;
  requestId = currentRequestId;
  tenantId = currentTenantId;
  const least = rank[process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()] ?? rank.TRACE;
  for (const [method, level] of Object.entries(methods)) {
    console[method] =
      rank[level] < least
        ? () => {}
        : (message, ...values) =>
            writeMessage(
              logFormat === "JSON" ? jsonLine(level, message, values) : textLine(level, format(message, ...values)),
            );
  }
  // oxlint-disable-next-line no-console -- they are one and the same on AWS
  console.log = console.info;
}

const rank = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };
const methods = { trace: "TRACE", debug: "DEBUG", info: "INFO", warn: "WARN", error: "ERROR", fatal: "FATAL" };

/** A line of the runtime itself about an error. */
function logLine(level, message, error) {
  try {
    if (logFormat === "JSON") writeMessage(jsonLine(level, intoError(error), []));
    else writeMessage(textLine(level, `${message}\t${errorText(error)}`));
  } catch {
    // An error that cannot be written down must not take its function along.
  }
}

function textLine(level, text) {
  return `${new Date().toISOString()}\t${requestId()}\t${level}\t${text}`;
}

function jsonLine(level, message, values) {
  const line = { timestamp: new Date().toISOString(), level, requestId: requestId(), tenantId: tenantId() };
  if (values.length === 0) {
    try {
      return JSON.stringify({ ...line, message }, showErrors);
    } catch {
      // Circular: the text form will do.
      return JSON.stringify({ ...line, message: format(message) });
    }
  }
  line.message = format(message, ...values);
  const error = [message, ...values].find((value) => value instanceof Error);
  if (error !== undefined) Object.assign(line, describe(error));
  return JSON.stringify(line);
}

function describe(error) {
  return {
    errorType: error.constructor?.name ?? "UnknownError",
    errorMessage: error.message,
    stackTrace: typeof error.stack === "string" ? error.stack.split("\n") : [],
  };
}

function showErrors(_key, value) {
  return value instanceof Error ? { ...describe(value), ...value } : value;
}

/** Where messages go instead: worker threads have one way out, for whole messages of several threads must not mix. */
function writeTo(write) {
  redirected = write;
}

let redirected;

function writeMessage(text) {
  if (redirected !== undefined) return redirected(text);
  const bytes = Buffer.byteLength(text);
  const message = Buffer.allocUnsafe(4 + bytes);
  message.writeUInt32BE(bytes, 0);
  message.write(text, 4);
  for (let at = 0; at < message.length;) {
    try {
      at += writeSync(messagesFd, message, at);
    } catch (error) {
      if (error.code === "EAGAIN") continue;
      return;
    }
  }
}

module.exports = { patchConsole, logLine, writeMessage, writeTo };
