"""One live run per key. The kernel holds the lock for the process, so that a crash cannot leave one behind."""

import contextlib
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.core.paths import state_dir


class LockHeldError(ValueError):
    """Somebody else has a run under the same key."""

    def __init__(self, key: str, holder: Mapping[str, Any]) -> None:
        self.key = key
        self.holder = holder
        """What the holder wrote about itself: `run`, `actor`, `step`, `host`, `since`; may be empty."""
        parts = [
            f"{name} {clean_line(holder[name], limit=80)}"
            for name in ("actor", "run", "step", "since")
            if holder.get(name)
        ]
        super().__init__(f"{clean_line(key, limit=120)} is locked" + (f" by {', '.join(parts)}" if parts else ""))


@dataclass(slots=True)
class RunLock:
    """A lock that is held until `release`, or until the process is gone."""

    key: str
    _descriptor: int
    _others: "tuple[RunLock, ...]" = ()

    @classmethod
    def acquire_all(cls, keys: Sequence[str], about: Mapping[str, Any], *, root: Path | None = None) -> "RunLock":
        """Take the locks of all `keys`, or none: a run that includes others obeys their locks, too.

        Raises:
            LockHeldError, OSError: as `acquire`.
        """
        taken: list[RunLock] = []
        try:
            # always in the same order, and without waiting: two runs cannot hold each other up
            for key in sorted(set(keys)):
                taken.append(cls.acquire(key, about, root=root))  # noqa: PERF401 - what was taken is given back
        except BaseException:
            for one in taken:
                one.release()
            raise
        first, *others = taken
        first._others = tuple(others)
        return first

    @classmethod
    def acquire(cls, key: str, about: Mapping[str, Any], *, root: Path | None = None) -> "RunLock":
        """Take the lock of `key`, and write `about` into it for others to read.

        Raises:
            LockHeldError: another process, or another run of this one, has it.
            OSError: there is no place for locks.
        """
        folder = root or state_dir() / "locks"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _read(descriptor)
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                raise LockHeldError(key, holder) from None
            raise
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps({"key": key, **about}).encode())
        return cls(key, descriptor)

    @property
    def keys(self) -> frozenset[str]:
        """All keys that are held."""
        return frozenset({self.key, *(other.key for other in self._others)})

    def release(self) -> None:
        """Let go. The file stays: removing it would let two processes lock two files of one name."""
        for other in self._others:
            other.release()
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1


class StepLocks:
    """The locks that the steps of one run take, beside those of the run itself."""

    def __init__(self, run: Mapping[str, Any], own: frozenset[str], root: Path | None) -> None:
        """`run` is what holders say of themselves, `own` are the keys that the run holds: its steps need not ask."""
        self._run = run
        self._own = own
        self._root = root

    def take(self, key: str, step: str) -> Callable[[], None]:
        """Take the lock of `key` for `step`. Returns what gives it back.

        Raises:
            LockHeldError: another live step has it, of this run or of another.
            OSError: there is no place for locks.
        """
        if not key or key in self._own:
            return lambda: None
        since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return RunLock.acquire(key, {**self._run, "step": step, "since": since}, root=self._root).release


def lock_key(template: str, values: Mapping[str, str]) -> str:
    """`template` with each `{NAME}` replaced by a value."""
    return re.sub(r"\{([A-Z][A-Z0-9_]*)\}", lambda found: values.get(found[1], found[0]), template)


def _read(descriptor: int) -> Mapping[str, Any]:
    try:
        read = json.loads(os.pread(descriptor, 64 * 1024, 0))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
