"""What Prometheus knows of an Airflow: for when neither its API nor its database answers.

What is not told is None, which is not zero: a metric that a profile lacks, or one of which there was no event.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from opsconsole.config.airflow_metrics import AirflowMetrics
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import Answer, Query, SourceError
from opsconsole.core.values import Vector
from opsconsole.pipelines.model import Component, Origin, Told, Way
from opsconsole.sources.airflow.expressions import EXPRESSIONS, text_of
from opsconsole.sources.airflow.profiles import Profile, possible
from opsconsole.sources.shared_reading import SharedReading

Ask = Callable[[Query], Awaitable[Answer]]
"""Asks Prometheus once. Raises SourceError where that fails."""

_MOST = 5000
"""Samples of one answer."""
_PROFILE_HOLDS = 60.0
"""Seconds until it is found out again: a family shows by the first run that ends."""
_BEATING = {"scheduler": "scheduler_beats", "dag-processor": "dag_processor_beats", "triggerer": "triggerer_beats"}
_NOT_TOLD = "metrics do not tell"


@dataclass(frozen=True, slots=True)
class Measured:
    """One DAG, or one task, within the last hour."""

    dag_id: str
    task_id: str
    """Empty: the DAG's runs."""
    seconds: float | None
    """How long it took on average; with `otel` the latest."""
    succeeded: float | None
    failed: float | None
    """How many runs; None where that is not told."""
    tasks_failed: float | None = None
    """How many task instances of the DAG."""


@dataclass(frozen=True, slots=True)
class PoolMeasured:
    """The slots of a pool."""

    pool: str
    open: float
    used: float | None
    queued: float | None = None
    starving: float | None = None
    """Tasks that wait for a slot."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """What Prometheus knows of an Airflow."""

    profile: str
    heartbeats: float | None
    """Of the scheduler, a second; None: none is told, which is not the same as none."""
    dags: tuple[Measured, ...]
    tasks: tuple[Measured, ...]
    pools: tuple[PoolMeasured, ...]
    components: tuple[Component, ...] = ()
    tasks_failed: float | None = None
    """Within the last hour, of all DAGs."""
    import_errors: float | None = None
    """Files."""
    known_dags: float | None = None
    queued: float | None = None
    """Tasks that wait for an executor."""
    running: float | None = None

    @property
    def alive(self) -> bool | None:
        """Whether the scheduler beats; None where nothing is told of it."""
        return None if self.heartbeats is None else self.heartbeats > 0


@dataclass(frozen=True, slots=True)
class ByMetrics(Told[Metrics]):
    """What Prometheus knows, in place of what Airflow was asked for."""

    why: str = ""
    """Why Airflow itself could not be asked."""


class NoMetricsError(SourceError):
    """Prometheus answers, and knows nothing of an Airflow."""


class Measuring:
    """One Airflow as Prometheus has it, by the profile that the configuration names, or that is found out."""

    def __init__(self, ask: Ask, said: AirflowMetrics, *, clock: Callable[[], float] = time.time) -> None:
        self._ask = ask
        self._said = said
        self._clock = clock
        self._profile: tuple[float, Profile] | None = None
        self._shared = SharedReading(self._read)

    async def read(self) -> ByMetrics:
        """Everything at once; one reading for all who ask within two seconds.

        Raises:
            SourceError: Prometheus does not answer, or knows of no Airflow.
        """
        return await self._shared.read()

    async def instead_of(self, error: SourceError) -> ByMetrics:
        """The same, where `error` says why Airflow itself cannot be asked; that is noted.

        Raises:
            SourceError: `error`, with why metrics are no help.
        """
        try:
            told = await self.read()
        except NoMetricsError:
            raise error from None
        except SourceError as other:
            raise SourceError(error.source, error.kind, f"{error.message}; and {other}", hint=error.hint) from other
        note = f"from metrics, for Airflow does not answer: {error.message}"
        return replace(told, origin=replace(told.origin, notes=(note, *told.origin.notes)), why=error.message)

    async def _read(self) -> ByMetrics:
        profile = await self._known()
        found = await read_metrics(self._ask, profile)
        return ByMetrics(found, self._clock(), Origin(Way.METRICS, profile.name))

    async def _known(self) -> Profile:
        choices = possible(self._said)
        if len(choices) == 1:
            return choices[0]
        now = time.monotonic()
        if self._profile is None or now - self._profile[0] > _PROFILE_HOLDS:
            found = await detect(self._ask, choices)
            if found is None:
                names = ", ".join(one.name for one in choices)
                raise NoMetricsError(
                    "prometheus", "unsupported", f"no metric of an Airflow is in Prometheus by the names of {names}",
                    hint="do they get there? airflow: {metrics: …} says which names they have",
                )  # fmt: skip
            self._profile = now, found
        return self._profile[1]


async def detect(ask: Ask, choices: Sequence[Profile]) -> Profile | None:
    """The profile by the names that exist: of runs, else of pools, else of the scheduler; None where none does.

    Raises:
        SourceError: Prometheus cannot be asked.
    """
    for probe in (_runs_probe, _pools_probe, _heart_probe):
        found = await asyncio.gather(*(_values(ask, probe(one), ()) for one in choices))
        for profile, values in zip(choices, found, strict=True):
            if values:
                return profile
    return None


def _runs_probe(profile: Profile) -> str:
    part = "" if profile.latest_only else "count"
    series = [profile.series(name, part, each=profile.in_name) for name in ("run_duration", "run_failed")]
    if "{" in profile.own.get("task_failures", ""):
        series.append(profile.series("task_failures"))
    return " or ".join(f"count({one})" for one in series if one)


def _pools_probe(profile: Profile) -> str:
    if profile.in_name:
        return f"count({profile.series('pool_open', each=True)})"
    series = profile.series("pool_open")
    opening = f"{series.removesuffix('}')}," if "{" in series else f"{series}{{"
    return f'count({opening}{profile.pool_label}!=""}})' if series else ""


def _heart_probe(profile: Profile) -> str:
    series = profile.series("scheduler_heartbeat")
    return f"count({series})" if series else ""


async def read_metrics(ask: Ask, profile: Profile) -> Metrics:
    """What Prometheus knows by the names of `profile`.

    Raises:
        SourceError: it cannot be asked.
    """
    answers = await asyncio.gather(*(_values(ask, text_of(name, profile), one.by) for name, one in EXPRESSIONS.items()))
    told = dict(zip(EXPRESSIONS, answers, strict=True))

    def alone(name: str) -> float | None:
        return told[name].get(())

    return Metrics(
        profile=profile.name,
        heartbeats=alone("scheduler_beats"),
        dags=_dags(told),
        tasks=_tasks(told),
        pools=_pools(told),
        components=tuple(_component(name, alone(beats)) for name, beats in _BEATING.items()),
        tasks_failed=sum(told["tasks_failed"].values()) if told["tasks_failed"] else None,
        import_errors=alone("import_errors"),
        known_dags=alone("dags"),
        queued=alone("queued"),
        running=alone("running"),
    )


_Values = Mapping[tuple[str, ...], float]


def _dags(told: Mapping[str, _Values]) -> tuple[Measured, ...]:
    seconds, succeeded, failed, tasks = (
        told[name] for name in ("run_seconds", "runs_succeeded", "runs_failed", "tasks_failed")
    )
    # Tasks of no DAG in particular are in the sum of all.
    keys = {key for values in (seconds, succeeded, failed, tasks) for key in values if key[0]}
    return tuple(
        Measured(key[0], "", seconds.get(key), succeeded.get(key), failed.get(key), tasks.get(key))
        for key in sorted(keys)
    )


def _tasks(told: Mapping[str, _Values]) -> tuple[Measured, ...]:
    found = sorted(told["task_seconds"].items())
    return tuple(Measured(dag_id, task_id, value, None, None) for (dag_id, task_id), value in found)


def _pools(told: Mapping[str, _Values]) -> tuple[PoolMeasured, ...]:
    used, queued, starving = (told[name] for name in ("pool_used", "pool_queued", "pool_starving"))
    return tuple(
        PoolMeasured(key[0], value, used.get(key), queued.get(key), starving.get(key))
        for key, value in sorted(told["pool_open"].items())
    )


def _component(name: str, beats: float | None) -> Component:
    if beats is None:
        return Component(name, None, detail=f"unknown: {_NOT_TOLD}", seen=False)
    return Component(name, beats > 0, detail="" if beats > 0 else "no heartbeat for 5m, by its metrics")


async def _values(ask: Ask, text: str, labels: tuple[str, ...]) -> dict[tuple[str, ...], float]:
    """(values of `labels`) -> value; nothing for an empty question."""
    if not text:
        return {}
    value = (await ask(Query("prometheus", text, max_rows=_MOST))).value
    if not isinstance(value, Vector):
        return {}
    return {
        tuple(clean_line(sample.labels.get(name, "")) for name in labels): sample.value
        for sample in value.samples
        if sample.value == sample.value  # NaN: nothing was told
    }
