"""The Python runtime inside an execution environment.

It starts without a function: it opens its listening sockets in its own network and hands them out, says that it is ready,
and waits to be told which function to become.
"""

import json
import os
import socket
import struct
import sys
import time

import _cumulet_workers
import context
import debugger
import errors
import function
import jsontext
import log
import snapshot_restore_py
from context import LambdaContext

BEGIN, INVOKE, RESTORE = 1, 2, 3
READY, INITIALIZED, INIT_ERROR, RESPONSE, ERROR = 0x81, 0x82, 0x83, 0x84, 0x85
CHANNEL_FD = 3


class Channel:
    """Frames: length, kind, body."""

    def __init__(self, source):
        self._socket = source
        self._reader = self._socket.makefile("rb", 65536)

    def receive(self):
        head = self._reader.read(5)
        if len(head) < 5:
            # The platform is gone: so is the reason to be here.
            os._exit(0)
        length, kind = struct.unpack(">IB", head)
        return kind, self._reader.read(length)

    def send(self, kind, body=b""):
        self._socket.sendall(struct.pack(">IB", len(body), kind) + body)


def hand_over_listeners():
    """Speaks as a Node.js child process does with its parent: one line of JSON with the descriptor attached."""
    wanted = os.environ.pop("CUMULET_LISTEN", "")
    descriptor = os.environ.pop("NODE_CHANNEL_FD", None)
    os.environ.pop("NODE_CHANNEL_SERIALIZATION_MODE", None)
    if not wanted or descriptor is None:
        return
    parent = socket.socket(fileno=int(descriptor))
    parent.setblocking(True)
    for entry in wanted.split(","):
        name, port = entry.split("=")
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", int(port)))
        listener.listen(511)
        message = json.dumps({"cmd": "NODE_HANDLE", "type": "net.Server", "msg": {"listener": name}}) + "\n"
        socket.send_fds(parent, [message.encode()], [listener.fileno()])
        acknowledged = b""
        while not acknowledged.endswith(b"\n"):
            chunk = parent.recv(4096)
            if not chunk:
                break
            acknowledged += chunk
        listener.close()
    parent.close()


def main():
    hand_over_listeners()
    own = socket.socket(fileno=CHANNEL_FD)
    channel = Channel(own)
    os.set_inheritable(CHANNEL_FD, False)
    os.set_inheritable(log.MESSAGES_FD, False)
    undebugged = debugger.listen()
    channel.send(READY)
    kind, body = channel.receive()
    if kind != BEGIN:
        os._exit(1)
    configuration = json.loads(body)
    become(configuration)
    if "concurrency" in configuration:
        _cumulet_workers.serve(own, configuration, lambda way: work(Channel(way), configuration, undebugged))
    work(channel, configuration, undebugged)


def work(channel, configuration, undebugged):
    """Loads the function, and runs one invocation after the other; never returns."""
    snap_start = configuration["environment"].get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"
    try:
        if undebugged is not None:
            raise errors.RuntimeFailure("Runtime.DebuggerUnavailable", undebugged)
        handler = function.load(configuration["handler"])
        if snap_start:
            # AWS: the last registered first.
            run_hooks(reversed(snapshot_restore_py.get_before_snapshot()), "Runtime.BeforeSnapshotError")
    except errors.RuntimeFailure as failure:
        fail_init(channel, failure)
    except function.LoadError as error:
        log.warn_of_unhandled()
        log.write_error(error.document)
        channel.send(INIT_ERROR, errors.encode(error.document))
        os._exit(1)
    except Exception as error:
        document = errors.describe(error, "")
        log.warn_of_unhandled()
        log.write_error(document)
        channel.send(INIT_ERROR, errors.encode(document))
        os._exit(1)
    channel.send(INITIALIZED)
    while True:
        kind, body = channel.receive()
        if kind == RESTORE and snap_start:
            restore(channel)
            continue
        if kind != INVOKE:
            os._exit(1)
        invoke(channel, handler, configuration, body)


def restore(channel):
    """What a function wants done when it has come back from its snapshot, in the order it was registered."""
    try:
        run_hooks(snapshot_restore_py.get_after_restore(), "Runtime.AfterRestoreError")
    except errors.RuntimeFailure as failure:
        fail_init(channel, failure)
    channel.send(INITIALIZED)


def fail_init(channel, failure):
    document = {"errorMessage": failure.message, "errorType": failure.error_type, "requestId": "", "stackTrace": []}
    log.write_error(document)
    channel.send(INIT_ERROR, errors.encode(document))
    os._exit(1)


def run_hooks(hooks, error_type):
    for func, args, kwargs in hooks:
        try:
            func(*args, **kwargs)
        except Exception as error:
            raise errors.RuntimeFailure(error_type, "%s: %s" % (type(error).__name__, error)) from error


def become(configuration):
    for name, value in configuration["environment"].items():
        os.environ[name] = value
    time.tzset()
    task_root, layers = configuration["taskRoot"], configuration["layersRoot"]
    version = "python%d.%d" % sys.version_info[:2]
    own = os.path.dirname(os.path.abspath(__file__))
    rest = [path for path in sys.path if path not in ("", own)]
    sys.path[:] = [
        task_root,
        os.path.join(layers, "python", "lib", version, "site-packages"),
        os.path.join(layers, "python"),
        own,
    ] + rest
    # What a function calls like one of these is its own.
    for module in (context, debugger, errors, function, jsontext, log):
        del sys.modules[module.__name__]
    extra = configuration["environment"].get("PYTHONPATH", "")
    sys.path[1:1] = [path for path in extra.split(":") if path and path not in sys.path]
    os.chdir(task_root)
    sys.argv[:] = [""]
    log.configure(configuration["logFormat"], configuration["environment"].get("AWS_LAMBDA_LOG_LEVEL"))


def invoke(channel, handler, configuration, body):
    (length,) = struct.unpack_from(">I", body)
    header = json.loads(body[4 : 4 + length])
    request_id = header["requestId"]
    log.current_request_id = request_id
    log.current_tenant_id = header.get("tenantId")
    trace_id = header.get("traceId")
    if trace_id is None:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    else:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    try:
        context = LambdaContext(configuration, header)
        try:
            event = json.loads(body[4 + length :])
        except ValueError as error:
            raise errors.RuntimeFailure("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error) from None
        if type(event) is dict and "ResponseURL" in event:
            from _cumulet_custom_resource import make_answerable

            make_answerable(event)
        answer = handler(event, context)
        try:
            payload = errors.to_payload(answer)
        except Exception as error:
            raise errors.RuntimeFailure("Runtime.MarshalError", "Unable to marshal response: %s" % error) from None
    except errors.RuntimeFailure as failure:
        document = {
            "errorMessage": failure.message,
            "errorType": failure.error_type,
            "requestId": request_id,
            "stackTrace": [],
        }
        log.write_error(document)
        sys.stdout.flush()
        channel.send(ERROR, errors.encode(document))
    except Exception as error:
        document = errors.describe(error, request_id)
        log.write_error(document)
        sys.stdout.flush()
        channel.send(ERROR, errors.encode(document))
    else:
        sys.stdout.flush()
        channel.send(RESPONSE, payload)


if __name__ == "__main__":
    main()
