"""What a journal can do, whatever keeps it. `opsconsole.store.open_journal` opens one."""

from dataclasses import dataclass
from typing import Protocol

from opsconsole.core.problem import Problem
from opsconsole.store.entry import Conclusion, Entry, Intent


class JournalError(Exception):
    """The journal cannot be written or read. No record, no action: the door then refuses every change.

    `kind` is one of: full, locked, read-only, unreachable, damaged, newer, refused.
    """

    def __init__(self, kind: str, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
        """What to do about it, or empty."""

    def __str__(self) -> str:
        return self.message + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True, slots=True)
class Head:
    """The last record. Noted down elsewhere, it proves later that nothing before it was rewritten."""

    seq: int
    hash: str


class Journal(Protocol):
    """Append-only record of attempts. Safe for several threads and several processes at once."""

    def begin(self, intent: Intent) -> None:
        """Record what is about to be attempted; on disk before this returns.

        Raises:
            JournalError: it could not be recorded; then it must not be done.
        """
        ...

    def conclude(self, conclusion: Conclusion) -> None:
        """Record how an attempt ended; on disk before this returns.

        Raises:
            JournalError: also when the attempt has no intent, or is concluded already.
        """
        ...

    def entries(
        self,
        *,
        since: float | None = None,
        until: float | None = None,
        actor: str | None = None,
        environment: str | None = None,
        action: str | None = None,
        target: str | None = None,
        outcome: str | None = None,
        run: str | None = None,
        limit: int | None = None,
    ) -> list[Entry]:
        """The attempts that match everything given, oldest first; with `limit` the newest so many.

        `since` (inclusive) and `until` (exclusive) are unix seconds. In the texts `*` stands for anything.

        Raises:
            JournalError: it cannot be read.
        """
        ...

    def verify(self) -> list[Problem]:
        """Every sign that the record is not as it was written; `line` is the number of the record.

        Codes: edited, chain, gap, removed, orphan, repeated, damaged.
        """
        ...

    def head(self) -> Head | None:
        """The last record, or None where there is none yet.

        Raises:
            JournalError: it cannot be read.
        """
        ...

    def close(self) -> None:
        """Let go of it. It opens again by itself when used."""
        ...
