"""What a Python function logs: `logging` in Lambda's line format or as JSON, and print without delay."""

import json
import logging
import os
import struct
import sys
import time
import traceback

# Messages leave at once and in order: a function that never yields is killed with its log complete.
MESSAGES_FD = 4
current_request_id = None
current_tenant_id = None
_log_format = "Text"


def configure(log_format, level):
    global _log_format
    _log_format = log_format
    handler = _MessageHandler()
    handler.setFormatter(_JsonFormatter() if log_format == "JSON" else _TextFormatter())
    handler.addFilter(_RequestId())
    root = logging.getLogger()
    root.addHandler(handler)
    # AWS: with the JSON format the default is INFO, with text it is Python's own.
    if log_format == "JSON":
        root.setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(level or "INFO", level or "INFO"))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", write_through=True, line_buffering=True)


def write_error(document):
    """The error of an invocation or an init, as one message."""
    if _log_format == "JSON":
        line = {"timestamp": _now(), "log_level": "ERROR", **document}
        line["requestId"] = document["requestId"] or current_request_id or ""
        return write(json.dumps(line))
    lines = ["[ERROR] %s: %s\n" % (document["errorType"], document["errorMessage"])]
    if document["stackTrace"]:
        lines.append("Traceback (most recent call last):\n")
        lines.extend(document["stackTrace"])
    write("".join(lines))


def write(message):
    data = message.encode("utf-8", "backslashreplace")
    data = struct.pack(">I", len(data)) + data
    while data:
        try:
            data = data[os.write(MESSAGES_FD, data) :]
        except BlockingIOError:
            continue
        except OSError:
            return


class _MessageHandler(logging.Handler):
    def emit(self, record):
        try:
            write(self.format(record))
        except Exception:
            self.handleError(record)


class _RequestId(logging.Filter):
    def filter(self, record):
        record.aws_request_id = current_request_id
        return True


class _TextFormatter(logging.Formatter):
    converter = time.gmtime

    def __init__(self):
        super().__init__(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S"
        )


class _JsonFormatter(logging.Formatter):
    def format(self, record):
        line = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["errorType"] = record.exc_info[0].__name__
            line["errorMessage"] = str(record.exc_info[1])
            line["stackTrace"] = traceback.format_tb(record.exc_info[2])
            line["location"] = "%s:%s:%d" % (record.pathname, record.funcName, record.lineno)
        for name, value in record.__dict__.items():
            if name not in _STANDARD:
                line[name] = value
        if record.aws_request_id is not None:
            line["requestId"] = record.aws_request_id
        if current_tenant_id is not None:
            line["tenantId"] = current_tenant_id
        return json.dumps(line, default=str, ensure_ascii=False)


_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"aws_request_id", "message", "asctime", "taskName"}


def _now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
