"""What ends a running step when its supervisor is gone without a word: killed, out of memory, crashed.

A small process of its own that only waits. While it can read from the pipe, the supervisor lives; at the pipe's end
it ends the process groups that it was told of. Who gave the order cannot know any more how the step ended; that
nothing goes on unseen is what can still be had.
"""

import contextlib
import os
import signal
import time
from collections.abc import Mapping

from opsconsole.actions.runners import process_group
from opsconsole.runbooks.record import process_start

_GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""
_LOOK = 0.05
_IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)


class Leash:
    """Held by the supervisor for as long as it lives."""

    def __init__(self, writer: int) -> None:
        """For `fork`; use that."""
        self._writer = writer

    @classmethod
    def fork(cls) -> "Leash":
        """Start the process that waits. Before there are threads, locks and sockets: it must hold none of them.

        Raises:
            OSError: no process can be made.
        """
        reader, writer = os.pipe2(os.O_CLOEXEC)
        if os.fork() == 0:
            try:
                os.dup2(reader, 0)
                os.closerange(1, 1024)
                _wait(0)
            finally:
                os._exit(0)
        os.close(reader)
        return cls(writer)

    def tie(self, group: int, started: bool) -> None:
        """From now on `group` ends with this process, or (`started` is false) it does not."""
        with contextlib.suppress(OSError):
            os.write(self._writer, f"{group} {process_start(group) if started else '-'}\n".encode())


def _wait(reader: int) -> None:
    os.setsid()
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    tied: dict[int, str] = {}
    with open(reader, encoding="ascii") as lines:
        for line in lines:
            group, _, start = line.strip().partition(" ")
            if start == "-":
                tied.pop(int(group), None)
            else:
                tied[int(group)] = start
    end_groups(tied)


def end_groups(tied: Mapping[int, str]) -> None:
    """End every process of these groups (number -> start of its leader), unless they are others by now."""
    left = [group for group, start in tied.items() if process_start(group) in ("", start)]
    left = [group for group in left if process_group.members(group)]
    for number in (signal.SIGTERM, signal.SIGCONT):
        for group in left:
            process_group.send(group, number)
    deadline = time.monotonic() + _GRACE
    while any(process_group.members(group) for group in left) and time.monotonic() < deadline:
        time.sleep(_LOOK)
    for group in left:
        process_group.send(group, signal.SIGKILL)
