"""Which alerts still need somebody, and what the source `alerts` says of that."""

import asyncio
from dataclasses import replace
from typing import cast

import pytest

from opsconsole.alerts.asking import Alerts
from opsconsole.alerts.merging import merged
from opsconsole.alerts.model import RuleState, Survey
from opsconsole.alerts.needing import Need, need, needs
from opsconsole.alerts.source import QUERIES, AlertsSource
from opsconsole.config.settings import Environment
from opsconsole.core.reading import Query, SourceError
from opsconsole.core.values import Scalar
from opsconsole.sources.registry import Sources
from tests.unit.alerts.made import NOW, delivered, rule_alert, rule_side, side, silence


def surveyed(
    *given: tuple[str, str, tuple[str, ...]], pending: tuple[str, ...] = (), lost: tuple[str, ...] = ()
) -> Survey:
    """Of (name, state in Alertmanager, ids of silences); `lost` fire and are not delivered."""
    rules = [rule_alert(name) for name, *_ in given] + [rule_alert(name, active=9000.0) for name in lost]
    rules += [rule_alert(name, state=RuleState.PENDING) for name in pending]
    held = side(*(delivered(name, state=state, silenced=by) for name, state, by in given))
    silences = {one.id: one for one in (silence("s1"), silence("a1", "ACK! mine"))}
    whole = rule_side(*rules)
    return Survey(NOW, merged([whole], (held,), NOW), silences, (whole,), (held,))


@pytest.mark.parametrize(
    ("name", "state", "silenced", "whose"),
    [
        ("Down", "active", (), Need.OPEN),
        ("Down", "unprocessed", (), Need.OPEN),
        ("Down", "suppressed", ("s1",), Need.SILENCED),
        ("Down", "suppressed", ("s1", "a1"), Need.ACKNOWLEDGED),
        ("Down", "suppressed", ("gone",), Need.SILENCED),
        ("Down", "suppressed", (), Need.INHIBITED),
        ("Watchdog", "active", (), Need.NOBODYS),
    ],
)
def test_whose_an_alert_is(name: str, state: str, silenced: tuple[str, ...], whose: Need) -> None:
    survey = surveyed((name, state, silenced))
    assert need(survey.alerts[0], survey) is whose


def test_what_is_lost_needs_somebody_even_if_it_is_meant_to_fire() -> None:
    survey = surveyed(lost=("Watchdog",))
    assert need(survey.alerts[0], survey) is Need.OPEN


def test_what_a_prometheus_that_is_away_fired_is_still_whose_it_was() -> None:
    away = rule_side(*(rule_alert(name, state=RuleState.UNKNOWN) for name in ("Down", "Other")), error="refused")
    held = side()
    survey = Survey(NOW, merged([away], (held,), NOW), {"a1": silence("a1", "ACK! mine")}, (away,), (held,))
    whose = {one.name: need(one, survey) for one in survey.alerts}
    assert whose == {"Down": Need.ACKNOWLEDGED, "Other": Need.OPEN}
    over = replace(survey, silences={"a1": replace(silence("a1"), state="expired")})
    assert needs(over)[Need.OPEN] == 2


def test_every_alert_is_counted_once() -> None:
    survey = surveyed(
        ("A", "active", ()), ("B", "suppressed", ("a1",)), ("C", "suppressed", ("s1",)), ("Watchdog", "active", ()),
        pending=("D",), lost=("E",),
    )  # fmt: skip
    expected = {Need.OPEN: 2, Need.ACKNOWLEDGED: 1, Need.SILENCED: 1, Need.PENDING: 1, Need.NOBODYS: 1}
    assert needs(survey) == {one: expected.get(one, 0) for one in Need}


def asked(survey: Survey, text: str) -> float:
    """What the source answers where the alerts are these."""

    class Still:
        async def shared_survey(self, within: float = 2.0) -> Survey:
            return survey

    source = AlertsSource(cast("Environment", None), cast("Sources", None))
    source._alerts = cast("Alerts", Still())
    value = asyncio.run(source.read(Query("alerts", text))).value
    assert isinstance(value, Scalar)
    return value.value


def test_the_source_answers_each_count() -> None:
    survey = surveyed(("A", "active", ()), ("B", "suppressed", ("a1",)), ("C", "suppressed", ("s1",)))
    assert {text: asked(survey, text) for text in QUERIES} == {
        "open": 1, "acknowledged": 1, "silenced": 1, "inhibited": 0, "pending": 0, "nobody's": 0, "silent": 0,
    }  # fmt: skip


def test_unknown_is_no_number() -> None:
    nobody = replace(
        surveyed(),
        rules=(rule_side(error="refused"),),
        sides=(side(error="connection refused"),),
        notes=("prometheus: refused",),
    )
    with pytest.raises(SourceError, match="refused"):
        asked(nobody, "open")
    with pytest.raises(SourceError, match="expected one of open"):
        asked(surveyed(), "firing")


def test_where_only_alertmanager_is_silent_what_fires_needs_somebody() -> None:
    rules = rule_side(rule_alert("A"))
    dead = side(error="connection refused")
    assert asked(Survey(NOW, merged([rules], (dead,), NOW), {}, (rules,), (dead,)), "open") == 1


def test_the_more_alerts_there_are_the_longer_a_survey_serves_a_number_in_a_corner() -> None:
    given: list[float] = []

    class Still:
        async def shared_survey(self, within: float) -> Survey:
            given.append(within)
            return replace(surveyed(("A", "active", ())), alerts=surveyed(("A", "active", ())).alerts * 5_000)

    source = AlertsSource(cast("Environment", None), cast("Sources", None))
    source._alerts = cast("Alerts", Still())
    for _ in range(2):
        asyncio.run(source.read(Query("alerts", "open")))
    assert given == [2.0, 50.0]


def test_all_questions_about_a_survey_are_counted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[Survey] = []

    def counting(survey: Survey) -> dict[Need, int]:
        counted.append(survey)
        return needs(survey)

    monkeypatch.setattr("opsconsole.alerts.source.needs", counting)
    surveys = [surveyed(("A", "active", ())), surveyed(("A", "active", ()), ("B", "active", ()))]
    now = iter([surveys[0], surveys[0], surveys[1]])

    class Still:
        async def shared_survey(self, within: float) -> Survey:
            return next(now)

    source = AlertsSource(cast("Environment", None), cast("Sources", None))
    source._alerts = cast("Alerts", Still())
    answers = [asyncio.run(source.read(Query("alerts", text))).value for text in ("open", "silent", "open")]
    assert [one.value for one in answers if isinstance(one, Scalar)] == [1.0, 0.0, 2.0]
    assert counted == surveys
