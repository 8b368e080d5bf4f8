"""What is known of errors, whatever source they come from: occurrence, sample, kind, survey.

Times are unix seconds, rates are occurrences a second. Texts have passed `clean`. What is not known is None, never
zero or false.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

DAY = 86_400.0

_NOTHING: Mapping[str, str] = MappingProxyType({})


def _nothing() -> Mapping[str, str]:
    return _NOTHING


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One error, as a source told it."""

    at: float
    service: str
    type: str
    """`ValueError`, `java.net.ConnectException`, `ERROR 23505`, `HTTP 503`; empty where nothing names one."""
    message: str
    """On one line, as it was said."""
    trace: str = ""
    """The lines below it: a stack trace, mostly."""
    frame: str = ""
    """The topmost frame of the application: `loader.py:load`."""
    where: str = ""
    """Where it stands: `/var/log/app.log`, `DAG run task`."""
    labels: Mapping[str, str] = field(default_factory=_nothing)
    """What leads further: `dag_id`, `run_id`, `task_id`, …"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One of the latest occurrences of a kind."""

    at: float
    message: str
    trace: str = ""
    where: str = ""
    labels: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Mute:
    """Somebody knows of a kind: it is not new, and stands last, until `until`."""

    by: str
    at: float
    until: float | None = None
    """None: for good."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of error: what has the same fingerprint."""

    fingerprint: str
    source: str
    """`logs/energy`, `loki/app`, `postgres/app`, `airflow`, `metrics/http`."""
    service: str
    type: str
    message: str
    """Without what differs each time."""
    count: int
    """Within the window."""
    before: int | None
    """Within the window before it; None where that cannot be seen."""
    rate: float
    """A second, over the last ten minutes."""
    first_at: float | None
    """When it was seen first, ever; None where only its number is known."""
    last_at: float | None
    trend: tuple[int, ...]
    """Occurrences in equal parts of the window, the oldest first."""
    samples: tuple[Sample, ...] = ()
    """The latest first."""
    frame: str = ""
    new: bool | None = None
    """Not seen before yesterday at this time; None: nobody looked then."""
    mute: Mute | None = None

    @property
    def example(self) -> str:
        """The latest message as it was said; the normalized one where none is at hand."""
        return self.samples[0].message if self.samples else self.message

    @property
    def labels(self) -> Mapping[str, str]:
        """What leads further, of the latest sample."""
        return self.samples[0].labels if self.samples else _NOTHING


@dataclass(frozen=True, slots=True)
class Heard:
    """What one source said."""

    source: str
    kinds: tuple[Kind, ...] = ()
    covers_from_at: float | None = None
    """From when on nothing is missing; None: only from now on."""
    notes: tuple[str, ...] = ()
    """What could not be seen, and how to allow it."""
    error: str = ""
    """Why it said nothing; empty where it did."""
    shared: str = ""
    """What it has in common with other sources: the server of a database; empty: nothing."""
    shared_kinds: tuple[Kind, ...] = ()
    """Kinds of that, which all these sources hear alike."""


@dataclass(frozen=True, slots=True)
class ServiceErrors:
    """The errors of one service."""

    service: str
    kinds: int
    new: int
    count: int
    before: int | None
    rate: float
    last_at: float | None
    trend: tuple[int, ...]
    metered: bool
    """Whether its numbers are those of metrics; else the sum of what was logged."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything, at one moment."""

    taken_at: float
    window: float
    """Seconds that counts are of."""
    kinds: tuple[Kind, ...]
    """What is new first, then by rate; muted ones last."""
    heard: tuple[Heard, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def failed(self) -> bool:
        """Whether a source said nothing."""
        return any(one.error for one in self.heard)
