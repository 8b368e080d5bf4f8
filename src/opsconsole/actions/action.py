"""What is about to be done to the world, said so that a person can judge it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from opsconsole.core.secret import Secret


class Risk(StrEnum):
    """What an action can cost."""

    READ = "read"
    """Changes nothing."""
    WRITE = "write"
    """Changes something that can be changed back."""
    DESTRUCTIVE = "destructive"
    """Loses something: data, work in progress, a service's availability."""


class Outcome(StrEnum):
    """How an attempt ended."""

    OK = "ok"
    WARN = "warn"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """The guard said no; nothing was started."""
    DECLINED = "declined"
    """The operator said no; nothing was started."""
    UNAPPROVED = "unapproved"
    """The approval of other people is missing or has expired; nothing was started."""
    UNKNOWN = "unknown"
    """It was started, and no end was recorded."""
    DRY_RUN = "dry-run"


Sink = Callable[[bytes], None]
"""Receives output as it comes, in chunks cut anywhere. Must not block."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a runner reports."""

    outcome: Outcome
    exit_code: int | None = None
    detail: str = ""
    """One line for the operator: why it failed, what it found."""
    output_bytes: int = 0
    duration: float = 0.0
    captured: tuple[tuple[str, str], ...] = ()
    """NAME=value pairs a step wrote for later steps."""
    to_come: bool = False
    """Of a verification: what was done was done, its effect is still to come, and `detail` says what it waits for."""


class Runner(Protocol):
    """Carries one action out.

    Cancelling the task ends what it started, children included. It then either raises `CancelledError`, or returns
    a `Result` that says how that went; cancelled once more, it waits for nothing.
    """

    async def run(self, sink: Sink) -> Result: ...


class Approval(Protocol):
    """The approval by other people that an action wants."""

    def missing(self) -> str:
        """What is missing, in words; empty where there is enough."""
        ...

    def granted_by(self) -> tuple[str, ...]:
        """Who approved."""
        ...

    def ask(self) -> None:
        """Ask for it."""
        ...

    def in_words(self) -> str:
        """What is wanted: `approval by 2 others of %dba`."""
        ...


Verification = Callable[[], Awaitable[Result]]
"""Looks whether the effect is there. Reads only. The runner's sink still takes what is said of that meanwhile."""


@dataclass(frozen=True, slots=True)
class Action:
    """One change to the outside world (or, with risk `read`, one look at it).

    `command` is the exact text that will run, secrets masked: it is what the operator confirms and what the
    journal keeps.
    """

    id: str
    """What kind of action: `runbook.step`, `postgres.terminate`, …"""
    title: str
    command: str
    target: str
    """What it touches, by the name a person would type: `energy-service`, `app.readings`."""
    risk: Risk
    runner: Runner
    timeout: float
    """Seconds of wall time for one attempt."""
    undo: str = ""
    verify: Verification | None = None
    run: str = ""
    """The runbook run this belongs to."""
    incident: str = ""
    confirm: str = ""
    """What it asks for on top of what mode and risk ask: empty, `yes`, or `type:TEXT`. It cannot ask for less."""
    secrets: tuple[Secret, ...] = ()
    """What must not be seen of it: masked in every text that leaves the door, and in the output."""
    verify_timeout: float = 60.0
    """Seconds for the verification."""
    details: tuple[tuple[str, str], ...] = ()
    """What else the journal keeps: a runbook's hash and commit, a session's user and query."""
    approval: Approval | None = None
    """What other people have to say first."""
