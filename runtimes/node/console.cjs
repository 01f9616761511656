"use strict";
const { writeSync } = require("node:fs");
const { format } = require("node:util");
const { errorForLog, isError } = require("./errors.cjs");

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
  const levels = {
    trace: "TRACE",
    debug: "DEBUG",
    log: "INFO",
    info: "INFO",
    warn: "WARN",
    error: "ERROR",
    fatal: "FATAL",
  };
  for (const [method, level] of Object.entries(levels)) {
    console[method] = (...values) =>
      writeMessage(logFormat === "JSON" ? jsonLine(level, values) : textLine(level, format(...values)));
  }
}

/** A line of the runtime itself about an error. */
function logLine(level, message, error) {
  try {
    if (logFormat === "JSON") writeMessage(jsonLine(level, [errorForLog(error)]));
    else writeMessage(textLine(level, `${message}\t${JSON.stringify(errorForLog(error))}`));
  } catch {
    // An error that cannot be written down must not take its function along.
  }
}

function textLine(level, text) {
  return `${new Date().toISOString()}\t${requestId()}\t${level}\t${text}`;
}

function jsonLine(level, values) {
  const line = { timestamp: new Date().toISOString(), level, requestId: requestId(), tenantId: tenantId() };
  const [only] = values;
  if (values.length === 1 && typeof only === "object" && only !== null && !isError(only)) {
    try {
      return JSON.stringify({ ...line, message: only }, replaceErrors);
    } catch {
      // Circular: the text form will do.
    }
  }
  line.message = format(...values);
  const error = values.find(isError);
  if (error !== undefined) {
    line.errorType = error.name;
    line.errorMessage = error.message;
    line.stackTrace = String(error.stack ?? "").split("\n");
  }
  return JSON.stringify(line);
}

function replaceErrors(_key, value) {
  return isError(value) ? errorForLog(value) : value;
}

function writeMessage(text) {
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

module.exports = { patchConsole, logLine };
