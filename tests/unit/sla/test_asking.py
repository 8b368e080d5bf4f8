"""Asking about SLAs while sources are slow, fail and come back: what is known stays, with its age."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsconsole.config.airflow_metrics import AirflowMetrics
from opsconsole.config.settings import Environment
from opsconsole.config.slas import Promql, Sla
from opsconsole.core.reading import Answer, Query, SourceError
from opsconsole.core.state import State
from opsconsole.core.values import Sample, Vector
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.metrics import Measuring
from opsconsole.sla.asking import Apart, Slas, open_slas
from opsconsole.sla.shares import Share
from opsconsole.sla.slices import Slice
from opsconsole.sla.standing import Counted, Standing
from opsconsole.sources.registry import Sources

NOWHERE = Path("nowhere")
ENVIRONMENT = Environment("test", screens=NOWHERE, runbooks=NOWHERE)
FAST, SLOW = (Sla(name, "availability", objective=0.99, promql=Promql(value="up")) for name in ("fast", "slow"))
REFUSED = SourceError("prometheus", "unreachable", "connection refused")


class _Made(Slas):
    """SLAs whose counts are made here."""

    def __init__(self) -> None:
        self.now = 40 * 86400.0
        super().__init__(ENVIRONMENT, Sources(ENVIRONMENT), (FAST, SLOW), clock=lambda: self.now)
        self.slow = asyncio.Event()
        self.earlier: asyncio.Event | None = None
        """What is before a week is told when this is set."""
        self.failing = False
        self.refused: Sla | None = None
        self.counted: list[str] = []

    async def _counted(self, sla: Sla, start: float, until: float, since: float, *, live: bool) -> Counted:
        self.counted.append(sla.name)
        if self.failing or sla is self.refused:
            raise REFUSED
        if sla is SLOW:
            await self.slow.wait()
        if self.earlier is not None and start < self.now - 8 * 86400.0:
            await self.earlier.wait()
        return Counted((Slice(start, until, 0.0, 1000.0),))


async def told(slas: Slas, patience: float | None = None) -> dict[str, Any]:
    return {one.sla.name: one for one in (await slas.survey(patience)).standings}


async def test_who_is_slow_is_not_waited_for_and_comes_later() -> None:
    slas = _Made()
    await asyncio.wait_for(slas.told(60.0), 5.0)
    found = await told(slas, 0.05)
    assert (found["fast"].state, found["slow"].waiting, found["slow"].why) == (State.OK, True, "not read yet")
    slas.slow.set()
    assert {one.state for one in (await told(slas)).values()} == {State.OK}


async def test_each_is_told_when_it_is_read_and_nobody_waits_for_all() -> None:
    slas = _Made()
    first = await asyncio.wait_for(slas.told(60.0), 5.0)
    assert [(one.sla.name, one.waiting) for one in first.standings] == [("fast", False), ("slow", True)]
    following = asyncio.ensure_future(slas.told(60.0))
    await asyncio.sleep(0)
    assert not following.done(), "there is nothing new"
    slas.slow.set()
    assert [one.waiting for one in (await asyncio.wait_for(following, 5.0)).standings] == [False, False]


async def test_a_week_is_told_before_the_days_and_the_week_before_it_are_read() -> None:
    slas = _Made()
    slas.slas = (Sla("slow", "pipeline", dag="*", target=60.0, window="7d"),)
    slas.earlier = asyncio.Event()
    (brief,) = (await asyncio.wait_for(slas.told(60.0), 5.0)).standings
    assert (brief.state, brief.before, brief.sli) == (State.OK, None, 1.0)
    slas.earlier.set()
    (whole,) = (await slas.survey()).standings
    assert whole.before is not None
    assert slas.counted == ["slow", "slow"]


class _Days:
    """A `Reader` of one event a minute, all good, that tells of days of old when it is let."""

    partial = goes_on = False
    notes: frozenset[str] = frozenset()

    def __init__(self, now: float) -> None:
        self.now, self.let, self.roughly = now, asyncio.Event(), 0

    async def grid(self, start: float, end: float, step: float) -> list[Slice]:
        if start < self.now - 5 * 86400.0:
            await self.let.wait()
        return [
            Slice(start + at * step, start + (at + 1) * step, 0.0, step / 60)
            for at in range(round((end - start) / step))
        ]

    async def piece(self, start: float, end: float) -> Slice | None:
        return Slice(start, end, 0.0, (end - start) / 60)

    async def rough(self, start: float, end: float) -> Slice | None:
        self.roughly += 1
        return await self.piece(start, end)


class _Looked(_Made):
    """SLAs that are counted by one reader."""

    def __init__(self) -> None:
        super().__init__()
        self.days = _Days(self.now)

    async def _counted(self, sla: Sla, start: float, until: float, since: float, *, live: bool) -> Counted:
        return await Slas._counted(self, sla, start, until, since, live=live)

    def _reader(self, sla: Sla) -> Any:
        return self.days


async def test_all_have_a_first_look_before_old_days_are_read() -> None:
    slas = _Looked()
    async with asyncio.timeout(5.0):
        first = await slas.told(60.0)
        while any(one.waiting for one in first.standings):
            first = await slas.told(60.0)
    for one in first.standings:
        assert (one.brief, one.state, one.sli, one.trend, one.violations) == (True, State.OK, 1.0, (), ())
        assert one.tally.total == pytest.approx(30 * 1440, rel=0.01)
        assert one.notes == ("a first look: days, violations and the exact share follow",)
    slas.days.let.set()
    whole = await slas.survey()
    assert [(one.brief, len(one.trend), one.notes) for one in whole.standings] == [(False, 30, ())] * 2
    # What is known is read without one.
    slas.now += 60
    await slas.told(60.0)
    await slas.survey()
    assert slas.days.roughly == 2


async def test_who_waits_for_all_asks_once() -> None:
    slas = _Made()
    slas.slas = (replace(FAST, window="7d"),)
    await slas.survey()
    assert slas.counted == ["fast"]


async def test_one_survey_is_for_all_who_ask_within_half_a_minute() -> None:
    slas = _Made()
    slas.slow.set()
    first, second = await asyncio.gather(slas.survey(), slas.survey())
    assert first is second
    slas.now += 29
    assert await slas.survey() is first
    slas.now += 2
    assert await slas.survey() is not first


async def test_while_a_source_is_down_the_last_figures_stay_with_their_age() -> None:
    slas = _Made()
    slas.slow.set()
    await slas.survey()
    slas.failing = True
    for minutes in (1, 2):
        slas.now += 60
        found = (await told(slas))["fast"]
        assert (found.state, found.why, found.sli) == (State.STALE, "was OK", 1.0)
        assert found.error == f"prometheus: connection refused; known of {minutes}m ago"
    slas.failing = False
    slas.now += 60
    assert ((await told(slas))["fast"].state, (await told(slas))["fast"].error) == (State.OK, "")


async def test_a_source_that_is_back_is_asked_within_seconds() -> None:
    slas = _Made()
    slas.slow.set()
    slas.failing = True
    assert (await told(slas))["fast"].state is State.UNKNOWN
    slas.failing = False
    slas.now += 5
    assert (await told(slas))["fast"].state is State.UNKNOWN, "who hangs is not asked all the time"
    slas.now += 1
    assert (await told(slas))["fast"].state is State.OK


async def test_of_many_only_the_one_that_failed_is_asked_again_at_once() -> None:
    slas = _Made()
    slas.slow.set()
    slas.refused = SLOW
    for _ in range(3):
        await slas.survey()
        slas.now += 6
    assert sorted(slas.counted) == ["fast", "slow", "slow", "slow"]


async def test_a_source_that_never_answered_is_unknown() -> None:
    slas = _Made()
    slas.failing = True
    found = (await told(slas))["fast"]
    assert (found.state, found.sli, found.error) == (State.UNKNOWN, None, "prometheus: connection refused")


class _Away(_Made):
    """A pipeline whose Airflow is away, or says no, while Prometheus has its metrics."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.slas = (Sla("loads", "pipeline", dag="*", target=60.0),)
        self.kind, self.away = kind, True
        self._airflow = Airflow(None, None)

        async def prometheus(query: Query) -> Answer:
            labels = {"dag_id": "load"} if "fail" in query.text else {}
            return Answer(Vector((Sample(labels, 2.0, self.now),)), self.now, 0.0)

        self._measuring = Measuring(prometheus, AirflowMetrics("statsd-exporter"))

    async def _counted(self, sla: Sla, start: float, until: float, since: float, *, live: bool) -> Counted:
        if self.away:
            raise SourceError("airflow", self.kind, "it says nothing")
        return Counted((Slice(start, until, 0.0, 1000.0),))


async def test_while_airflow_is_away_metrics_stand_beside_what_was_known() -> None:
    slas = _Away("unreachable")
    (found,) = (await slas.survey()).standings
    assert (found.state, found.error) == (State.UNKNOWN, "airflow: it says nothing")
    assert found.because == "metrics: 2 runs failed within 1h: load"
    slas.away, slas.now = False, slas.now + 60
    (found,) = (await slas.survey()).standings
    assert (found.measured, found.because) == (None, "")
    slas.away = True
    for _ in range(2):
        slas.now += 60
        (found,) = (await slas.survey()).standings
        assert (found.state, found.sli) == (State.STALE, 1.0)
        assert found.because == "was OK; metrics: 2 runs failed within 1h: load"


async def test_what_airflow_refuses_is_not_had_from_metrics() -> None:
    (found,) = (await _Away("forbidden").survey()).standings
    assert (found.state, found.measured, found.because) == (State.UNKNOWN, None, "airflow: it says nothing")


def test_a_file_with_errors_tells_the_first_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "slas.yaml"
    path.write_text("version: 1\nslas:\n  - {name: a, kind: pipeline, dag: x, target: 2h}\n  - {name: b}\n")
    slas = open_slas(Environment("test", screens=NOWHERE, runbooks=NOWHERE, slas=path), Sources(ENVIRONMENT))
    assert [one.name for one in slas.slas] == ["a"]
    assert "slas.yaml:4:5: error: slas[2]: key 'kind' is missing" in slas._notes[0]
    with pytest.raises(ValueError, match="names no file"):
        open_slas(ENVIRONMENT, Sources(ENVIRONMENT))


class _Burnt(_Made):
    """SLAs of which one in ten was bad; whose that is, is known when `asked` is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.slow.set()
        self.asked, self.times = asyncio.Event(), 0

    async def _counted(self, sla: Sla, start: float, until: float, since: float, *, live: bool) -> Counted:
        return Counted((Slice(start, until, 100.0, 1000.0),))

    async def _tell_apart(self, one: Standing) -> None:
        self.times += 1
        await self.asked.wait()
        self._apart[one.sla.name] = Apart(one.taken_at, (Share({"job": "a"}, 3.0, 1.0),))


async def test_whose_what_was_bad_is_comes_with_a_later_reading_and_serves_ten_minutes() -> None:
    slas = _Burnt()
    await slas.survey()
    assert slas.times == 0, "that waits until all were read"
    first = await slas.told(1.0)
    assert [one.shares for one in first.standings] == [(), ()]
    slas.asked.set()
    assert slas._telling is not None
    await slas._telling
    (share,) = (await slas.told(1.0)).standings[0].shares
    # As a share of what was counted, whatever it was told apart by.
    assert share.of == {"job": "a"}
    assert share.bad == pytest.approx(first.standings[0].tally.bad)
    slas.now += 590
    await slas.survey()
    await slas.told(1.0)
    assert slas.times == 2
    slas.now += 60
    await slas.survey()
    await slas.told(1.0)
    await slas._telling
    assert slas.times == 4
