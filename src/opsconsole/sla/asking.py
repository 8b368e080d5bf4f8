"""Asking about SLAs: each of its own source, at a bounded cost; who does not answer is unknown, the rest is told."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opsconsole.config.settings import Environment
from opsconsole.config.slas import Sla, load_slas
from opsconsole.core.clean import clean_line
from opsconsole.core.paths import cache_dir
from opsconsole.core.problem import ContentError, nearest
from opsconsole.core.reading import SourceError
from opsconsole.sla import periods
from opsconsole.sla.burn import DAY
from opsconsole.sla.closed import ClosedDays
from opsconsole.sla.expressions import counts_of
from opsconsole.sla.periods import Period
from opsconsole.sla.reader import Wanted, slices_of
from opsconsole.sla.standing import TREND_DAYS, Counted, Standing, stale, standing, unread, worst_first

if TYPE_CHECKING:
    from opsconsole.pipelines.asking import Airflow
    from opsconsole.pipelines.model import Survey as AirflowSurvey
    from opsconsole.pipelines.model import Told
    from opsconsole.sla.airflow_counts import RunHistory
    from opsconsole.sla.prometheus_counts import PrometheusCounts
    from opsconsole.sla.sql_counts import SqlCounts
    from opsconsole.sources.registry import Sources

AT_ONCE = 2
"""SLAs that are counted by queries at a time: the panes ask the same sources."""
_SHARED = 30.0
"""Seconds for which a survey serves all that ask."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Every SLA at one moment."""

    taken_at: float
    standings: tuple[Standing, ...]
    """The worst first."""
    notes: tuple[str, ...] = ()
    """What could not be seen, and what is wrong in the file."""


class Slas:
    """The SLAs of an environment. Nothing is connected before it is asked."""

    def __init__(
        self,
        environment: Environment,
        sources: "Sources",
        slas: Sequence[Sla],
        *,
        notes: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        cache: Path | None = None,
    ) -> None:
        self._environment, self._sources = environment, sources
        self.slas, self._notes = tuple(slas), tuple(notes)
        self._clock, self._cache = clock, cache
        self._asked: frozenset[str] = frozenset()
        self._closed: dict[str, ClosedDays] = {}
        self._airflow: Airflow | None = None
        self._runs: RunHistory | None = None
        self._airflow_survey: asyncio.Future[Told[AirflowSurvey]] | None = None
        """One for all SLAs of one survey."""
        self._ready: dict[str, Standing] = {}
        """The latest of each."""
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._surveying: asyncio.Future[Survey] | None = None
        self._surveyed_at = float("-inf")

    def one(self, name: str) -> Sla:
        """The SLA of that name.

        Raises:
            ValueError: there is none.
        """
        found = next((one for one in self.slas if one.name == name), None)
        if found is None:
            names = [one.name for one in self.slas]
            raise ValueError(f"no SLA {name!r}{nearest(name, names)}; there are {', '.join(names) or 'none'}")
        return found

    def only(self, names: Sequence[str]) -> "Slas":
        """These alone; all, where none is named. Which DAGs one covers depends on the others still."""
        self._asked = frozenset(names)
        return self

    async def survey(self, patience: float | None = None) -> Survey:
        """Every SLA in its own window, now; one for all who ask within half a minute. Never raises for a source.

        Args:
            patience: seconds after which those that are still being read are told as they were last, or as unknown;
                reading goes on. None: wait for all.
        """
        now = self._clock()
        if self._surveying is None or (self._surveying.done() and now - self._surveyed_at > _SHARED):
            self._surveying, self._surveyed_at = asyncio.ensure_future(self._survey(now)), now
        if patience is None:
            return await asyncio.shield(self._surveying)
        done, _ = await asyncio.wait({self._surveying}, timeout=patience)
        return self._surveying.result() if done else self._so_far(now)

    def _so_far(self, now: float) -> Survey:
        """What has been read by now, of this time or of one before."""
        found = [self._ready.get(sla.name) or unread(sla, _period(sla, now), now) for sla in self.slas]
        return Survey(now, tuple(worst_first(found)), self._notes)

    async def report(self, period_of: Callable[[Sla], Period]) -> Survey:
        """Every SLA in the period that `period_of` names for it, compared with the one before."""
        now = self._clock()

        async def one(sla: Sla) -> Standing:
            period = period_of(sla)
            return await self._standing(sla, period, now, periods.before(period, sla.zone))

        return await self._all(one, now)

    async def _survey(self, now: float) -> Survey:
        async def one(sla: Sla) -> Standing:
            period = _period(sla, now)
            earlier = periods.before(period, sla.zone)
            # A longer past would cost as much again, for one number.
            whole = earlier if earlier.start >= now - TREND_DAYS * DAY else None
            found, known = await self._standing(sla, period, now, whole), self._ready.get(sla.name)
            if found.error and known is not None and known.tally.seconds > 0:
                found = stale(known, now, found.error)
            self._ready[sla.name] = found
            return found

        return await self._all(one, now)

    async def _all(self, one: Callable[[Sla], Awaitable[Standing]], now: float) -> Survey:
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._airflow_survey = None
        found = await asyncio.gather(*(one(sla) for sla in self.slas if not self._asked or sla.name in self._asked))
        return Survey(now, tuple(worst_first(found)), self._notes)

    async def _standing(self, sla: Sla, period: Period, now: float, earlier: Period | None) -> Standing:
        start = min(period.start, earlier.start if earlier else period.start)
        if sla.source != "airflow":  # whose runs are dear, a hundred at a time
            start = min(start, min(now, period.end) - TREND_DAYS * DAY)
        until = min(now, period.end)
        try:
            told = await self._counted(sla, start, until, live=until == now)
        except SourceError as error:
            return unread(sla, period, now, clean_line(f"{error.source}: {error.message}"))
        return await asyncio.to_thread(_stand, sla, told, period, now, earlier)

    async def _counted(self, sla: Sla, start: float, until: float, *, live: bool) -> Counted:
        if sla.promql is None and sla.sql is None:
            return await self._of_airflow(sla, start, until)
        reader = self._reader(sla)
        pauses = periods.merged(periods.excluded(sla.maintenance, start, until))
        edges = tuple(edge for span in pauses for edge in span)
        wanted = Wanted(start, until, sla.budget, edges, live=live)
        async with self._slots:
            slices = await slices_of(reader, self._closed_days(sla), wanted)
        return Counted(tuple(slices), notes=tuple(clean_line(note) for note in sorted(reader.notes)))

    def _reader(self, sla: Sla) -> "PrometheusCounts | SqlCounts":
        source = self._sources.get(sla.source)
        counts = counts_of(sla)
        if counts is None:
            from opsconsole.sla.sql_counts import SqlCounts

            return SqlCounts(source, sla)
        from opsconsole.sla.prometheus_counts import PrometheusCounts
        from opsconsole.sources.prometheus import PrometheusSource

        assert isinstance(source, PrometheusSource)
        return PrometheusCounts(source, counts)

    def _closed_days(self, sla: Sla) -> ClosedDays:
        """What is kept of it, under what it is: another expression is another thing."""
        known = self._environment.every_prometheus
        asked = known.get(sla.source if sla.promql else "prometheus")
        url = asked.url if asked else ""
        target = sla.target if sla.sql or (sla.promql and not sla.promql.total) else 0.0
        said = repr((self._environment.name, url, sla.kind, target, sla.promql, sla.sql))
        key = hashlib.sha256(said.encode()).hexdigest()[:24]
        if key not in self._closed:
            self._closed[key] = ClosedDays(None if self._cache is None else self._cache / f"{key}.json")
        return self._closed[key]

    async def _of_airflow(self, sla: Sla, start: float, until: float) -> Counted:
        from opsconsole.pipelines.opening import open_airflow
        from opsconsole.sla.airflow_counts import RunHistory, counted_of, covered

        self._runs = self._runs or RunHistory()
        if self._airflow is None:
            try:
                self._airflow = open_airflow(self._environment, self._sources)
            except ValueError as error:
                raise SourceError("airflow", "unsupported", str(error)) from None
        if self._airflow_survey is None:
            self._airflow_survey = asyncio.ensure_future(self._airflow.survey())
        told = await asyncio.shield(self._airflow_survey)
        dags = covered(self.slas, sla, told.value.dags)
        found, notes = await self._runs.since(self._airflow, told, dags, start)
        counted = await asyncio.to_thread(counted_of, sla, found, start, until)
        return Counted(counted.slices, (*told.origin.notes, *notes), counted.violations, counted.pending)


def open_slas(environment: Environment, sources: "Sources") -> Slas:
    """The SLAs of `environment`.

    Raises:
        ValueError: it names no file of them.
    """
    if environment.slas is None:
        raise ValueError(f"nothing is promised in {environment.name}: slas: in the configuration names no file")
    notes: tuple[str, ...] = ()
    try:
        slas, problems = load_slas(environment.slas)
    except ContentError as error:
        slas, problems = [], list(error.problems)
    wrong = [str(one) for one in problems if one.severity == "error"]
    if wrong:
        notes = (f"not all that was promised can be read: {wrong[0]}",)
    return Slas(environment, sources, slas, notes=notes, cache=cache_dir() / "slas")


def _stand(sla: Sla, told: Counted, period: Period, now: float, earlier: Period | None) -> Standing:
    return standing(sla, told, period, now, earlier=earlier)


def _period(sla: Sla, now: float) -> Period:
    return periods.current(sla.window, sla.zone, now)
