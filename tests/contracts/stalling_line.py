"""A TCP line to a server that can be stopped, cut, or counted."""

import os
import select
import socket
import threading
from contextlib import suppress


class StallingLine:
    """Passes bytes on in both directions, until it is told otherwise."""

    def __init__(self, host, port):
        self._host, self._port = host, port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.received = 0  # bytes that came from the server
        self._flows = threading.Event()
        self._flows.set()
        self._pairs = []
        self._left = None
        self._over = False

    def __enter__(self):
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over = True
        self._flows.set()
        self._listener.close()
        self.cut()
        self._thread.join(5)

    def stall(self):
        self._flows.clear()

    def flow(self):
        self._left = None
        self._flows.set()

    def cut(self):
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def cut_after(self, count):
        """Cuts every line once so many more bytes came from the server."""
        self._left = count

    def _server(self):
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port))
        line = socket.socket(socket.AF_UNIX)
        line.connect(os.path.join(self._host, f".s.PGSQL.{self._port}"))
        return line

    def _accept(self):
        while not self._over:
            try:
                if not select.select([self._listener], [], [], 0.2)[0]:
                    continue
                near, _ = self._listener.accept()
            except (OSError, ValueError):
                return
            far = self._server()
            self._pairs.append((near, far))
            threading.Thread(target=self._pass, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, True), daemon=True).start()

    def _pass(self, source, target, is_answer):
        try:
            while content := source.recv(65536):
                self._flows.wait()
                if is_answer:
                    self.received += len(content)
                    content = self._cut_short(content)
                target.sendall(content)
                if self._left is not None and self._left <= 0:
                    break
        except OSError:
            pass
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()

    def _cut_short(self, content):
        if self._left is None:
            return content
        kept, self._left = content[: max(self._left, 0)], self._left - len(content)
        return kept
