"""What a Python function logs: `logging` in Lambda's line format or as JSON, and print without delay."""

import json
import logging
import os
import struct
import sys
import time
import traceback

import jsontext

# Messages leave at once and in order: a function that never yields is killed with its log complete.
MESSAGES_FD = 4
current_request_id = ""
current_tenant_id = None
_log_format = "Text"


def configure(log_format, level):
    global _log_format
    _log_format = log_format
    # AWS: every formatter speaks UTC, also those that a function makes.
    logging.Formatter.converter = time.gmtime
    handler = LambdaLoggerHandler(_Sink())
    handler.setFormatter(_JsonFormatter() if log_format == "JSON" else _TextFormatter())
    handler.addFilter(_RequestId())
    root = logging.getLogger()
    root.addHandler(handler)
    # AWS: with the JSON format the default is INFO, with text it is Python's own.
    wanted = (level or ("INFO" if log_format == "JSON" else "")).upper()
    wanted = {"TRACE": "DEBUG"}.get(wanted, wanted)
    if isinstance(logging.getLevelName(wanted), int):
        root.setLevel(wanted)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", write_through=True, line_buffering=True)


def warn_of_unhandled():
    """AWS writes this before the error of an init."""
    logging.warning(_UNHANDLED)


_UNHANDLED = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. "
    "However, in rare cases, a Lambda runtime update can cause unexpected function behavior. "
    "For functions using managed runtimes, runtime updates can be triggered by a function change, "
    "or can be applied automatically. To determine if the runtime has been updated, check the runtime version in the "
    "INIT_START log entry. If this error correlates with a change in the runtime version, you may be able to mitigate "
    "this error by temporarily rolling back to the previous runtime version. "
    "For more information, see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r"
)


def write_error(document):
    """The error of an invocation or an init, as one message."""
    if _log_format == "JSON":
        return write(jsontext.dumps({"timestamp": _now(), "level": "ERROR", **document}))
    said = ": ".join(part for part in (document["errorType"], document["errorMessage"]) if part)
    lines = ["[ERROR] %s" % said if said else "[ERROR]", "Traceback (most recent call last):"]
    for frame in document["stackTrace"]:
        lines.extend(_indent(line) for line in frame.splitlines() or [""])
    write("\n".join(lines))


def _indent(line):
    """AWS: indented by no-break spaces."""
    text = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(text)) + text


_redirected = None


def redirect(send):
    """Where messages go instead: processes that share one way out have somebody who keeps their messages whole."""
    global _redirected
    _redirected = send


def write(message):
    data = message.encode("utf-8", "backslashreplace")
    if _redirected is None:
        write_bytes(data)
    else:
        _redirected(data)


def write_bytes(data):
    data = struct.pack(">I", len(data)) + data
    while data:
        try:
            data = data[os.write(MESSAGES_FD, data) :]
        except BlockingIOError:
            continue
        except OSError:
            return


class _Sink:
    def log(self, message, frame_type=None):
        write(message)


class LambdaLoggerHandler(logging.Handler):
    """Named and made as AWS's, for libraries that look for it."""

    def __init__(self, log_sink):
        super().__init__()
        self.log_sink = log_sink

    def emit(self, record):
        try:
            self.log_sink.log(self.format(record))
        except Exception:
            self.handleError(record)


class _RequestId(logging.Filter):
    def filter(self, record):
        record.aws_request_id = current_request_id
        record.tenant_id = current_tenant_id
        return True


class _TextFormatter(logging.Formatter):
    def __init__(self):
        super().__init__(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S"
        )


class _JsonFormatter(logging.Formatter):
    def format(self, record):
        # AWS: levels of one's own count as the standard one below them.
        level = logging.getLevelName(min(50, max(0, record.levelno)) // 10 * 10)
        error = record.exc_info if record.exc_info and record.exc_info[0] is not None else None
        line = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": level,
            "message": record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(error[2]) if error else None,
            "errorType": error[0].__name__ if error else None,
            "errorMessage": str(error[1]) if error else None,
            "requestId": record.aws_request_id,
            "location": "%s:%s:%d" % (record.pathname, record.funcName, record.lineno) if error else None,
            "tenantId": record.tenant_id,
        }
        for name, value in record.__dict__.items():
            if name not in _STANDARD and name not in line:
                line[name] = value
        return json.dumps({k: v for k, v in line.items() if v is not None}, default=str, ensure_ascii=False) + "\n"


_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"aws_request_id", "tenant_id"}
# AWS: a task that has a name is named.
_STANDARD.discard("taskName")


def _now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
