// The function of the tests, on the official Node.js runtime interface client.
if (process.env.FAIL_INIT !== undefined) throw new RangeError("no way to start");

export async function handler(event, context) {
  switch (event.do) {
    case "fail":
      throw new TypeError(event.text ?? "as asked");
    case "wait":
      return new Promise((resolve) => setTimeout(resolve, 20_000));
    case "exit":
      return process.exit(7);
    case "text":
      return "x".repeat(event.length - 2);
    case "count":
      return event.text.length;
    case "context":
      return {
        requestId: context.awsRequestId,
        deadlineMs: Date.now() + context.getRemainingTimeInMillis(),
        invokedFunctionArn: context.invokedFunctionArn,
        traceId: process.env._X_AMZN_TRACE_ID,
        clientContext: context.clientContext.custom,
        tenantId: context.tenantId,
        identityId: context.identity.cognitoIdentityId,
        functionName: context.functionName,
        memoryMb: Number(context.memoryLimitInMB),
      };
    default:
      return event;
  }
}
