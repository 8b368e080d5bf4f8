"""A line to a real server that fails on demand: what a network, a proxy or a wrong port does to a database.

with DatabaseLine(server.port) as line:
    ...                  # connect to line.port
    line.mode = "hang"   # takes effect at once, for connections that are open as well
"""

import random
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType

MEGABYTE = 1024 * 1024
_NOISE = random.Random(4).randbytes(MEGABYTE)
_ANSWERS = {
    "html": b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<!doctype html><title>Bad Request</title>",
    # ErrorResponse, as a server sends it that cannot take connections.
    "500": b"E\x00\x00\x00\x40SFATAL\x00VFATAL\x00C57P03\x00Mthe database system is shutting down\x00\x00",
    "garbage": b"\xff\x00\x1b]52;c;aGk=\x07" * 20,
    "close": b"",
}


@dataclass
class DatabaseLine:
    """Modes: `ok` (pass everything on), `hang` (accept, read, never answer), `html`, `500` (an error of the server's),
    `garbage`, `huge` (100 MB of noise), `close` (accept and hang up)."""

    target: int
    """The port of the real server."""
    _mode: str = "ok"
    _ends: set[socket.socket] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True, name="database-line").start()

    def __enter__(self) -> "DatabaseLine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.mode = "close"
        self._listener.close()

    @property
    def mode(self) -> str:
        """How it behaves."""
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        # What was let hang stays unanswered for ever: to come back means to answer new connections.
        cut = mode in ("ok", "close")
        self._mode = mode
        for end in list(self._ends) if cut else []:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:  # killed by a test
            client.close()
            return
        self._ends |= {client, server}
        with client, server:
            threading.Thread(target=self._back, args=(server, client), daemon=True).start()
            with suppress(OSError):
                while data := client.recv(65536):
                    if self._mode == "ok":
                        server.sendall(data)
                    elif self._mode != "hang":
                        self._fail(client)
                        break
        self._ends -= {client, server}

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if self._mode == "ok":
                    client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)

    def _fail(self, client: socket.socket) -> None:
        if self._mode == "huge":
            for _ in range(100):
                client.sendall(_NOISE)
        else:
            client.sendall(_ANSWERS[self._mode])
