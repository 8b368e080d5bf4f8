"""The terminal, with what Textual's driver lacks: it counts bytes, survives losing it, and tells alt+q from q."""

from collections import deque
from collections.abc import Callable

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message


class ConsoleDriver(LinuxDriver):
    """Counts bytes, so that the console can say what it costs; drops output once nobody reads it any more."""

    written = 0
    """Bytes handed to the terminal since the start, by this process."""

    def process_message(self, message: Message) -> None:
        """Pass on what the terminal sent. Alt with a letter types no letter.

        Without the newer keyboard protocol it arrives as escape and the letter, which is also what escape and a key
        typed quickly after it look like: neither may quit, or confirm, on account of the letter.
        """
        if isinstance(message, events.Key) and message.key.startswith("alt+"):
            message.character = None
        super().process_message(message)

    def write(self, data: str) -> None:
        """Queue `data` for the terminal.

        When the terminal is gone, the thread that writes has died of it, and its bounded queue would block
        the whole program at the thirty-first write: from then on output goes nowhere.
        """
        writer = self._writer_thread
        if writer is None or not writer.is_alive():
            return
        ConsoleDriver.written += len(data) if data.isascii() else len(data.encode("utf-8", "replace"))
        super().write(data)

    def close(self) -> None:
        """Stop writing, unless that has stopped by itself."""
        writer = self._writer_thread
        if writer is not None and writer.is_alive():
            super().close()


class OutputMeter:
    """Bytes per second written to the terminal, averaged over half a minute."""

    _WINDOW = 30.0

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._marks: deque[tuple[float, int]] = deque([(clock(), ConsoleDriver.written)])

    def rate(self) -> float | None:
        """The average up to now; None while too little time has passed to say."""
        now, written = self._clock(), ConsoleDriver.written
        self._marks.append((now, written))
        while len(self._marks) > 2 and self._marks[1][0] < now - self._WINDOW:
            self._marks.popleft()
        then, before = self._marks[0]
        return (written - before) / (now - then) if now - then >= 1.0 else None
