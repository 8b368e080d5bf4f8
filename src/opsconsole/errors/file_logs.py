"""Errors in log files: found by patterns of paths, read from their end, followed while they grow."""

import asyncio
import glob
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from opsconsole.config.errors import FileErrors
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.errors.file_tail import FileTail, FileTailError, Identity, Place
from opsconsole.errors.log_entries import EntryJoiner
from opsconsole.errors.log_lines import LogEntry, line_parser
from opsconsole.errors.model import Heard, Occurrence
from opsconsole.errors.tallying import Tallies, reach

MOST_FILES = 200
"""Of one entry of the configuration; those that were written to last."""
_QUIET = 1.0
"""Seconds after which nothing more is expected to belong to the last entry of a file."""


class _Followed:
    """One file with what is known of it."""

    def __init__(
        self, path: Path, settings: FileErrors, clock: Callable[[], float], places: dict[Identity, Place]
    ) -> None:
        self.tail = FileTail(path, encoding=settings.encoding, most_bytes=settings.most_bytes, places=places)
        self.joiner = EntryJoiner(settings.written, self._service(path, settings), clock)
        self.first_at: float | None = None
        """Of the first entry that was read."""

    @staticmethod
    def _service(path: Path, settings: FileErrors) -> Callable[[LogEntry], str]:
        named = path.name.partition(".")[0] or path.name
        return lambda entry: settings.service or entry.service or named


class FileLogs:
    """The files of one entry of the configuration; follows them from one question to the next."""

    def __init__(self, settings: FileErrors, window: float, *, clock: Callable[[], float] = time.time) -> None:
        """`window` is the seconds that counts are of."""
        self.source = f"logs/{settings.name}"
        self._settings = settings
        self._window = window
        self._clock = clock
        self._tallies = Tallies(self.source, window)
        self._followed: dict[Path, _Followed] = {}
        self._places: dict[Identity, Place] = {}
        self._parse = line_parser(settings.written, clock)
        self._covers_from: float | None = None
        self._lock = asyncio.Lock()

    async def hear(self) -> Heard:
        """What is in them now.

        Raises:
            SourceError: no file is there, or none can be read.
        """
        async with self._lock:  # two questions at once would read each line twice
            return await asyncio.to_thread(self._heard)

    async def close(self) -> None:
        """Let go of the files."""
        for one in self._followed.values():
            one.tail.close()

    def _heard(self) -> Heard:
        now = self._clock()
        paths = self._paths()
        if not paths:
            raise SourceError(
                self.source, "unreachable", f"no file matches {', '.join(self._settings.paths)}",
                hint="paths: in errors.yaml; relative ones start at that file",
            )  # fmt: skip
        for path in [one for one in self._followed if one not in paths]:
            self._followed.pop(path).tail.close()
        refused = [said for path in paths if (said := self._read(path, now))]
        if len(refused) == len(paths):
            raise SourceError(self.source, "refused", refused[0], hint="may this user read it?")
        while len(self._places) > 4 * MOST_FILES:  # files that were removed long ago
            self._places.pop(next(iter(self._places)))
        covers = self._coverage(now)
        return Heard(self.source, self._tallies.kinds(now, covers), covers, (*refused, *self._notes()))

    def _paths(self) -> list[Path]:
        """Those that were written to last."""
        settings = self._settings
        found = {
            Path(name): written_at
            for pattern in settings.paths
            for name in _matching(settings.folder / Path(pattern).expanduser())
            if (written_at := _written_at(name)) is not None
        }
        return sorted(found, key=lambda path: found[path], reverse=True)[:MOST_FILES]

    def _read(self, path: Path, now: float) -> str:
        """Count what is new in it; why that cannot be, or nothing."""
        first = path not in self._followed
        if first:
            self._followed[path] = _Followed(path, self._settings, self._clock, self._places)
        one, start = self._followed[path], now - reach(self._window)
        try:
            for line in one.tail.lines(lambda line: self._is_older(line, start)):
                if line.strip():
                    self._count(one.joiner.see(line, str(path)), start)
                    one.first_at = one.joiner.last_at if one.first_at is None else one.first_at
        except FileTailError as error:
            return f"{clean_line(error.filename)}: {error.strerror}"
        # An entry that was written just now may have more lines; somebody who asks only once cannot wait for them.
        quiet = one.joiner.is_complete or time.time() - (_written_at(str(path)) or 0.0) > _QUIET
        self._count(one.joiner.end() if quiet else one.joiner.settle() if first else (), start)
        return ""

    def _count(self, found: Iterable[Occurrence], start: float) -> None:
        self._tallies.extend(one for one in found if one.at >= start)

    def _is_older(self, line: str, start: float) -> bool | None:
        entry = self._parse(line)
        return None if entry is None or entry.at is None else entry.at < start

    def _coverage(self, now: float) -> float | None:
        """From when on every file is read: of a file whose beginning is read, since ever."""
        begun = [one.first_at for one in self._followed.values() if one.first_at is not None]
        if self._covers_from is None:
            self._covers_from = max(now - reach(self._window), min(begun)) if begun else now
        return self._covers_from

    def _notes(self) -> Iterator[str]:
        cut = {path: one.tail.skipped for path, one in self._followed.items() if one.tail.skipped}
        for path, skipped in list(cut.items())[:3]:
            limit = self._settings.most_bytes >> 20
            yield f"{clean_line(path)}: only its last {limit} MiB were read; {skipped:,} bytes before them were not"


def _matching(pattern: Path) -> list[str]:
    return glob.glob(str(pattern), recursive=True)  # noqa: PTH207  pathlib takes no absolute patterns


def _written_at(name: str) -> float | None:
    """When it was written to, unix seconds; None of what is no file."""
    try:
        found = Path(name).stat()
    except OSError:
        return None
    return None if stat.S_ISDIR(found.st_mode) else found.st_mtime
