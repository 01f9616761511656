"""The documents that Lambda answers for errors of Python functions, and how answers become JSON."""

import json
import os
import traceback


class RuntimeFailure(Exception):
    """An error that the runtime finds, not the function."""

    def __init__(self, error_type, message):
        super().__init__(message)
        self.error_type = error_type
        self.message = message


def describe(error, request_id):
    """errorMessage, errorType, requestId, stackTrace: frames of the function alone, none of the runtime's."""
    own = os.path.dirname(os.path.abspath(__file__)) + os.sep
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(own)]
    frames = [frame for frame in frames if not frame.filename.startswith("<frozen importlib")]
    if frames and frames[0].filename.endswith(os.sep + "importlib" + os.sep + "__init__.py"):
        frames = frames[1:]
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_list(frames),
    }


def to_json(value):
    # AWS: from Python 3.12 on, text leaves as it is; before, as ASCII with escapes.
    ascii_only = os.environ.get("AWS_EXECUTION_ENV") in _ASCII_RUNTIMES
    return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


def encode(document):
    return json.dumps(document).encode()


_ASCII_RUNTIMES = {"AWS_Lambda_python3.9", "AWS_Lambda_python3.10", "AWS_Lambda_python3.11"}
