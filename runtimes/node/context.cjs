"use strict";

/** The context object of one invocation, with the members that Lambda gives it, in Lambda's order. */
function createContext(configuration, header) {
  const { deadlineMs } = header;
  const { functionVersion, functionName } = configuration;
  const ofInvocation = {
    clientContext: parseOrUndefined(header.clientContext, "ClientContext"),
    identity: parseOrUndefined(header.cognitoIdentity, "CognitoIdentity"),
    invokedFunctionArn: header.invokedFunctionArn,
    awsRequestId: header.requestId,
    tenantId: header.tenantId,
  };
  const getRemainingTimeInMillis = () => deadlineMs - Date.now();
  const memoryLimitInMB = String(configuration.memoryMb);
  const log = { logGroupName: configuration.logGroup, logStreamName: configuration.logStream };
  if (configuration.runtime === "nodejs24.x") {
    return {
      ...ofInvocation,
      xRayTraceId: header.traceId,
      getRemainingTimeInMillis,
      functionName,
      functionVersion,
      memoryLimitInMB,
      ...log,
    };
  }
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion,
    functionName,
    memoryLimitInMB,
    ...log,
    ...ofInvocation,
    getRemainingTimeInMillis,
  };
}

function parseOrUndefined(text, name) {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`Cannot parse ${name} as json: ${error}`);
  }
}

module.exports = { createContext };
