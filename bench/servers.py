"""What the benchmarks run against: the real demo platform, and two servers that no real one can be made to be."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

CONSOLE = (sys.executable, "-m", "opsconsole.cli.main")


@contextlib.contextmanager
def demo() -> Iterator[dict[str, Any]]:
    """The demo platform, started for this run; what `demo --headless --format json` says, plus its `environment`."""
    with tempfile.TemporaryDirectory(prefix="opsconsole-bench-") as folder:
        Path(folder).chmod(0o711)
        environment = {**os.environ, "OPSCONSOLE_STATE": f"{folder}/state"}
        said = subprocess.run(
            [*CONSOLE, "demo", "--headless", "--format", "json"],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, timeout=300,
        )  # fmt: skip
        try:
            yield {**json.loads(said.stdout), "environment": {"OPSCONSOLE_STATE": f"{folder}/state"}}
        finally:
            subprocess.run(
                [*CONSOLE, "demo", "--stop"], env=environment, stdin=subprocess.DEVNULL, check=False, timeout=60
            )


class _Frozen(BaseHTTPRequestHandler):
    """A Prometheus whose every series stands still."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        labels = {"job": "energy-service", "instance": "app-1", "name": "a"}
        if "start" in form:
            start, end, step = (float(form[key][0]) for key in ("start", "end", "step"))
            points = [[start + turn * step, "1"] for turn in range(int((end - start) / step) + 1)]
            data: dict[str, Any] = {"resultType": "matrix", "result": [{"metric": labels, "values": points}]}
        else:
            data = {"resultType": "vector", "result": [{"metric": labels, "value": [time.time(), "1"]}]}
        self._say({"status": "success", "data": data})

    def do_GET(self) -> None:
        self._say(
            {"status": "success", "data": {"version": "2.42.0"} if "buildinfo" in self.path else ["energy-service"]}
        )

    def _say(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silence: the terminal under measurement is ours."""


@contextlib.contextmanager
def frozen_prometheus() -> Iterator[str]:
    """The URL of a Prometheus in which nothing changes."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Frozen)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def hanging_server() -> Iterator[int]:
    """The port of a server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]
