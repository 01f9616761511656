"""The documents that Lambda answers for errors of Python functions."""

import os
import traceback

import jsontext


class RuntimeFailure(Exception):
    """An error that the runtime finds, not the function."""

    def __init__(self, error_type, message):
        super().__init__(message)
        self.error_type = error_type
        self.message = message


def describe(error, request_id):
    """errorMessage, errorType, requestId, stackTrace: from the first frame on that is not the runtime's."""
    own = os.path.dirname(os.path.abspath(__file__)) + os.sep
    # AWS: without the marks below a line that newer versions of Python draw: four facts of a frame have none.
    frames = [(at.filename, at.lineno, at.name, at.line) for at in traceback.extract_tb(error.__traceback__)]
    while frames and frames[0][0].startswith(own):
        frames.pop(0)
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_list(frames),
    }


def to_payload(value):
    """What an invocation answers: bytes leave as they are."""
    return value if isinstance(value, bytes) else jsontext.dumps(value).encode("utf-8", "surrogatepass")


def encode(document):
    return jsontext.dumps(document).encode("utf-8", "surrogatepass")
