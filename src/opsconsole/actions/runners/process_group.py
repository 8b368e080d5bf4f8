"""A process group: ending it, and finding what is left of it and what slipped out of it."""

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_DEAD = frozenset("ZX")


@dataclass(frozen=True, slots=True)
class Process:
    """One process, for telling the operator."""

    pid: int
    name: str
    group: int

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


def send(group: int, number: signal.Signals) -> None:
    """Signal every process of `group`; nothing where there is none left.

    The leader must not have been reaped: until then nobody else can get its number.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def members(group: int) -> tuple[Process, ...]:
    """The living processes of `group`."""
    return tuple(process for process in _living() if process.group == group)


def marked(mark: str) -> tuple[Process, ...]:
    """The living processes that were started with `mark` (`NAME=value`) in their environment, wherever they went.

    Those of other users (a `sudo` in between) cannot be seen.
    """
    wanted = mark.encode()
    return tuple(process for process in _living() if wanted in _environment(process.pid).split(b"\x00"))


def _living() -> list[Process]:
    try:
        pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal()]
    except OSError:  # no /proc: nothing can be found, and the signals still reach the group
        return []
    return [process for process in map(_process, pids) if process is not None]


def _process(pid: int) -> Process | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    # The name is in parentheses and may hold anything, parentheses and spaces included.
    name, _, rest = stat.partition(b"(")[2].rpartition(b")")
    state, _, group = rest.split()[:3]
    if state.decode() in _DEAD:
        return None
    return Process(pid, name.decode("utf-8", "replace"), int(group))


def _environment(pid: int) -> bytes:
    try:
        return (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return b""
