"""What is kept of a run: a folder that can be read without this program.

`runs/<UTC>-<id>/` holds `run.json` (who, what, which version; written once), `runbook.md` (the bytes that are
executed), `journal.jsonl` (everything that happened, one JSON object a line), `steps/NN-name.out` (output as it
came, secrets masked) and, at the end, `report.md`. Each line of the journal carries the SHA-256 of the line before
it (the first one that of `run.json`), so that a change to the past can be seen. docs/runbooks.md has the fields.
"""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opsconsole.core.paths import state_dir

VERSION = 1
JOURNAL = "journal.jsonl"
WORK = "work"
"""What running steps need: there while somebody carries the run."""
SOCKET = "socket"
"""Where the supervisor of a run that goes on can be reached."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a run before it begins; becomes `run.json`."""

    runbook: str
    title: str
    path: str
    sha256: str
    commit: str
    dirty: bool
    params: Mapping[str, str]
    actor: str
    login: str
    ssh_connection: str
    host: str
    environment: str
    mode: str
    """`guided` or `auto`."""
    version: str
    """Of the console."""
    incident: str = ""


class RunCarriedError(ValueError):
    """Another process carries the run."""


class RunFolder:
    """The folder of one run, being written by the process that carries it."""

    def __init__(self, path: Path, last_hash: str, next_seq: int, *, outputs: int = 0) -> None:
        """For `create` and `reopen`; use those.

        Raises:
            RunCarriedError: another process writes it.
        """
        self.path = path
        self._hash = last_hash
        self._seq = next_seq
        self._outputs = outputs
        self.outputs: list[OutputFile] = []
        """Those that are written, and the latest that was."""
        self._journal = os.open(path / JOURNAL, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # One writer, or the chain would fork. The kernel lets go of it with the process, however that ends.
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise RunCarriedError(f"run {path.name} is being carried by another process") from None

    @property
    def id(self) -> str:
        """The run's id: its start in UTC and a few random characters."""
        return self.path.name

    @classmethod
    def create(cls, header: Header, source: bytes, *, root: Path | None = None, at: float | None = None) -> "RunFolder":
        """A new folder under `root` (else the state folder) with everything but a journal.

        Raises:
            OSError: it cannot be written; then the run must not begin.
        """
        started = time.time() if at is None else at
        path = _new_folder(root or runs_root(), started)
        (path / "steps").mkdir(mode=0o700)
        fields = {
            "v": VERSION,
            "id": path.name,
            "started_at": timestamp(started),
            "pid": os.getpid(),
            "pid_start": process_start(os.getpid()),
            "uid": os.getuid(),
            **{name: getattr(header, name) for name in Header.__slots__},
        }
        text = json.dumps(fields, indent=2, ensure_ascii=True).encode() + b"\n"
        _write(path / "runbook.md", source)
        _write(path / "run.json", text)
        folder = cls(path, hashlib.sha256(text).hexdigest(), 1)
        _sync_folder(path)
        return folder

    @classmethod
    def reopen(cls, path: Path) -> "RunFolder":
        """The folder of a run that nobody carries, to go on with. A torn last line is ended, and stays as it is.

        Raises:
            RunCarriedError: somebody carries it.
            OSError: it cannot be read or written.
        """
        from opsconsole.runbooks.history import read_journal

        names = [one.name.partition("-")[0] for one in (path / "steps").iterdir()]
        numbers = [int(number) for number in names if number.isdigit()]
        folder = cls(path, "", 1, outputs=max(numbers, default=0))
        try:
            if read_journal(path).torn:
                _write_all(folder._journal, b"\n")
            reading = read_journal(path)
        except BaseException:
            folder.close()
            raise
        folder._hash, folder._seq = reading.last_hash, reading.last_seq + 1
        return folder

    def append(self, event: str, *, by: str, sync: bool = True, **fields: Any) -> int:
        """One line in the journal, on disk before this returns (`sync`). Returns its number.

        Raises:
            OSError: it could not be written; what it announces must not be done.
        """
        record = {
            "v": VERSION,
            "seq": self._seq,
            "t": timestamp(time.time()),
            "mono": round(time.monotonic(), 3),
            "ev": event,
            "by": by,
            **fields,
            "prev": self._hash,
        }
        line = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode()
        _write_all(self._journal, line + b"\n")
        if sync:
            os.fsync(self._journal)
        self._hash = hashlib.sha256(line).hexdigest()
        self._seq += 1
        return self._seq - 1

    def keep_included(self, runbook: str, source: bytes) -> None:
        """Keep the bytes of a runbook that this run includes, as `included/ID.md`; once is enough."""
        folder = self.path / "included"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{runbook}.md"
        if not path.exists():
            _write(path, source)

    def work_folder(self) -> Path:
        """An empty folder for what steps need while they run (their scripts): what a killed process left goes with it.

        Raises:
            OSError: it cannot be made.
        """
        self.clear_work()
        path = self.path / WORK
        path.mkdir(mode=0o700)
        return path

    def clear_work(self) -> None:
        """Remove it."""
        shutil.rmtree(self.path / WORK, ignore_errors=True)

    def open_output(self, step: str) -> "OutputFile":
        """A new file for the output of one attempt of `step`."""
        self._outputs += 1
        opened = OutputFile(self.path / "steps" / f"{self._outputs:02d}-{step}.out")
        self.outputs = [*(one for one in self.outputs if not one.closed), opened]
        return opened

    def write_report(self, text: str, name: str = "report.md") -> Path:
        """A report, replaced as a whole."""
        path = self.path / name
        part = self.path / f".{name}.part"
        part.unlink(missing_ok=True)
        _write(part, text.encode("utf-8", "replace"))
        part.replace(path)
        return path

    def discard(self) -> None:
        """Remove everything: the run did not begin."""
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def close(self) -> None:
        """Let go of the journal."""
        if self._journal >= 0:
            os.close(self._journal)
            self._journal = -1


class Ends:
    """The beginning and the end of a stream, in bounded memory."""

    KEPT = 64 * 1024
    """Bytes kept of each."""

    def __init__(self) -> None:
        self.size = 0
        self._head = bytearray()
        self._tail = bytearray()

    def take(self, piece: bytes) -> None:
        """One more piece."""
        self.size += len(piece)
        room = self.KEPT - len(self._head)
        if room > 0:
            self._head += piece[:room]
            piece = piece[room:]
        self._tail += piece[-self.KEPT :]
        if len(self._tail) > 2 * self.KEPT:
            del self._tail[: -self.KEPT]

    @property
    def cut(self) -> int:
        """How many bytes in the middle are not kept."""
        return max(0, self.size - len(self._head) - min(len(self._tail), self.KEPT))

    @property
    def text(self) -> str:
        """What is kept, as text; where something is missing, the line ends."""
        gap = b"\n" if self.cut else b""
        return bytes(self._head + gap + self._tail[-self.KEPT :]).decode("utf-8", "replace")


class OutputFile:
    """The output of one attempt: all of it on disk, its ends in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ends = Ends()
        self.error = ""
        """Why the file does not hold all of it; the step goes on without."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    @property
    def closed(self) -> bool:
        """Whether nothing more will come."""
        return self._file < 0

    def write(self, piece: bytes) -> None:
        """One more piece."""
        self.ends.take(piece)
        if not self.error:
            try:
                _write_all(self._file, piece)
            except OSError as error:
                self.error = error.strerror or str(error)

    def close(self) -> None:
        """Flush to disk and let go."""
        if self._file < 0:
            return
        try:
            if self.ends.size:
                os.fsync(self._file)
        except OSError as error:
            self.error = self.error or error.strerror or str(error)
        os.close(self._file)
        self._file = -1


def runs_root() -> Path:
    """The folder that holds the folders of all runs, made if it is missing."""
    root = state_dir() / "runs"
    root.mkdir(mode=0o700, exist_ok=True)
    return root


def process_start(pid: int) -> str:
    """When a process started, in the kernel's ticks: tells it from a later one with the same number. Empty: gone.

    A process that has ended and that nobody has reaped, as happens in containers without an init, is gone as well.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return "" if status[0] in "ZX" else status[19]
    except (OSError, IndexError):
        return ""


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _new_folder(root: Path, started: float) -> Path:
    stamp = datetime.fromtimestamp(started, UTC).strftime("%Y%m%d-%H%M%S")
    while True:
        path = root / f"{stamp}-{secrets.token_hex(3)}"
        try:
            path.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            continue
        return path


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(path: Path) -> None:
    """The names of new files are on disk only when their folder is."""
    for folder in (path, path.parent):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
