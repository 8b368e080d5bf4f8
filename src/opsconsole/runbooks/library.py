"""The runbooks of one folder: read, kept as long as their files do not change, and found by id, alert or link."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from opsconsole.core.problem import Problem
from opsconsole.runbooks.model import Runbook
from opsconsole.runbooks.parsing import parse_runbook

_NOT_RUNBOOKS = frozenset({"readme.md", "index.md", "contributing.md", "changelog.md"})
_MOST = 16_000_000
"""Bytes that are read of a file. The parser takes far less, and says so; the hash is of all that was read."""
_URL_LABELS = ("runbook_url", "runbook")


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: tuple[int, int, int]
    """Inode, size and time of change of the file that was read."""
    runbook: Runbook


class UnreadableError(Exception):
    """A file that cannot be read at all."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Library:
    """Reads `folder/*.md`. A file that is broken is reported; the others are as good as without it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept: dict[Path, _Kept] = {}
        self._unreadable: list[Problem] = []

    def all(self) -> list[Runbook]:
        """Every readable runbook, by title. Files are read again only when they changed."""
        self._unreadable = []
        found: dict[Path, _Kept] = {}
        for path in self._paths():
            try:
                found[path] = self._read(path)
            except UnreadableError as error:
                self._unreadable.append(error.problem)
        self._kept = found
        return sorted((kept.runbook for kept in found.values()), key=lambda one: (one.title.lower(), one.path))

    def get(self, runbook_id: str) -> Runbook | None:
        """The runbook of that id, as its file is now; of several with one id the first by file name."""
        same = [runbook for runbook in self.all() if runbook.id == runbook_id]
        return min(same, key=lambda one: one.path) if same else None

    def problems(self) -> list[Problem]:
        """What is wrong with the folder itself: files that cannot be read, ids that are given twice.

        What is wrong within each file is `lint`'s to say.
        """
        runbooks = sorted(self.all(), key=lambda one: one.path)
        problems = list(self._unreadable)
        first: dict[str, Runbook] = {}
        for runbook in runbooks:
            other = first.setdefault(runbook.id, runbook)
            if other is not runbook:
                message = f"id {runbook.id!r} is already that of {other.path}"
                problems.append(Problem(runbook.path, 1, 1, "error", "duplicate-id", message))
        return sorted(problems)

    def matching(
        self, *, alert: str = "", labels: Mapping[str, str] | None = None, link: str = "", url: str = ""
    ) -> list[Runbook]:
        """The runbooks for a situation, most fitting first.

        Args:
            alert: an alert's name; else `labels["alertname"]`.
            labels: of the alert, or of what is selected.
            link: the id of a pane's runbook link.
            url: an alert's `runbook_url`; its last part is compared with ids and file names.
        """
        labels = labels or {}
        alert = alert or labels.get("alertname", "")
        url = url or next((labels[name] for name in _URL_LABELS if labels.get(name)), "")
        named = _last_part(url)
        ranked = []
        for runbook in self.all():
            if link and runbook.id == link:
                rank = 0
            elif alert and alert in runbook.alerts:
                rank = 1
            elif named and named in (runbook.id, PurePosixPath(runbook.path).stem.lower()):
                rank = 2
            else:
                continue
            ranked.append((rank, runbook))
        return [runbook for _, runbook in sorted(ranked, key=lambda pair: pair[0])]

    def _paths(self) -> list[Path]:
        try:
            names = sorted(os.listdir(self.folder))  # noqa: PTH208 - iterdir() would raise midway
        except FileNotFoundError:
            return []
        except OSError as error:
            self._unreadable.append(_unreadable(self.folder, error.strerror or str(error)).problem)
            return []
        return [
            self.folder / name
            for name in names
            if name.lower().endswith(".md") and not name.startswith(".") and name.lower() not in _NOT_RUNBOOKS
        ]

    def _read(self, path: Path) -> _Kept:
        kept = self._kept.get(path)
        try:
            status = path.stat()
        except OSError as error:
            raise _unreadable(path, error.strerror or str(error)) from None
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        if kept is not None and kept.stamp == stamp:
            return kept
        return _Kept(stamp, load_runbook(path))


def load_runbook(path: Path) -> Runbook:
    """The runbook in one file.

    Raises:
        UnreadableError: it is missing, may not be read, or is no regular file.
    """
    return parse_runbook(read_content(path), os.fspath(path))


def read_content(path: Path) -> bytes:
    """The bytes of a runbook file, at most 16 MB of them.

    Raises:
        UnreadableError: as `load_runbook`.
    """
    try:
        # O_NONBLOCK: opening a FIFO must not wait for a writer that never comes
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _unreadable(path, "not a regular file")
            return file.read(_MOST)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _unreadable(path, reason) from None


def _unreadable(path: Path, reason: str) -> UnreadableError:
    return UnreadableError(Problem(os.fspath(path), 0, 0, "error", "unreadable", f"cannot be read: {reason}"))


def _last_part(url: str) -> str:
    """`high-cpu` of `https://host/runbooks/HIGH-CPU.md#alert-x`."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return PurePosixPath(path).stem.lower()
