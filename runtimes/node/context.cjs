"use strict";

/** The context object of one invocation, with the members that Lambda documents. */
function createContext(configuration, header) {
  const deadlineMs = header.deadlineMs;
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: configuration.functionVersion,
    functionName: configuration.functionName,
    memoryLimitInMB: String(configuration.memoryMb),
    logGroupName: configuration.logGroup,
    logStreamName: configuration.logStream,
    clientContext: parseOrUndefined(header.clientContext),
    identity: parseOrUndefined(header.cognitoIdentity),
    invokedFunctionArn: header.invokedFunctionArn,
    awsRequestId: header.requestId,
    tenantId: header.tenantId,
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
  if (configuration.runtime === "nodejs24.x") delete context.callbackWaitsForEmptyEventLoop;
  return context;
}

function parseOrUndefined(text) {
  return text === undefined ? undefined : JSON.parse(text);
}

module.exports = { createContext };
