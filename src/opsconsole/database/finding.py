"""A finding: something about a database that somebody should know, and what can be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from opsconsole.core.state import State

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Fix:
    """What would repair it: one of the console's own actions, so that it goes through the one door."""

    action: str
    """Its id, such as `postgres.vacuum`."""
    arguments: Mapping[str, str]
    sql: str
    """The exact statement, for people."""
    lock: str
    """The strongest lock it takes and for how long, in words: `SHARE UPDATE EXCLUSIVE on app.readings`."""
    undo: str = ""
    """The statement that takes it back, or why there is none."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, with the evidence for it."""

    id: str
    """What kind: `unused-index`, `dead-rows`, `slow-query`."""
    state: State
    """WARN or CRIT where it needs somebody; OK for advice."""
    subject: str
    """What it is about, as people write it: `app.readings_old_idx`."""
    title: str
    """One line: what is wrong."""
    why: str
    """Why that is bad, with the numbers."""
    advice: str = ""
    """What to do, where no action of the console does it."""
    effect: float = 0.0
    """What repairing it is worth, for ranking: bytes that come free, or seconds a day that are saved; see `unit`."""
    unit: str = ""
    """`bytes` or `s`; empty where the effect has no number."""
    evidence: Mapping[str, object] = field(default_factory=lambda: _NOTHING)
    """The numbers it rests on, by name."""
    fix: Fix | None = None
    caveats: tuple[str, ...] = ()
    """What would make it wrong: young statistics, a standby that was not asked."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What could not be seen, and how to allow it: one sentence each."""

    notes: tuple[str, ...] = ()

    def __add__(self, other: "Coverage") -> "Coverage":
        return Coverage(tuple(dict.fromkeys((*self.notes, *other.notes))))


NOTHING_HIDDEN = Coverage()
