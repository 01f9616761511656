"""The function of the tests, on the official Python runtime interface client."""

import os
import time

if "FAIL_INIT" in os.environ:
    raise RuntimeError("no way to start")


def handler(event, context):
    wanted = event.get("do")
    if wanted == "fail":
        raise ValueError(event.get("text", "as asked"))
    if wanted == "wait":
        time.sleep(20)
    if wanted == "exit":
        os._exit(7)
    if wanted == "text":
        return "x" * (event["length"] - 2)
    if wanted == "count":
        return len(event["text"])
    if wanted == "context":
        return {
            "requestId": context.aws_request_id,
            "deadlineMs": time.time() * 1000 + context.get_remaining_time_in_millis(),
            "invokedFunctionArn": context.invoked_function_arn,
            "traceId": os.environ.get("_X_AMZN_TRACE_ID"),
            "clientContext": context.client_context.custom,
            "tenantId": context.tenant_id,
            "identityId": context.identity.cognito_identity_id,
            "functionName": context.function_name,
            "memoryMb": int(context.memory_limit_in_mb),
        }
    return event
