"""The supervisor of the demo: its configuration, and a connection to it."""

import http.client
import shlex
import socket
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast


@dataclass(frozen=True)
class Program:
    """One process under the supervisor. None starts by itself: the platform starts them in order."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    restarts: bool = True
    """Whether it is started again when it ends by itself."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What the supervisor knows of a program."""

    name: str
    state: str
    """STOPPED STARTING RUNNING BACKOFF STOPPING EXITED FATAL UNKNOWN."""
    pid: int
    """0 where it does not run."""
    since: float
    """Unix seconds of its latest start."""


class SupervisorError(Exception):
    """The supervisor refused or failed, in its words."""


def configuration(programs: Sequence[Program], *, socket_path: Path, logs: Path, folder: Path, root: bool) -> str:
    """The text of supervisord.conf."""
    lines = [
        "[unix_http_server]",
        f"file={_escape(str(socket_path))}",
        "chmod=0700",
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        f"logfile={_escape(str(logs / 'supervisord.log'))}",
        f"pidfile={_escape(str(folder / 'supervisord.pid'))}",
        f"childlogdir={_escape(str(logs))}",
        f"directory={_escape(str(folder))}",
        "umask=077",
        *(["user=root"] if root else []),  # said aloud, or it warns
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for program in programs:
        lines += [
            f"[program:{program.name}]",
            f"command={_escape(shlex.join(program.argv))}",
            "autostart=false",
            f"autorestart={'true' if program.restarts else 'false'}",
            "startsecs=1",
            "startretries=5",
            f"stopsignal={program.stop_signal}",
            "stopwaitsecs=8",
            # The group as well as the process: what it started goes with it.
            f"stopasgroup={'true' if program.stop_signal == 'TERM' else 'false'}",
            "killasgroup=true",
            f"stdout_logfile={_escape(str(logs / program.name))}.log",
            "stdout_logfile_maxbytes=1MB",
            "stdout_logfile_backups=1",
            "redirect_stderr=true",
        ]
        if program.environment:
            pairs = (f'{key}="{_quoted(value)}"' for key, value in program.environment.items())
            lines.append("environment=" + ",".join(pairs))
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(value: str) -> str:
    if any(char in value for char in '"\n\\'):
        raise ValueError("supervisord.conf cannot carry quotes, backslashes or line ends in an environment")
    return _escape(value)


class Supervisor:
    """A connection to a running supervisor, over its unix socket.

    Each method raises `SupervisorError` when it refuses, `OSError` when there is none.
    """

    def __init__(self, socket_path: Path, timeout: float = 30.0) -> None:
        transport = _UnixTransport(str(socket_path), timeout)
        self._rpc = xmlrpc.client.ServerProxy("http://supervisor/RPC2", transport=transport, allow_none=True)

    def pid(self) -> int:
        """The supervisor's own process id."""
        return cast("int", self._call("getPID"))

    def units(self) -> dict[str, Unit]:
        """All programs, by name."""
        found = cast("list[dict[str, Any]]", self._call("getAllProcessInfo"))
        return {one["name"]: Unit(one["name"], one["statename"], one["pid"], float(one["start"])) for one in found}

    def start(self, name: str, *, wait: bool = True) -> None:
        """Start a program; with `wait`, until it has run for a second. One that runs is left alone."""
        try:
            self._call("startProcess", name, wait)
        except SupervisorError as error:
            if "ALREADY_STARTED" not in str(error):
                raise

    def stop(self, name: str) -> None:
        """Stop a program and wait for its end. One that does not run is left alone."""
        try:
            self._call("stopProcess", name, True)
        except SupervisorError as error:
            if "NOT_RUNNING" not in str(error):
                raise

    def stop_all(self) -> None:
        """Stop every program at once and wait for their end (one by one, as `shutdown` does, takes a second each)."""
        self._call("stopAllProcesses", True)

    def shutdown(self) -> None:
        """Stop every program, then the supervisor; returns before that has happened."""
        self._call("shutdown")

    def _call(self, method: str, *arguments: object) -> object:
        try:
            return getattr(self._rpc.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            raise SupervisorError(fault.faultString) from fault
        except (xmlrpc.client.ProtocolError, http.client.HTTPException) as error:
            raise SupervisorError(str(error)) from error


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__()
        self._path = path
        self._timeout = timeout

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        return _UnixConnection(self._path, self._timeout)
