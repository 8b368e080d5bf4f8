"""Asking about SLAs: each of its own source, at a bounded cost; who does not answer is unknown, the rest is told."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from opsconsole.sla.shares import Share, scaled
from opsconsole.sla.standing import TREND_DAYS, Counted, Standing, stale, standing, unread, worst_first

if TYPE_CHECKING:
    from opsconsole.pipelines.asking import Airflow
    from opsconsole.pipelines.metrics import Measuring
    from opsconsole.pipelines.model import Survey as AirflowSurvey
    from opsconsole.pipelines.model import Told
    from opsconsole.sla.airflow_counts import RunHistory
    from opsconsole.sla.airflow_measured import RunsMeasured
    from opsconsole.sla.prometheus_counts import Increases, Minutes
    from opsconsole.sla.sql_counts import SqlCounts
    from opsconsole.sources.registry import Sources

AT_ONCE = 2
"""SLAs that are counted by queries at a time: the panes ask the same sources."""
_SHARES_SERVE = 600.0
"""Seconds for which it is known whose what was bad is."""
_SHARED = 30.0
"""Seconds for which a survey serves all that ask."""
_SHARED_FAILED = 5.0
"""Seconds for which one does in which a source did not answer: it may be back. Only what failed is asked again."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Every SLA at one moment."""

    taken_at: float
    standings: tuple[Standing, ...]
    """The worst first."""
    notes: tuple[str, ...] = ()
    """What could not be seen, and what is wrong in the file."""


@dataclass(frozen=True, slots=True)
class Apart:
    """Whose what was bad of an SLA is, as it was at a moment."""

    at: float
    shares: tuple[Share, ...]
    notes: tuple[str, ...] = ()


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
        self._asked: frozenset[str] | None = None
        self._closed: dict[str, ClosedDays] = {}
        self._airflow: Airflow | None = None
        self._runs: RunHistory | None = None
        self._measuring: Measuring | None = None
        self._airflow_survey: asyncio.Future[Told[AirflowSurvey]] | None = None
        """One for all SLAs of one survey."""
        self._ready: dict[str, Standing] = {}
        """The latest of each."""
        self._apart: dict[str, Apart] = {}
        self._arrived = asyncio.Event()
        """Set, and replaced, when one more has been read."""
        self._telling: asyncio.Future[Survey] | None = None
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._surveying: asyncio.Future[Survey] | None = None
        self._surveyed_at = float("-inf")

    @property
    def _wanted(self) -> list[Sla]:
        """Those that are asked about."""
        return [one for one in self.slas if self._asked is None or one.name in self._asked]

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
        """These alone. Which DAGs one covers depends on the others still."""
        self._asked = frozenset(names)
        return self

    async def survey(self, patience: float | None = None) -> Survey:
        """Every SLA in its own window, as it was half a minute ago, or a minute at most; what failed is asked again
        within seconds. Never raises for a source.

        Args:
            patience: seconds after which those that are still being read are told as they were last, or as unknown;
                reading goes on. None: wait for all.
        """
        surveying, now = self._going_on(brief=patience is not None), self._clock()
        if patience is None:
            return await asyncio.shield(surveying)
        done, _ = await asyncio.wait({surveying}, timeout=patience)
        return surveying.result() if done else self._so_far(now)

    def _going_on(self, *, brief: bool) -> "asyncio.Future[Survey]":
        """The survey that is being taken, or was just now; a new one where that is too old. `brief`: somebody looks on
        while it is taken, so each SLA is told of its window first, and then of the time before."""
        now = self._clock()
        if self._surveying is None or (self._surveying.done() and now - self._surveyed_at > self._serves):
            self._surveying, self._surveyed_at = asyncio.ensure_future(self._survey(now, brief=brief)), now
        return self._surveying

    @property
    def _serves(self) -> float:
        """Seconds for which the latest survey serves."""
        failed = any(self._ready[sla.name].error for sla in self._wanted if sla.name in self._ready)
        return _SHARED_FAILED if failed else _SHARED

    def _so_far(self, now: float) -> Survey:
        """What has been read by now, of this time or of one before."""
        found = [self._ready.get(sla.name) or unread(sla, _period(sla, now), now) for sla in self._wanted]
        return Survey(now, tuple(worst_first(found)), self._notes)

    async def apart(self, survey: Survey) -> Survey:
        """`survey` with whose what was bad is, for every SLA of which anything was. Prometheus is asked about a window
        as a whole for it, so each answer serves for ten minutes."""
        await asyncio.gather(*(self._tell_apart(one) for one in survey.standings if self._is_due(one)))
        return replace(survey, standings=tuple(map(self._with_shares, survey.standings)))

    async def told(self, patience: float) -> Survey:
        """What there is as soon as there is more: one more SLA was read, or all were, or `patience` seconds are over.
        With `apart` as far as that is known; the rest is asked for when all were read, and comes with a later one."""
        surveying, now = self._going_on(brief=True), self._clock()
        one_more = asyncio.ensure_future(self._arrived.wait())
        either: set[asyncio.Future[Any]] = {surveying, one_more}
        await asyncio.wait(either, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        one_more.cancel()
        survey = surveying.result() if surveying.done() else self._so_far(now)
        idle = surveying.done() and (self._telling is None or self._telling.done())
        if idle and any(map(self._is_due, survey.standings)):
            self._telling = asyncio.ensure_future(self.apart(survey))
        return replace(survey, standings=tuple(map(self._with_shares, survey.standings)))

    def _is_due(self, one: Standing) -> bool:
        if one.sla.promql is None or one.tally.bad <= 0:
            return False
        known = self._apart.get(one.sla.name)
        return known is None or one.taken_at - known.at > _SHARES_SERVE

    async def _tell_apart(self, one: Standing) -> None:
        from opsconsole.sla.prometheus_shares import shares_of
        from opsconsole.sources.prometheus import PrometheusSource

        source, counts = self._sources.get(one.sla.source), counts_of(one.sla)
        assert isinstance(source, PrometheusSource)
        assert counts is not None
        try:
            async with self._slots:
                shares = await shares_of(source, counts, one.period.start, min(one.taken_at, one.period.end))
        except SourceError as error:
            note = clean_line(f"which series were bad is not known: {error.message}")
            self._apart[one.sla.name] = Apart(one.taken_at, (), (note,))
        else:
            self._apart[one.sla.name] = Apart(one.taken_at, shares)

    def _with_shares(self, one: Standing) -> Standing:
        known = self._apart.get(one.sla.name)
        if known is None or one.sla.promql is None or one.tally.bad <= 0:
            return one
        return replace(one, shares=scaled(known.shares, one.tally.bad), notes=(*one.notes, *known.notes))

    async def report(self, period_of: Callable[[Sla], Period]) -> Survey:
        """Every SLA in the period that `period_of` names for it, compared with the one before."""
        now = self._clock()

        async def one(sla: Sla) -> Standing:
            period = period_of(sla)
            return await self._standing(sla, period, now, periods.before(period, sla.zone))

        return await self._all(one, now)

    async def _survey(self, now: float, *, brief: bool = False) -> Survey:
        async def one(sla: Sla) -> Standing:
            known = self._ready.get(sla.name)
            if known is not None and not known.error and now - known.taken_at <= _SHARED:
                return known
            period = _period(sla, now)
            earlier = periods.before(period, sla.zone)
            # A longer past would cost as much again, for one number.
            whole = earlier if earlier.start >= now - TREND_DAYS * DAY else None
            if brief and known is None and period.start > self._since(sla, period, now, whole):
                self._arrive(await self._standing(sla, period, now, None, brief=True))
            found = await self._standing(sla, period, now, whole)
            if found.error and known is not None and known.tally.seconds > 0:
                found = stale(known, now, found.error, found.measured)
            self._arrive(found)
            return found

        return await self._all(one, now)

    def _arrive(self, found: Standing) -> None:
        """Tell whoever waits for one more."""
        self._ready[found.sla.name] = found
        self._arrived.set()
        self._arrived = asyncio.Event()

    async def _all(self, one: Callable[[Sla], Awaitable[Standing]], now: float) -> Survey:
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._airflow_survey = None
        found = await asyncio.gather(*(one(sla) for sla in self._wanted))
        return Survey(now, tuple(worst_first(found)), self._notes)

    def _since(self, sla: Sla, period: Period, now: float, earlier: Period | None) -> float:
        """From when on it is counted: the period, the one before, and the days of the trend."""
        start = min(period.start, earlier.start if earlier else period.start)
        # Runs of Airflow are dear: they come a hundred at a time.
        return start if sla.source == "airflow" else min(start, min(now, period.end) - TREND_DAYS * DAY)

    async def _standing(
        self, sla: Sla, period: Period, now: float, earlier: Period | None, *, brief: bool = False
    ) -> Standing:
        """`brief`: of the period alone."""
        start = period.start if brief else self._since(sla, period, now, earlier)
        until = min(now, period.end)
        try:
            told = await self._counted(sla, start, until, period.start, live=until == now)
        except SourceError as error:
            told_by = await self._measured(sla, error)
            return unread(sla, period, now, clean_line(f"{error.source}: {error.message}"), told_by)
        return await asyncio.to_thread(_stand, sla, told, period, now, earlier)

    async def _measured(self, sla: Sla, error: SourceError) -> "RunsMeasured | None":
        """What metrics say of pipelines while neither API nor database of Airflow answers; None where they are no
        help. A refusal stays one."""
        if sla.source != "airflow" or self._airflow is None:
            return None
        from opsconsole.pipelines.asking import DOWN
        from opsconsole.pipelines.opening import open_measuring
        from opsconsole.sla.airflow_measured import runs_measured

        self._measuring = self._measuring or open_measuring(self._environment, self._sources)
        if error.kind not in DOWN or self._measuring is None:
            return None
        try:
            told = await self._measuring.read()
        except SourceError:
            return None
        return runs_measured(self.slas, sla, told.value)

    async def _counted(self, sla: Sla, start: float, until: float, since: float, *, live: bool) -> Counted:
        """What there is from `start` to `until`, and whose what was bad from `since` on."""
        if sla.promql is None and sla.sql is None:
            return await self._of_airflow(sla, start, until, since)
        reader = self._reader(sla)
        pauses = periods.merged(periods.excluded(sla.maintenance, start, until))
        edges = tuple(edge for span in pauses for edge in span)
        wanted = Wanted(start, until, sla.budget, edges, live=live)
        async with self._slots:
            slices = await slices_of(reader, self._closed_days(sla), wanted)
        return Counted(tuple(slices), notes=tuple(clean_line(note) for note in sorted(reader.notes)))

    def _reader(self, sla: Sla) -> "Increases | Minutes | SqlCounts":
        source = self._sources.get(sla.source)
        counts = counts_of(sla)
        if counts is None:
            from opsconsole.sla.sql_counts import SqlCounts

            return SqlCounts(source, sla)
        from opsconsole.sla.prometheus_counts import prometheus_counts
        from opsconsole.sources.prometheus import PrometheusSource

        assert isinstance(source, PrometheusSource)
        return prometheus_counts(source, counts)

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

    async def _of_airflow(self, sla: Sla, start: float, until: float, since: float) -> Counted:
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
        counted = await asyncio.to_thread(counted_of, sla, found, start, until, since, ahead=told.ahead)
        return replace(counted, notes=(*told.origin.notes, *notes))


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
