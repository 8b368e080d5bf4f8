"""What Airflow knows, as one vocabulary for its versions: DAG, run, task instance, try, pool, import error, component.

Times are unix seconds by Airflow's clock, durations seconds; what Airflow has no value for is None, never zero. Texts
have passed `clean`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_INSTANCE = re.compile(r"(?P<task>.+)\[(?P<index>\d{1,9})\]")

FAILED = frozenset({"failed", "upstream_failed"})
"""States in which a task holds its run up, or ended it."""
FINISHED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
"""States from which a task goes nowhere by itself."""
ENDED = frozenset({"success", "failed"})
"""States of a run that is over."""
GOING_ON = frozenset({"running", "restarting", "deferred"})
WAITING = frozenset({"queued", "scheduled", "up_for_retry", "up_for_reschedule"})


class Way(StrEnum):
    """How a reading came."""

    API = "api"
    METADATA = "metadata"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a reading comes from, and what that means for it."""

    way: Way
    version: str
    """`3.3.2`; from the metadata database only `3` or `2`; from metrics the profile of their names."""
    notes: tuple[str, ...] = ()
    """What could not be seen, or why it did not come from the API; one sentence each."""


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """A reading: what Airflow told, when, and by which way."""

    value: T
    taken_at: float
    """Unix seconds by our clock."""
    origin: Origin
    cut: bool = False
    """There was more than was asked for."""
    ahead: float = 0.0
    """Seconds by which Airflow's clock is ahead of ours, where that can be told apart from the time it takes to ask."""

    @property
    def now(self) -> float:
        """`taken_at` by Airflow's clock: what goes on since then, or is due, is reckoned from this."""
        return self.taken_at + self.ahead


@dataclass(frozen=True, slots=True)
class Dag:
    """One DAG that is still in a file."""

    dag_id: str
    title: str
    """What people are shown; mostly the id."""
    paused: bool
    schedule: str
    """As Airflow words it: `0 0 * * *`, `@daily`; empty: only when somebody or something triggers it."""
    next_run_at: float | None
    """When the next scheduled run may begin."""
    owners: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    description: str = ""
    file: str = ""
    broken: bool = False
    """Its file has import errors now; what is known is of an earlier version."""
    most_runs: int = 0
    """`max_active_runs`; 0: not known."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a DAG."""

    dag_id: str
    run_id: str
    state: str
    """`queued`, `running`, `success`, `failed`."""
    kind: str
    """`scheduled`, `manual`, `backfill`, `asset_triggered`, …"""
    run_after_at: float | None
    """From when it could begin; in Airflow 2 the end of its data interval."""
    logical_at: float | None = None
    """None for what was triggered without one (3)."""
    queued_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    conf: str = ""
    """JSON; empty where there is none, or where it could not be read (metadata of 2: a pickle)."""
    note: str = ""
    cleared: int = 0
    """How often it was cleared; 0 where that is not told (API)."""

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.state in ENDED

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it goes on."""
        if self.started_at is None or self.ended_at is None or not self.ended:
            return None
        return max(0.0, self.ended_at - self.started_at)

    def running_for(self, now: float) -> float | None:
        """For how long it has been running at `now`; None where it is not. Never negative: clocks differ."""
        return None if self.state != "running" or self.started_at is None else max(0.0, now - self.started_at)


@dataclass(frozen=True, slots=True)
class Task:
    """One task instance, as its latest try left it."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    """-1: not mapped, or not expanded yet."""
    state: str
    """Empty: nothing has happened to it yet."""
    try_number: int
    max_tries: int
    """The try that may be the last has this number plus one."""
    operator: str = ""
    pool: str = ""
    queue: str = ""
    hostname: str = ""
    scheduled_at: float | None = None
    queued_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None

    @property
    def title(self) -> str:
        """`load`, or `load[3]` of a mapped one."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from the others of its run."""
        return self.task_id, self.map_index

    @property
    def retries(self) -> int:
        """How often it was tried again."""
        return max(0, self.try_number - 1)

    @property
    def seconds(self) -> float | None:
        """How long its latest try ran; None while it runs or where it never did."""
        if self.started_at is None or self.ended_at is None or self.state in GOING_ON:
            return None
        return max(0.0, self.ended_at - self.started_at)

    def waited(self, now: float) -> float | None:
        """Seconds from queued to started, or to `now` while it is queued; None where it was never queued."""
        if self.queued_at is None:
            return None
        if self.started_at is not None and self.started_at >= self.queued_at:
            return self.started_at - self.queued_at
        return max(0.0, now - self.queued_at) if self.state == "queued" else None


def instance_of(title: str) -> tuple[str, int | None]:
    """(task, map index) of what `Task.title` says: `load[3]`; None for the task as a whole."""
    found = _INSTANCE.fullmatch(title)
    return (found["task"], int(found["index"])) if found else (title, None)


@dataclass(frozen=True, slots=True)
class Try:
    """One try of a task instance."""

    number: int
    state: str
    queued_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    hostname: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it ran."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0.0, self.ended_at - self.started_at)


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file of DAGs that cannot be imported."""

    file: str
    seen_at: float | None
    trace: str

    @property
    def reason(self) -> str:
        """The last line of the trace, which names the error."""
        lines = [line.strip() for line in self.trace.splitlines() if line.strip()]
        return lines[-1] if lines else ""


@dataclass(frozen=True, slots=True)
class Pool:
    """Slots that tasks share."""

    name: str
    slots: int
    """-1: as many as anybody wants."""
    running: int
    queued: int
    deferred: int
    description: str = ""
    scheduled: int = 0
    counts_deferred: bool = False

    @property
    def used(self) -> int:
        """Slots that are taken."""
        return self.running + self.queued + (self.deferred if self.counts_deferred else 0)

    @property
    def open(self) -> int | None:
        """Slots that are free; None without a limit."""
        return None if self.slots < 0 else max(0, self.slots - self.used)

    @property
    def starving(self) -> bool:
        """Nothing is free and something waits."""
        return self.open == 0 and self.queued + self.scheduled > 0


@dataclass(frozen=True, slots=True)
class Component:
    """A part of Airflow, and its last sign of life."""

    name: str
    """`scheduler`, `dag-processor`, `triggerer`, `metadatabase`, `api`, `worker`."""
    alive: bool | None
    """None: there is none, or it says nothing."""
    seen_at: float | None = None
    host: str = ""
    detail: str = ""
    seen: bool = True
    """Whether this way can see it at all; otherwise it may well live."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a task's log."""

    text: str
    at: float | None = None
    level: str = ""

    @property
    def searched(self) -> str:
        """What a search looks at: the level, as it is shown, and the text."""
        return f"{self.level.upper()} {self.text}" if self.level else self.text


@dataclass(frozen=True, slots=True)
class DagParam:
    """One parameter of a DAG. Its default and schema are as they came: JSON, not clean, and sent back like that."""

    name: str
    default: Any
    """None: nothing, which is a value only where the schema allows `null`."""
    schema: Mapping[str, Any]
    """JSON schema; empty: anything."""
    about: str = ""
    """Its title and description, for people; clean."""

    @property
    def required(self) -> bool:
        """Whether a run without a value for it is refused."""
        if self.default is not None:
            return False
        types = self.schema.get("type")
        return bool(types) and types != "null" and not (isinstance(types, list) and "null" in types)


@dataclass(frozen=True, slots=True)
class Asset:
    """What tasks update, and DAGs are started by; a dataset in Airflow 2."""

    name: str
    uri: str
    producers: tuple[tuple[str, str], ...] = ()
    """(DAG id, task id) of those that update it."""
    consumers: tuple[str, ...] = ()
    """Ids of the DAGs that wait for it."""
    updated_at: float | None = None
    """None: never, as far as that is told."""

    @property
    def producing_dags(self) -> tuple[str, ...]:
        """Ids of the DAGs that update it."""
        return tuple(dict.fromkeys(dag_id for dag_id, _ in self.producers))


@dataclass(frozen=True, slots=True)
class Queued:
    """An update of an asset that waits for the others that a DAG needs."""

    dag_id: str
    uri: str
    since_at: float | None = None


@dataclass(frozen=True, slots=True)
class Awaited:
    """What has to be updated so that a DAG starts."""

    how: str
    """`all` or `any` of what is in `of`; else it is one `asset`, or an `alias`: whatever is updated under its name."""
    of: tuple["Awaited", ...] = ()
    name: str = ""
    """Empty in Airflow 2, where assets have only a URI."""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """The assets that tie DAGs, and what waits now."""

    assets: tuple[Asset, ...]
    queued: tuple[Queued, ...] = ()
    awaited: Mapping[str, Awaited] = field(default_factory=dict)
    """DAG id -> what starts it, where that is told."""


Structure = Mapping[str, tuple[str, ...]]
"""Task id -> the ids of those that follow it directly."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Every DAG, and the latest runs of each."""

    dags: tuple[Dag, ...]
    runs: Mapping[str, Sequence[Run]]
    """DAG id -> its latest runs, the newest first (a `run_list.RunList`, where there are thousands)."""
    unseen: tuple[str, ...] = ()
    """Ids of DAGs of which it is not known yet how they ended last, though they may have."""


@dataclass(frozen=True, slots=True)
class RunDetail:
    """One run with its tasks."""

    run: Run
    tasks: tuple[Task, ...]
    structure: Structure
    """Of the DAG as it is now; empty where that is not to be had."""


@dataclass(frozen=True, slots=True)
class DagHistory:
    """The latest runs of one DAG, the newest first, with the tasks that began in them."""

    runs: tuple[Run, ...]
    tasks: tuple[Task, ...]
    structure: Structure
    """Of the DAG as it is now."""
