"""The entries of the journal."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Intent:
    """Written, and on disk, before anything is done. Also for what is then refused."""

    attempt: str
    """Unique id that ties the outcome to this intent."""
    at: float
    """Unix seconds."""
    actor: str
    host: str
    environment: str
    action: str
    title: str
    target: str
    risk: str
    command: str
    run: str = ""
    incident: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """Written when the attempt has ended, however it ended."""

    attempt: str
    at: float
    outcome: str
    exit_code: int | None = None
    detail: str = ""
    duration: float = 0.0
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One attempt as `audit list` shows it: an intent with its conclusion, if there is one."""

    intent: Intent
    conclusion: Conclusion | None

    @property
    def outcome(self) -> str:
        """The recorded outcome; `unknown` where the attempt has no conclusion."""
        return self.conclusion.outcome if self.conclusion else "unknown"
