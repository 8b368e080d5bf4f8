"""What a command finds on its stdin: some bytes, and then nothing until it ends.

The open end is a lifeline: what reads it on another host learns from its end that this side is gone.
"""

import contextlib
import os
import threading


class Feed:
    """A pipe with `content`. Its `reader` is the command's stdin."""

    def __init__(self, content: bytes) -> None:
        self.reader, self._writer = os.pipe2(os.O_CLOEXEC)
        self._over = threading.Event()
        # a thread, since a pipe holds 64 kB and the command reads when it likes
        threading.Thread(target=self._write, args=(content,), daemon=True).start()

    def handed_over(self) -> None:
        """The command has the reading end, or was not started: nobody else shall hold it."""
        os.close(self.reader)

    def end(self) -> None:
        """The command has ended."""
        self._over.set()

    def _write(self, content: bytes) -> None:
        view = memoryview(content)
        with contextlib.suppress(OSError):  # it may end before it has read everything
            while view:
                view = view[os.write(self._writer, view) :]
        self._over.wait()
        os.close(self._writer)
