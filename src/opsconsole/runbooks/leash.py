"""What ends a running step when its supervisor is gone without a word: killed, out of memory, crashed.

A small process of its own that only waits. While it can read from the pipe, the supervisor lives; at the pipe's end
it ends the process group that it was told last. Who gave the order cannot know any more how the step ended; that
nothing goes on unseen is what can still be had.
"""

import contextlib
import os
import signal
import time

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

    def tie(self, group: int) -> None:
        """From now on it is `group` that ends with this process; 0: none."""
        start = process_start(group) if group else ""
        with contextlib.suppress(OSError):
            os.write(self._writer, f"{group} {start}\n".encode())


def _wait(reader: int) -> None:
    os.setsid()
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    said = b""
    while piece := os.read(reader, 4096):
        said = (said + piece)[-4096:]
    words = said.decode("ascii", "replace").split("\n")[-2:-1]
    group, _, start = words[0].partition(" ") if words else ("0", "", "")
    if group.isdigit() and int(group) > 1:
        end_group(int(group), start)


def end_group(group: int, start: str) -> None:
    """End every process of `group`, unless its number belongs to somebody else by now."""
    leader = process_start(group)
    if leader not in ("", start) or not process_group.members(group):
        return
    process_group.send(group, signal.SIGTERM)
    process_group.send(group, signal.SIGCONT)
    deadline = time.monotonic() + _GRACE
    while process_group.members(group) and time.monotonic() < deadline:
        time.sleep(_LOOK)
    process_group.send(group, signal.SIGKILL)
