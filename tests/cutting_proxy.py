"""A TCP proxy that cuts connections after so many bytes: what a bad network does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

Cut = tuple[int, int] | None
"""Bytes upward (client to server) and downward after which a connection is cut."""


class CuttingProxy:
    """Forwards to ``port`` on this machine while it is entered.

    Parameters
    ----------
    cuts
        What happens to the n-th connection, from 0; None lets it live.
    """

    def __init__(self, port: int, cuts: Callable[[int], Cut]) -> None:
        self._target = port
        self._cuts = cuts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def __enter__(self) -> CuttingProxy:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        # On Linux, closing does not wake a thread in accept; shutting down does.
        _cut(self._listener)
        self.cut_all()
        for thread in self._threads:
            thread.join(10)

    def cut_all(self) -> None:
        """Cut what is open now."""
        for end in self._open:
            _cut(end)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                cut = self._cuts(self.connections)
                self.connections += 1
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    client.close()
                    continue
                self._open += [client, server]
                up, down = cut or (None, None)
                self._start(_pump, client, server, up)
                self._start(_pump, server, client, down)


def _pump(source: socket.socket, sink: socket.socket, limit: int | None) -> None:
    with suppress(OSError):
        left = limit
        while left is None or left > 0:
            data = source.recv(4096 if left is None else min(4096, left))
            if not data:
                break
            sink.sendall(data)
            left = None if left is None else left - len(data)
    _cut(source)
    _cut(sink)


def _cut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
