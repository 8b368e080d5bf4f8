"""The output of a process on its way from the pipe to the screen and to its file, in bounded memory."""

import array
import asyncio
import contextlib
import fcntl
import os
import termios
from collections.abc import Iterable
from pathlib import Path

from opsconsole.actions.action import Sink
from opsconsole.actions.masking import StreamMasker
from opsconsole.core.secret import Secret

_PIECE = 65_536  # as much as a pipe holds by default


class Spool:
    """A file, mode 0600, that gets the whole output. Where it cannot be written, the step goes on without it."""

    def __init__(self, path: Path | None) -> None:
        self.complaint = ""
        """Why the file is not whole, or empty."""
        self.written = 0
        self._descriptor: int | None = None
        if path is None:
            return
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            self._descriptor = os.open(path, flags, 0o600)
            os.fchmod(self._descriptor, 0o600)
        except OSError as error:
            self.complaint = f"the output is not kept: {error.strerror}"

    def write(self, piece: bytes) -> None:
        """Append; after a failure, nothing more."""
        view = memoryview(piece)
        while view and self._descriptor is not None:
            try:
                count = os.write(self._descriptor, view)
            except OSError as error:
                self.complaint = f"the output is kept up to byte {self.written}: {error.strerror}"
                self.close()
                return
            self.written += count
            view = view[count:]

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class OutputPipe:
    """Reads what a process writes, as it comes: masked, to the spool and the sink.

    The pipe may outlive the process, in the hands of a child in the background: `finish` reads what is in it and
    closes it, and does not wait for its end.
    """

    def __init__(
        self, sink: Sink, spool: Spool, secrets: Iterable[Secret], ends: tuple[int, int] | None = None
    ) -> None:
        """`ends`: to read from, and for the process; None: a pipe of its own."""
        self.taken = 0
        """Bytes read, before masking."""
        self._sink = sink
        self._spool = spool
        self._masker = StreamMasker(secrets)
        self._reader, self.writer = ends or os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._reader, False)
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Begin to read; the process has the writing end by now."""
        os.close(self.writer)
        self.writer = -1
        self._loop.add_reader(self._reader, self._read)

    def finish(self) -> None:
        """Take what is in the pipe, and close it."""
        if self._reader < 0:
            return
        self._loop.remove_reader(self._reader)
        if self.writer < 0:
            waiting = array.array("i", [0])
            # No more than is there now: whoever goes on writing must not keep us here.
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._reader, termios.FIONREAD, waiting)
            end = self.taken + waiting[0]
            while self.taken < end and self._read():
                pass
        else:
            os.close(self.writer)
        os.close(self._reader)
        self._reader = -1
        self._pass_on(self._masker.flush())
        self._spool.close()

    def _read(self) -> bool:
        try:
            piece = os.read(self._reader, _PIECE)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:  # of a terminal, when nobody holds its other end any more
            piece = b""
        if not piece:
            self._loop.remove_reader(self._reader)
            return False
        self.taken += len(piece)
        self._pass_on(self._masker.feed(piece))
        return True

    def _pass_on(self, piece: bytes) -> None:
        if piece:
            self._spool.write(piece)
            self._sink(piece)
