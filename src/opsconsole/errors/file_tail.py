"""One log file that grows, is rotated or truncated: its lines, each once, in bounded memory.

Blocks: call it off the event loop.
"""

import codecs
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = 256 * 1024
"""Bytes that are read at once."""
LONGEST_LINE = 64 * 1024
"""Characters; what comes after them, up to the end of the line, is let go."""
_MARK = 64
"""Bytes before the place that was read to, by which it is known again."""
_FIRST_STEP = 256 * 1024
_ALIGNED = 4
"""Bytes: the widest character of UTF-16 and UTF-32."""


class FileTailError(OSError):
    """The file cannot be read."""


Identity = tuple[int, int]
"""Device and inode."""


@dataclass(slots=True)
class Place:
    """Where a file was read to."""

    identity: Identity
    offset: int
    mark: bytes
    """The bytes before it."""


class FileTail:
    """The lines of one path, from some time on, whatever becomes of the file.

    The file stays open, so that what was written to it before it was renamed is still read. A copy that is truncated
    (`copytruncate`) is known by its size, or by the bytes before the place that was read to.
    """

    def __init__(
        self,
        path: Path,
        *,
        encoding: str = "utf-8",
        most_bytes: int = 64 * 1024 * 1024,
        places: dict[Identity, Place] | None = None,
    ) -> None:
        """`places` is where files were read to, shared by all that may come to read the same ones: what is renamed from
        `app.log` to `app.log.1` is read on, and not once more."""
        self.path = path
        self._places = {} if places is None else places
        self.skipped = 0
        """Bytes that were not read, for there were more than `most_bytes`."""
        self._encoding = encoding
        self._most_bytes = most_bytes
        self._descriptor = -1
        self._place: Place | None = None
        self._lines = _Lines(encoding)

    def lines(self, is_older: Callable[[str], bool | None]) -> Iterator[str]:
        """The lines that are new since the last time; the first time, those from the time that is wanted.

        Args:
            is_older: whether a line is of before that time; None where it does not say.

        Raises:
            FileTailError: it is not there, may not be read, or is no regular file.
        """
        if self._descriptor >= 0:
            yield from self._to_the_end()
            if self._is_same():
                return
            yield from self._lines.rest()
            self.close()
        first = self._place is None
        size, known = self._open()
        yield from self._to_the_end(None if known else self._start(size, is_older) if first else 0)

    def close(self) -> None:
        """Let go of the file. It is opened again when asked."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _open(self) -> tuple[int, bool]:
        """(bytes, whether it was read before)."""
        try:
            # O_NONBLOCK: a FIFO would hang whoever opens it.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise FileTailError(error.errno, error.strerror, str(self.path)) from None
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            raise FileTailError(0, "is no regular file", str(self.path))
        self._descriptor = descriptor
        identity = (found.st_dev, found.st_ino)
        known = identity in self._places
        self._place = self._places.setdefault(identity, Place(identity, 0, b""))
        self._lines = _Lines(_with_byte_order(self._encoding, os.pread(descriptor, 4, 0)))
        return found.st_size, known

    def _is_same(self) -> bool:
        """Whether the path still leads to the open file."""
        try:
            found = self.path.stat()
        except OSError:
            return True  # between two files of a rotation there is none
        return self._place is not None and (found.st_dev, found.st_ino) == self._place.identity

    def _start(self, size: int, is_older: Callable[[str], bool | None]) -> int:
        """The place from which on lines may be of the wanted time: in steps that grow, from the end."""
        step, lowest = _FIRST_STEP, max(0, size - self._most_bytes)
        while True:
            start = max(lowest, size - step) // _ALIGNED * _ALIGNED
            if start <= lowest or self._is_old_at(start, is_older):
                break
            step *= 4
        if start and start <= lowest and not self._is_old_at(start, is_older):
            self.skipped = start
        return start

    def _is_old_at(self, start: int, is_older: Callable[[str], bool | None]) -> bool:
        """Whether the first line after `start` that says so is of before the wanted time."""
        lines = _Lines(self._lines.encoding, inside=True)
        for line in lines.feed(os.pread(self._descriptor, BLOCK, start)):
            older = is_older(line)
            if older is not None:
                return older
        return False

    def _to_the_end(self, start: int | None = None) -> Iterator[str]:
        place = self._place
        assert place is not None
        size = os.fstat(self._descriptor).st_size
        if start is None and (size < place.offset or not self._is_known(place)):
            # Truncated, and written to again: everything in it is new.
            yield from self._lines.rest()
            start = 0
        if start is not None:
            place.offset, place.mark = start, b""
            self._lines = _Lines(self._lines.encoding, inside=start > 0)
        if size - place.offset > self._most_bytes:
            self.skipped += size - self._most_bytes - place.offset
            place.offset = (size - self._most_bytes) // _ALIGNED * _ALIGNED
            self._lines = _Lines(self._lines.encoding, inside=True)
        while place.offset < size:
            block = os.pread(self._descriptor, min(BLOCK, size - place.offset), place.offset)
            if not block:
                break
            place.offset += len(block)
            place.mark = (place.mark + block)[-_MARK:]
            yield from self._lines.feed(block)

    def _is_known(self, place: Place) -> bool:
        start = place.offset - len(place.mark)
        return os.pread(self._descriptor, len(place.mark), start) == place.mark


class _Lines:
    """Bytes to lines, whatever the encoding; what does not decode becomes `�`."""

    def __init__(self, encoding: str, *, inside: bool = False) -> None:
        """`inside`: they begin somewhere in a line, which is let go."""
        self.encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._carry = ""
        self._inside = inside

    def feed(self, block: bytes) -> Iterator[str]:
        text = self._carry + self._decoder.decode(block)
        *lines, self._carry = text.split("\n")
        if len(self._carry) > LONGEST_LINE:
            self._carry = self._carry[:LONGEST_LINE]
        for line in lines:
            if self._inside:
                self._inside = False
                continue
            yield line[:LONGEST_LINE].rstrip("\r").removeprefix("\ufeff")

    def rest(self) -> Iterator[str]:
        """The last line, where nothing ended it."""
        if self._carry and not self._inside:
            yield self._carry
        self._carry = ""


def _with_byte_order(encoding: str, start: bytes) -> str:
    """UTF-16 and UTF-32 say their byte order once, at the beginning; it has to be known in the middle, too."""
    if encoding not in ("utf-16", "utf-32"):
        return encoding
    return f"{encoding}-be" if start[:1] in (b"\xfe", b"\x00") else f"{encoding}-le"
