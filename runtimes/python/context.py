"""The context object of one invocation, with the members that Lambda documents."""

import json
import logging
import sys
import time

import errors


class _Fields:
    __slots__ = []

    def __init__(self, fields):
        for name in self.__slots__:
            setattr(self, name, fields.get(name))

    def __repr__(self):
        fields = ",".join("%s=%s" % (name, getattr(self, name)) for name in self.__slots__)
        return "%s([%s])" % (type(self).__name__, fields)


class CognitoIdentity(_Fields):
    __slots__ = ["cognito_identity_id", "cognito_identity_pool_id"]

    def __init__(self, fields):
        self.cognito_identity_id = fields.get("cognitoIdentityId")
        self.cognito_identity_pool_id = fields.get("cognitoIdentityPoolId")


class Client(_Fields):
    __slots__ = ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"]


class ClientContext(_Fields):
    __slots__ = ["custom", "env", "client"]

    def __init__(self, fields):
        super().__init__(fields)
        if self.client is not None:
            self.client = Client(self.client)


class LambdaContext:
    def __init__(self, configuration, header):
        self.aws_request_id = header["requestId"]
        self.log_group_name = configuration["logGroup"]
        self.log_stream_name = configuration["logStream"]
        self.function_name = configuration["functionName"]
        self.memory_limit_in_mb = str(configuration["memoryMb"])
        self.function_version = configuration["functionVersion"]
        self.invoked_function_arn = header["invokedFunctionArn"]
        client_context = _parse(header.get("clientContext"), "Client Context")
        self._w3c_fields = _take_trace_context(client_context)
        self.client_context = None if client_context is None else ClientContext(client_context)
        self.identity = CognitoIdentity(_parse(header.get("cognitoIdentity"), "Cognito Identity") or {})
        self.tenant_id = header.get("tenantId")
        self._epoch_deadline_time_in_ms = header["deadlineMs"]

    def get_remaining_time_in_millis(self):
        return max(0, int(self._epoch_deadline_time_in_ms - time.time() * 1000))

    def w3c(self):
        """The W3C trace context that came with the client context."""
        return dict(self._w3c_fields)

    def log(self, message):
        for handler in logging.getLogger().handlers:
            if hasattr(handler, "log_sink"):
                handler.log_sink.log(str(message))
                return
        sys.stdout.write(str(message))

    def __repr__(self):
        return "LambdaContext([%s])" % ",".join("%s=%s" % (name, getattr(self, name)) for name in _SHOWN)


_SHOWN = [
    "aws_request_id",
    "log_group_name",
    "log_stream_name",
    "function_name",
    "memory_limit_in_mb",
    "function_version",
    "invoked_function_arn",
    "client_context",
    "identity",
    "tenant_id",
]


def _parse(text, what):
    if not text:
        return None
    try:
        return json.loads(text)
    except Exception as error:
        message = "Unable to parse %s JSON: %s" % (what, error)
        raise errors.RuntimeFailure("Runtime.LambdaContextUnmarshalError", message) from None


def _take_trace_context(client_context):
    """AWS: functions read it through the context alone, and only these fields of it."""
    if not isinstance(client_context, dict):
        return {}
    given = client_context.pop("w3c", None)
    if not isinstance(given, dict):
        return {}
    return {name: given[name] for name in ("traceparent", "tracestate", "baggage") if isinstance(given.get(name), str)}
