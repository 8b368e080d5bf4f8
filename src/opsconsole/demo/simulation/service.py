"""What every simulated process shares: its arguments, its leash, the faults it must show, and an HTTP server
just large enough for /healthz, /metrics and a few routes."""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from opsconsole.demo.leash import tie_to_parent
from opsconsole.demo.simulation.metrics import Metrics

_REASONS = {
    200: "OK", 201: "Created", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 409: "Conflict",
    422: "Unprocessable Content", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
}  # fmt: skip
_METRICS = "text/plain; version=0.0.4"
LARGEST = 1_000_000
"""Bytes of a body that are read."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks."""

    method: str
    path: str
    """With the query, as it was sent."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Answer(NamedTuple):
    """What it is told."""

    status: int
    text: str
    kind: str = _METRICS
    headers: tuple[tuple[str, str], ...] = ()


Handler = Callable[[Request], Awaitable[Answer]]
"""From a request to an answer."""


@dataclass
class Simulation:
    """One running process of the platform."""

    service: str
    instance: str
    port: int
    """0: it serves nothing."""
    plan: dict[str, Any]
    """What the platform tells all its processes: ports, connection strings, folders."""
    metrics: Metrics = field(default_factory=Metrics)
    started: float = field(default_factory=time.time)

    def fault(self, name: str, target: str | None = None, *, survives_restart: bool = False) -> float | None:
        """Unix seconds since when fault `name` is active on `target` (by default this service), or None.

        Unless it survives a restart, only one that began after this process did counts.
        """
        path = f"{self.plan['faults']}/{name}.json"
        try:
            with open(path, encoding="utf-8") as handle:  # noqa: PTH123 - several times a second, in every process
                flag = json.load(handle)
        except (OSError, ValueError):
            return None
        since = float(flag["since"])
        if flag["target"] != (target or self.service) or (since <= self.started and not survives_restart):
            return None
        return since

    def end_fault(self, name: str) -> None:
        """Somebody has done what repairs it: it is there no more, for any process."""
        Path(self.plan["faults"], f"{name}.json").unlink(missing_ok=True)

    async def serve(self, handler: Handler | None = None) -> None:
        """Answer /healthz and /metrics, and leave the rest to `handler`, until cancelled."""

        async def answer(request: Request) -> Answer:
            if request.path == "/metrics":
                return Answer(200, self.metrics.render())
            if request.path == "/healthz":
                return Answer(200, '{"status": "ok"}\n')
            return await handler(request) if handler else Answer(404, "not found\n")

        async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await _talk(reader, writer, answer)
            except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                pass  # a client that went away or does not speak HTTP
            finally:
                writer.close()

        server = await asyncio.start_server(connection, "127.0.0.1", self.port)
        async with server:
            await server.serve_forever()


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
    while head := await reader.readuntil(b"\r\n\r\n"):
        first, *fields = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        names = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)}
        length = int(names.get("content-length", "0"))
        if length > LARGEST:
            raise ValueError("the body is too large")
        body = await reader.readexactly(length)
        answer = await handler(Request(method, path, names, body))
        writer.write(_encoded(answer))
        await writer.drain()
        if names.get("connection", "").lower() == "close":
            return


def _encoded(answer: Answer) -> bytes:
    """The bytes of an answer."""
    body = answer.text.encode()
    fields = (("Content-Type", answer.kind), ("Content-Length", str(len(body))), *answer.headers)
    reason = _REASONS.get(answer.status, "Unknown")
    head = [f"HTTP/1.1 {answer.status} {reason}", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


async def request(port: int, method: str, path: str, timeout: float = 10.0) -> int:
    """Send one request to loopback; gives its status.

    Raises:
        OSError: nobody answers there, or the connection breaks; TimeoutError too.
    """
    async with asyncio.timeout(timeout):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(f"{method} {path} HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read(-1)
        finally:
            writer.close()
    try:
        return int(answer.split(b" ", 2)[1])
    except (IndexError, ValueError):
        raise ConnectionError("the answer is not HTTP") from None


def run(main: Callable[[Simulation], Coroutine[Any, Any, None]]) -> None:
    """The entry point of a simulated process: `--service NAME --instance NAME --port N --plan FILE`."""
    tie_to_parent()
    parser = argparse.ArgumentParser()
    parser.add_argument("--service", required=True)
    parser.add_argument("--instance", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--plan", required=True)
    options = parser.parse_args()
    with open(options.plan, encoding="utf-8") as handle:  # noqa: PTH123
        plan = json.load(handle)
    try:
        asyncio.run(main(Simulation(options.service, options.instance, options.port, plan)))
    except KeyboardInterrupt:
        sys.exit(130)


async def forever(every: float, step: Callable[[], Awaitable[None]]) -> None:
    """Do `step` again and again. One that fails is reported and tried again: the database may be away."""
    while True:
        try:
            await step()
        except Exception as error:  # a simulated service outlives whatever happens to it
            sys.stderr.write(f"{time.strftime('%H:%M:%S')} {os.getpid()} {type(error).__name__}: {error}\n")
            await asyncio.sleep(1.0)
        await asyncio.sleep(every)
