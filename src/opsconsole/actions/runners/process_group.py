"""A process group: ending it, and finding what is left of it and what slipped out of it."""

import contextlib
import os
import signal
from collections.abc import Callable
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
    started: int = 0
    """In ticks of the kernel's clock."""

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


Watcher = Callable[[int, bool], None]
"""Told of a group that was started (True), and that what started it is done with it (False)."""
_watchers: list[Watcher] = []


def watch(watcher: Watcher) -> None:
    """Have `watcher` told of every group that runners of this process start, until the process ends."""
    _watchers.append(watcher)


def announce(group: int, *, started: bool) -> None:
    """Tell whoever watches."""
    for watcher in _watchers:
        watcher(group, started)


def send(group: int, number: signal.Signals) -> None:
    """Signal every process of `group`; nothing where there is none left.

    The leader must not have been reaped: until then nobody else can get its number.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def members(group: int) -> tuple[Process, ...]:
    """The living processes of `group`."""
    return tuple(process for process in _living() if process.group == group)


def marked(mark: str, since: int = 0, above: int = 0) -> tuple[Process, ...]:
    """The living processes that were started with `mark` (`NAME=value`) in their environment, wherever they went.

    `since`: not those that started before that; most of a machine's need not be looked into then. `above`: nor those
    with a lower number; right where nothing can have come round to the low ones again (see `in_order`).
    Those of other users (a `sudo` in between) cannot be seen.
    """
    wanted = mark.encode()
    return tuple(
        process
        for process in _living(above)
        if process.started >= since and wanted in _environment(process.pid).split(b"\x00")
    )


def start_of(pid: int) -> int:
    """When a process started that lives, or has ended and was not reaped, in ticks; 0 where that cannot be known."""
    try:
        return _started((_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split())
    except (OSError, ValueError, IndexError):
        return 0


def in_order(pid: int) -> bool:
    """Whether the numbers given out since `pid` started, a moment ago, are all higher: they begin again at the end."""
    try:
        return int((_PROC / "loadavg").read_text("ascii").split()[-1]) >= pid
    except (OSError, ValueError, IndexError):
        return False


def _living(above: int = 0) -> list[Process]:
    try:
        pids = [int(name) for name in os.listdir(_PROC) if name.isdecimal() and int(name) >= above]  # noqa: PTH208 - fast
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
    fields = rest.split()
    if fields[0].decode() in _DEAD:
        return None
    return Process(pid, name.decode("utf-8", "replace"), int(fields[2]), _started(fields))


def _started(fields: list[bytes]) -> int:
    """Of the fields of `stat` after the name: starttime is field 22 of proc(5), the state field 3."""
    return int(fields[19])


def _environment(pid: int) -> bytes:
    try:
        return (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return b""
