"""The context object of one invocation, with the members that Lambda documents."""

import json
import time


class CognitoIdentity:
    __slots__ = ["cognito_identity_id", "cognito_identity_pool_id"]

    def __init__(self, fields):
        self.cognito_identity_id = fields.get("cognitoIdentityId")
        self.cognito_identity_pool_id = fields.get("cognitoIdentityPoolId")


class Client:
    __slots__ = ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"]

    def __init__(self, fields):
        for name in self.__slots__:
            setattr(self, name, fields.get(name))


class ClientContext:
    __slots__ = ["custom", "env", "client"]

    def __init__(self, fields):
        self.custom = fields.get("custom")
        self.env = fields.get("env")
        client = fields.get("client")
        self.client = Client(client) if isinstance(client, dict) else None


class LambdaContext:
    def __init__(self, configuration, header):
        self.aws_request_id = header["requestId"]
        self.log_group_name = configuration["logGroup"]
        self.log_stream_name = configuration["logStream"]
        self.function_name = configuration["functionName"]
        self.memory_limit_in_mb = str(configuration["memoryMb"])
        self.function_version = configuration["functionVersion"]
        self.invoked_function_arn = header["invokedFunctionArn"]
        client_context = header.get("clientContext")
        self.client_context = ClientContext(json.loads(client_context)) if client_context else None
        identity = header.get("cognitoIdentity")
        self.identity = CognitoIdentity(json.loads(identity) if identity else {})
        self.tenant_id = header.get("tenantId")
        self._epoch_deadline_time_in_ms = header["deadlineMs"]

    def get_remaining_time_in_millis(self):
        return max(0, int(self._epoch_deadline_time_in_ms - time.time() * 1000))

    def log(self, message):
        print(message, end="")

    def __repr__(self):
        names = [name for name in self.__dict__ if not name.startswith("_")]
        return "LambdaContext([%s])" % ",".join("%s=%s" % (name, getattr(self, name)) for name in names)
