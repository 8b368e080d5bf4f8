"""A server on loopback that fails in the ways a real one cannot be made to fail on demand.

    with FaultServer("hang") as server:
        ...                      # ask server.url
        server.mode = "ok"       # takes effect with the next request

Modes: `ok` (a JSON answer), `hang` (accept, read, never answer), `html`, `500`, `502`, `garbage` (bytes, as JSON by its
header), `text`, `huge` (100 MB of JSON that does not end), `noise` (100 MB of garbage), `trickle` (a byte a while),
`redirect` (to a login page), `401` (unless the `Authorization` header is `authorization`), `403`, `405` (refuse POST),
`close` (accept and hang up), `cut` (hang up in the middle of the answer), `not-http`.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType

VECTOR = {"resultType": "vector", "result": [{"metric": {"__name__": "up", "job": "a"}, "value": [1700000000.5, "1"]}]}
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


Answer = Callable[[Request], tuple[int, str, bytes]]


def success(data: object = VECTOR, **more: object) -> bytes:
    """A good answer of the Prometheus API."""
    return json.dumps({"status": "success", "data": data, **more}).encode()


def _usual(_request: Request) -> tuple[int, str, bytes]:
    return 200, "application/json", success()


@dataclass
class FaultServer:
    """Listens from creation to `stop`, or within `with`. Everything but its address may change while it runs."""

    mode: str = "ok"
    answer: Answer = _usual
    """(status, content type, body) in the modes `ok`, `401`, `405`."""
    authorization: str = "Bearer good"
    pause: float = 0.05
    """Seconds between the bytes of `trickle`."""
    requests: list[Request] = field(default_factory=list)
    hung_up: int = 0
    """Clients that went away before they had their answer."""
    sent: int = 0
    """Bytes written in `huge` and `noise`."""

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True, name="fault-server").start()

    def __enter__(self) -> "FaultServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close everything; the port refuses connections from here on."""
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def wait_for(self, condition: Callable[["FaultServer"], bool], timeout: float = 30.0) -> None:
        """Block until `condition` holds, for example `lambda server: server.hung_up == 1`; fail after `timeout`."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self), timeout), f"not within {timeout} s: {self!r}"

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._connections.add(connection)
        with connection, suppress(OSError):
            connection.settimeout(30)
            while self.mode != "close" and (request := _read_request(connection)) is not None:
                with self._changed:
                    self.requests.append(request)
                    self._changed.notify_all()
                if not self._respond(connection, request):
                    break
        self._connections.discard(connection)

    def _respond(self, connection: socket.socket, request: Request) -> bool:
        """Whether the connection stays open."""
        match self.mode:
            case "hang":
                self._await_hang_up(connection)
                return False
            case "huge":
                self._flood(connection, b'{"status":"success","data":"', b"x" * MEGABYTE)
                return False
            case "noise":
                self._flood(connection, b"", bytes(range(128, 256)) * (MEGABYTE // 128))
                return False
            case "trickle":
                self._trickle(connection)
                return False
            case "cut":
                connection.sendall(_head(200, "application/json", 1000) + b'{"status":')
                return False
            case "not-http":
                connection.sendall(b"-ERR unknown command\r\n\r\n")
                return False
            case _:
                status, content_type, body = self._answer_to(request)
                extra = "Location: http://login.example/sso?next=%2F&token=x\r\n" if self.mode == "redirect" else ""
                connection.sendall(_head(status, content_type, len(body), extra) + body)
                return True

    def _answer_to(self, request: Request) -> tuple[int, str, bytes]:
        match self.mode:
            case "html":
                return 200, "text/html", b"<!doctype html><title>Sign in</title>"
            case "500" | "502" | "403":
                return int(self.mode), "text/plain", b"sorry"
            case "text":
                return 200, "text/plain", b"It works!"
            case "garbage":
                return 200, "application/json", b'{"status": "suc\xff\x00'
            case "redirect":
                return 302, "text/html", b""
            case "401" if request.headers.get("authorization") != self.authorization:
                return 401, "text/plain", b"who are you?"
            case "405" if request.method == "POST":
                return 405, "text/plain", b"only GET here"
            case _:
                return self.answer(request)

    def _flood(self, connection: socket.socket, start: bytes, block: bytes) -> None:
        try:
            connection.sendall(_head(200, "application/json", 100 * MEGABYTE) + start)
            for _ in range(100):
                connection.sendall(block)
                self.sent += len(block)
        except OSError:
            self._note_hang_up()

    def _trickle(self, connection: socket.socket) -> None:
        try:
            connection.sendall(_head(200, "application/json", MEGABYTE) + b"{")
            while not self._stopping.wait(self.pause):
                connection.sendall(b" ")
        except OSError:
            self._note_hang_up()

    def _await_hang_up(self, connection: socket.socket) -> None:
        with suppress(OSError):
            connection.settimeout(None)
            while connection.recv(4096):
                pass
        self._note_hang_up()

    def _note_hang_up(self) -> None:
        with self._changed:
            self.hung_up += 1
            self._changed.notify_all()


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port of 127.0.0.1 that refuses connections: bound, but nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def _head(status: int, content_type: str, length: int, extra: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n{extra}\r\n".encode()


def _read_request(connection: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    method, path, _ = first.split(" ", 2)
    return Request(method, path, headers, body)
