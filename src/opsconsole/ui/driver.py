"""The terminal, with two things Textual's driver lacks: it counts what is written, and it survives losing it."""

from textual.drivers.linux_driver import LinuxDriver


class ConsoleDriver(LinuxDriver):
    """Counts bytes, so that the console can say what it costs; drops output once nobody reads it any more."""

    written = 0
    """Bytes handed to the terminal since the start, by this process."""

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
