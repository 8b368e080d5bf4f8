"""Leaving when the world says so: SIGTERM, SIGHUP, SIGINT, and a terminal that has gone away.

Textual has no handler for any of them: it dies with the terminal in raw mode, and a terminal that is gone makes
its input thread spin for ever. Here each of them starts an orderly end, and a second one that is not: whatever
hangs, the process is gone within the grace period, with the terminal as it was found.
"""

import contextlib
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

GRACE = 1.5
"""Seconds from the signal (or the last key) to the end that asks nobody; the promise is two."""

_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
# Mouse reports, focus reports, bracketed paste, kitty keys and the alternate screen off; wrapping and cursor on.
_RESTORE = (
    b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l\x1b[?1004l\x1b[?2004l\x1b[?2048l"
    b"\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h"
)


class Departure:
    """Watches for signals and for the terminal's end, from before the console starts until after it has ended."""

    def __init__(self, *, grace: float = GRACE, end: Callable[[int], object] = os._exit) -> None:
        """`end` is called with the exit code when the grace period runs out before `settled`."""
        self.signal = 0
        """The signal that was received; 0 while there was none."""
        self._code = 0
        self._grace = grace
        self._end = end
        self._leave: Callable[[], None] | None = None
        self._settled = threading.Event()
        self._tty: list[Any] | None = None
        self._before: dict[int, Any] = {}

    @property
    def exit_code(self) -> int:
        """128 + n for the signal received, else 0."""
        return 128 + self.signal if self.signal else 0

    def watch(self) -> None:
        """Start watching. Only in the main thread."""
        with contextlib.suppress(termios.error, ValueError, OSError):
            self._tty = termios.tcgetattr(sys.__stdin__.fileno()) if sys.__stdin__ else None
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._received)
        threading.Thread(target=self._watch_terminal, name="terminal-watch", daemon=True).start()

    def on_leave(self, leave: Callable[[], None]) -> None:
        """Have `leave` called, in whichever thread notices, when it is time to go; at once if it is already."""
        self._leave = leave
        if self.signal:
            leave()

    def settled(self) -> None:
        """The orderly end is done: stop watching and put the signal handlers back."""
        self._settled.set()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def depart(self, number: int) -> None:
        """Start leaving because of signal `number`. A second call changes nothing."""
        if self.signal or self._settled.is_set():
            return
        self.signal = number
        threading.Thread(target=self._deadline, name="departure", daemon=True).start()
        if self._leave is not None:
            self._leave()

    def promise(self, code: int) -> None:
        """The operator leaves, and is not kept waiting: whatever still hangs after the grace period is left behind."""
        if not self.signal and not self._settled.is_set():
            self._code = code
            threading.Thread(target=self._deadline, name="departure", daemon=True).start()

    def _received(self, number: int, _frame: FrameType | None) -> None:
        self.depart(number)

    def _watch_terminal(self) -> None:
        # With no events asked for, poll returns for hang-up and error only: it sleeps until the terminal is gone.
        watch = select.poll()
        try:
            watch.register(sys.__stdin__.fileno() if sys.__stdin__ else 0, 0)
            watch.poll()
        except (OSError, ValueError):
            return
        self.depart(signal.SIGHUP)

    def _deadline(self) -> None:
        if self._settled.wait(self._grace):
            return
        restore_terminal(self._tty)
        self._end(self.exit_code or self._code)


def restore_terminal(attributes: list[Any] | None) -> None:
    """Give the terminal back as it was, without waiting for it: it may not be reading any more."""
    for stream in (sys.__stderr__, sys.__stdin__):
        if stream is None:  # closed before Python began
            continue
        with contextlib.suppress(OSError, ValueError, termios.error):
            fileno = stream.fileno()
            if not os.isatty(fileno):
                continue
            os.set_blocking(fileno, False)
            if stream is sys.__stderr__:
                os.write(fileno, _RESTORE)
            if attributes is not None:
                termios.tcsetattr(fileno, termios.TCSANOW, attributes)
            os.set_blocking(fileno, True)
