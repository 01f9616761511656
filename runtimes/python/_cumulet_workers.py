"""Several invocations at once: processes that each load the function, behind the one channel to the platform.

The parent runs nothing of the function: it hands out invocations, and hands on answers and lines of the log. Each worker takes one
invocation at a time.
"""

import json
import os
import selectors
import socket
import struct

import errors
import log

INVOKE = 2
INITIALIZED, INIT_ERROR, RESPONSE, ERROR = 0x82, 0x83, 0x84, 0x85
SLOTS, NAMED_RESPONSE, NAMED_ERROR, LOST = 0x90, 0x91, 0x92, 0x96
# Between a worker and its parent alone.
LOG = 0x60
ANSWER_BYTES_MAX = 6_291_556


class _Frames:
    """What comes over a socket, cut into frames."""

    def __init__(self, source):
        self.socket = source
        self._data = bytearray()

    def read(self):
        """All frames that are there now; None when the other side has gone."""
        try:
            chunk = self.socket.recv(262_144)
        except ConnectionError:
            return None
        if not chunk:
            return None
        self._data += chunk
        frames = []
        while len(self._data) >= 5:
            length, kind = struct.unpack_from(">IB", self._data)
            if len(self._data) < 5 + length:
                break
            frames.append((kind, bytes(self._data[5 : 5 + length])))
            del self._data[: 5 + length]
        return frames


class _Worker(_Frames):
    def __init__(self, source, pid):
        super().__init__(source)
        self.pid = pid
        self.ready = False
        self.request_id = None


def serve(channel, configuration, work):
    """Never returns. `work(socket)` is the life of a worker: it is called in each of them, with its way to this process."""
    parent = _Parent(channel)
    for _ in range(configuration["concurrency"]["slots"]):
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            parent.forget()
            log.redirect(lambda message: _send(theirs, LOG, message))
            work(theirs)
            os._exit(0)
        theirs.close()
        parent.add(_Worker(ours, pid))
    parent.run()


class _Parent:
    def __init__(self, channel):
        self._channel = channel
        self._platform = _Frames(channel)
        self._workers = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(channel, selectors.EVENT_READ, self._platform)
        self._started = False

    def add(self, worker):
        self._workers.add(worker)
        self._selector.register(worker.socket, selectors.EVENT_READ, worker)

    def forget(self):
        """In a worker: what belongs to its parent."""
        self._selector.close()
        os.close(self._channel.detach())
        for worker in self._workers:
            worker.socket.close()

    def run(self):
        while True:
            for key, _ in self._selector.select():
                source = key.data
                frames = source.read()
                if frames is None:
                    # The platform is gone: so is the reason to be here.
                    if source is self._platform:
                        os._exit(0)
                    self._lose(source)
                    continue
                for kind, body in frames:
                    if source is self._platform:
                        self._hand_out(kind, body)
                    else:
                        self._take(source, kind, body)

    def _hand_out(self, kind, body):
        if kind != INVOKE:
            return
        (length,) = struct.unpack_from(">I", body)
        request_id = json.loads(body[4 : 4 + length])["requestId"]
        for worker in self._workers:
            if worker.ready and worker.request_id is None:
                worker.request_id = request_id
                try:
                    _send(worker.socket, INVOKE, body)
                except OSError:
                    self._lose(worker)
                return
        self._send_named(LOST, request_id)

    def _take(self, worker, kind, body):
        if kind == LOG:
            log.write_bytes(body)
        elif kind == INITIALIZED:
            worker.ready = self._started = True
            self._tell_slots()
        elif kind == INIT_ERROR:
            # The first that cannot start speaks for all: they load the same function.
            if not self._started:
                _send(self._channel, INIT_ERROR, body)
                os._exit(1)
        elif kind in (RESPONSE, ERROR) and worker.request_id is not None:
            request_id, worker.request_id = worker.request_id, None
            if len(body) > ANSWER_BYTES_MAX:
                kind, body = ERROR, errors.encode(_TOO_LARGE)
            self._send_named(NAMED_RESPONSE if kind == RESPONSE else NAMED_ERROR, request_id, body)

    def _lose(self, worker):
        if worker not in self._workers:
            return
        self._workers.remove(worker)
        self._selector.unregister(worker.socket)
        worker.socket.close()
        try:
            os.waitpid(worker.pid, 0)
        except ChildProcessError:
            pass
        if worker.request_id is not None:
            self._send_named(LOST, worker.request_id)
        # Others go on without it; with nobody left this environment is of no use.
        if not self._workers:
            os._exit(1)
        self._tell_slots()

    def _tell_slots(self):
        _send(self._channel, SLOTS, struct.pack(">I", sum(worker.ready for worker in self._workers)))

    def _send_named(self, kind, request_id, payload=b""):
        name = request_id.encode("latin-1")
        _send(self._channel, kind, bytes((len(name),)) + name + payload)


_TOO_LARGE = {
    "errorType": "Function.ResponseSizeTooLarge",
    "errorMessage": "Response payload size exceeded maximum allowed payload size (%d bytes)." % ANSWER_BYTES_MAX,
}


def _send(target, kind, body):
    target.sendall(struct.pack(">IB", len(body), kind) + body)
