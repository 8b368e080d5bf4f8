"""Approval of an action by other people: files in a shared folder, each written by whom the kernel says it was.

A request holds everything that is approved (the exact command among it), and is named by the hash of that; so an
approval of one version counts for no other. Who approved is the owner of the approval's file. An approval counts for a
limited time, and never when requester and approver are one person, also where one of them came by `sudo`.
"""

import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from opsconsole.actions.guard import groups_of, login_uid, user_name
from opsconsole.core.duration import duration_text
from opsconsole.core.paths import state_dir

REQUEST_AGE = 24 * 3600.0
"""Seconds after which a request is not shown any more."""
_AHEAD = 120.0  # clocks of two hosts that share the folder differ
_LARGEST = 1024 * 1024
_APPROVED = re.compile(r"([0-9a-f]{64})\.([0-9]{1,10})\.approved\.json")
_REQUEST = re.compile(r"([0-9a-f]{64})\.request\.json")


class ApprovalError(Exception):
    """It cannot be requested or approved; the message says why."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is approved: all of it is in the hash."""

    environment: str
    runbook: str
    sha256: str
    """Of the runbook's content."""
    commit: str
    step: str
    command: str
    """The exact command, secrets masked."""
    values: Mapping[str, str]
    """What the step sees, secrets masked."""
    requester: int
    """User id."""
    count: int
    approvers: tuple[str, ...] = ()
    """User names and %groups; empty: anybody else."""

    @property
    def digest(self) -> str:
        """The hash that an approval is bound to."""
        fields = {name: getattr(self, name) for name in self.__slots__} | {"values": dict(self.values)}
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Request:
    """A subject somebody waits for."""

    subject: Subject
    run: str
    at: float
    """Unix seconds."""
    login: int | None
    """The user who logged in, behind the requester."""
    approved_by: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """How many approvals there still have to be."""
        return max(0, self.subject.count - len(self.approved_by))


@dataclass(frozen=True, slots=True)
class Approvals:
    """The folder of requests and approvals."""

    folder: Path
    expire: float = 900.0
    """Seconds for which an approval counts."""
    clock: Callable[[], float] = time.time

    @classmethod
    def at(cls, folder: Path | None, expire: float) -> "Approvals":
        """The configured folder, or the state folder's (which only its owner and root can write to)."""
        return cls(folder or state_dir() / "approvals", expire)

    def request(self, subject: Subject, run: str) -> None:
        """Ask for approval; asking again renews it.

        Raises:
            ApprovalError: the folder cannot be used.
        """
        self._check_folder(create=True)
        login = login_uid()
        fields = {name: getattr(subject, name) for name in subject.__slots__} | {"values": dict(subject.values)}
        self._write(
            f"{subject.digest}.request.json", {"subject": fields, "run": run, "at": self.clock(), "login": login}
        )

    def pending(self) -> list[Request]:
        """The requests that wait, newest first."""
        found = [one for name in self._names(_REQUEST) if (one := self._request(name)) is not None]
        recent = [one for one in found if self.clock() - one.at < REQUEST_AGE]
        return sorted(recent, key=lambda one: one.at, reverse=True)

    def granted(self, subject: Subject) -> tuple[str, ...]:
        """The names of those whose approval of `subject` counts now."""
        request = self._request(f"{subject.digest}.request.json")
        return self._counted(subject, request.login if request is not None else None)

    def missing(self, subject: Subject) -> str:
        """What is still missing, in words; empty where there is enough."""
        granted = self.granted(subject)
        if len(granted) >= subject.count:
            return ""
        by = f" (by {', '.join(granted)})" if granted else ""
        who = " or ".join(subject.approvers) or "somebody else"
        limit = duration_text(self.expire)
        return f"{len(granted)} of {subject.count} approvals{by}; {who} can approve it within {limit} of running it"

    def approve(self, request: Request) -> None:
        """Approve as the user of this process.

        Raises:
            ApprovalError: this user may not, or it cannot be written.
        """
        self._check_folder(create=False)
        login = login_uid()
        if refused := refusal(request.subject, request.login, os.getuid(), login):
            raise ApprovalError(refused)
        name = f"{request.subject.digest}.{os.getuid()}.approved.json"
        self._write(name, {"digest": request.subject.digest, "at": self.clock(), "login": login})

    def _request(self, name: str) -> Request | None:
        read = self._read(name)
        if read is None:
            return None
        owner, record = read
        try:
            given = dict(record["subject"])
            subject = Subject(**{**given, "approvers": tuple(given["approvers"])})
            login = record["login"]
            # who requests is whom the file belongs to, and what is shown is what the name is the hash of
            if subject.requester != owner or f"{subject.digest}.request.json" != name:
                return None
            request = Request(subject, str(record["run"]), float(record["at"]), login if login is None else int(login))
        except (KeyError, TypeError, ValueError):
            return None
        return replace(request, approved_by=self._counted(subject, request.login))

    def _counted(self, subject: Subject, login: int | None) -> tuple[str, ...]:
        now = self.clock()
        counted = [
            user_name(uid)
            for uid, record in self._approvals(subject.digest)
            if isinstance(record.get("at"), int | float)
            and -_AHEAD <= now - record["at"] <= self.expire
            and not refusal(subject, login, uid, record.get("login"))
        ]
        return tuple(sorted(counted))

    def _approvals(self, digest: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        for name in self._names(_APPROVED):
            found = _APPROVED.fullmatch(name)
            read = self._read(name) if found is not None and found[1] == digest else None
            if found is not None and read is not None and read[0] == int(found[2]) and read[1].get("digest") == digest:
                yield read

    def _names(self, pattern: re.Pattern[str]) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self.folder) if pattern.fullmatch(name))  # noqa: PTH208
        except OSError:
            return []

    def _read(self, name: str) -> tuple[int, Mapping[str, Any]] | None:
        """The owner and the content of a file; None where it is missing or no plain file of one name."""
        try:
            descriptor = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_mode & 0o022:
                return None
            try:
                record = json.loads(file.read(_LARGEST))
            except (OSError, ValueError, RecursionError):
                return None
        return (status.st_uid, record) if isinstance(record, dict) else None

    def _write(self, name: str, record: Mapping[str, Any]) -> None:
        path, part = self.folder / name, self.folder / f".{os.getuid()}.{os.getpid()}.part"
        try:
            part.unlink(missing_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o644)
                file.write(json.dumps(record).encode())
                file.flush()
                os.fsync(descriptor)
            part.replace(path)
        except OSError as error:
            raise ApprovalError(f"{path} cannot be written: {error.strerror or error}") from None

    def _check_folder(self, *, create: bool) -> None:
        try:
            if create and not self.folder.exists():
                self.folder.mkdir(mode=0o700, parents=True)
            mode = self.folder.stat().st_mode
        except OSError as error:
            raise ApprovalError(f"{self.folder} cannot be used: {error.strerror or error}") from None
        if not stat.S_ISDIR(mode):
            raise ApprovalError(f"{self.folder} is no folder")
        if mode & 0o022 and not mode & stat.S_ISVTX:
            raise ApprovalError(f"others could replace files in {self.folder}; run: chmod +t {self.folder}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The approvals that one action wants; what `Action.approval` is."""

    approvals: Approvals
    subject: Subject
    run: str

    def missing(self) -> str:
        """What is missing, in words; empty where there is enough."""
        return self.approvals.missing(self.subject)

    def granted_by(self) -> tuple[str, ...]:
        """Who approved."""
        return self.approvals.granted(self.subject)

    def ask(self) -> None:
        """Ask for it.

        Raises:
            ApprovalError: that cannot be written.
        """
        self.approvals.request(self.subject, self.run)

    def in_words(self) -> str:
        """How many, and by whom."""
        who = f" of {', '.join(self.subject.approvers)}" if self.subject.approvers else ""
        return f"approval by {self.subject.count} other{'s' if self.subject.count > 1 else ''}{who}"


def refusal(subject: Subject, requester_login: int | None, uid: int, login: object) -> str:
    """Why user `uid`, logged in as `login`, may not approve `subject`; empty where he may."""
    requesting = {subject.requester, requester_login} - {None}
    if uid in requesting or (isinstance(login, int) and login in requesting):
        via = "" if uid in requesting else f" ({user_name(uid)} is {user_name(int(str(login)))} by sudo or su)"
        return f"nobody approves what he requested himself{via}"
    if subject.approvers:
        names = {user_name(uid), *(f"%{group}" for group in groups_of(uid))}
        if names.isdisjoint(subject.approvers):
            return f"{user_name(uid)} is none of {', '.join(subject.approvers)}"
    return ""
