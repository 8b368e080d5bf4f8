"""How alerts look, and what each key does: on a survey made by hand."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot

from opsconsole.alerts.asking import Alerts
from opsconsole.alerts.episodes import Episode, History
from opsconsole.alerts.explaining import Explanation, Measured
from opsconsole.alerts.expression import Condition
from opsconsole.alerts.model import Alert, Survey
from opsconsole.config.settings import AlertmanagerSettings
from opsconsole.runbooks.repair import with_values
from opsconsole.ui.alerts.choosing import silence_choices
from opsconsole.ui.alerts.renewing import renewable
from opsconsole.ui.app import OpsConsole
from opsconsole.ui.screens.alerts import AlertsView, AlertView, open_repairs
from opsconsole.ui.screens.runbook import RunbookView
from opsconsole.ui.screens.several import SeveralView
from tests.faults import refusing_port
from tests.screens.driving import in_time, painted, press, sees, settle, text_of
from tests.screens.fake_session import fake_session
from tests.screens.still import StillSources, still_session
from tests.screens.test_pipelines import opened_at
from tests.unit.ui.alerts.surveys import NOW, SILENCES, survey

pytestmark = pytest.mark.usefixtures("still_surroundings")

Compare = Callable[..., bool]
SIZES = ((80, 24), (120, 40))


class ByHand:
    """Answers as `alerts.asking.Alerts` does."""

    async def shared_survey(self, within: float = 2.0) -> Survey:
        return survey(flapping={"api": 4})

    async def history(self, seconds: float, read: Survey) -> History:
        labels = {"alertname": "ApiDown", "severity": "critical", "job": "api"}
        found = (Episode(labels, NOW - 120, NOW - 120, None), Episode(labels, NOW - 7200, NOW - 7200, NOW - 7000, 3))
        return History(NOW - seconds, NOW, 15.0, found)

    async def explain(self, alert: Alert, read: Survey) -> Explanation:
        burning = [
            Condition(f"slo:err:ratio_rate{window}", ">", "14.4 * 0.005", 0.072, window, 14.4)
            for window in ("5m", "1h")
        ]
        quick = tuple(Measured(one, (({}, 0.2),), 0.072) for one in burning)
        absent = Measured(Condition("absent(up)"))
        graph = tuple((NOW - 3600 + 60 * n, 0.01 if n < 45 else 0.2) for n in range(61))
        return Explanation(
            (quick, (absent,)), graph, quick[0], NOW - 3600, NOW, await self.history(7 * 86_400.0, read), ()
        )


def app_of(folder: Path) -> OpsConsole:
    source = ByHand()

    async def given() -> object:
        return source

    return OpsConsole(still_session(folder, StillSources("live"), first_screen="alerts", families={"alerts": given}))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_screen(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[int]) -> None:
        await opened_at(pilot)

    assert snap_compare(app_of(tmp_path), run_before=before, terminal_size=size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_why_an_alert_fires(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[int]) -> None:
        app = await opened_at(pilot)
        app.console_screen.open_view(AlertView(survey().alerts[1].key))
        async with in_time("why"):
            while "burns 40.0 times" not in text_of(app):
                await pilot.pause()
        await painted(app)

    assert snap_compare(app_of(tmp_path), run_before=before, terminal_size=size)


async def test_every_key_of_alerts_does_something(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(120, 40)) as pilot:
        app = await opened_at(pilot)

        wait = partial(sees, pilot)
        app.commander.open_family("alerts")
        async with in_time("the view"):
            while not isinstance(app.console_screen.view, AlertsView):
                await pilot.pause()
        await wait("dead-man's switch")
        for key, said in (
            ("s", "sorted by newest"), ("S", "expected matchers"), ("escape", "dead-man's switch"),
            ("v", "as Alertmanager sends them together"), ("escape", "dead-man's switch"),
            ("tab", "1 match nothing"), ("tab", "mean time to repair"), ("tab", "2 routes to 2 receivers"),
            ("tab", "nobody is told"), ("tab", "1 of them undelivered"), ("home", "order held"),
            ("f", "name no DAG, no table and no pane"), ("x", "nothing runs before you say so"),
        ):  # fmt: skip
            await pilot.press(key)
            await wait(said)


async def test_a_new_silence_says_what_it_would_match_while_it_is_typed(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(120, 40)) as pilot:
        app = await opened_at(pilot)
        app.commander.open_family("alerts")
        wait = partial(sees, pilot)
        async with in_time("the view"):
            while not isinstance(app.console_screen.view, AlertsView):
                await pilot.pause()
        await wait("every 5.0 s")
        await pilot.press("S", *"alertname")
        await wait("is no matcher")
        await pilot.press(*"=ApiDown")
        await wait("it matches now: 1 alert: ApiDown (active)")
        await pilot.press("enter")
        await wait("duration: 2h")
        await wait("Why: it matches now: 1 alert: ApiDown")


async def test_a_filter_in_the_language_of_alerts_then_grouped_then_back(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(120, 40)) as pilot:
        app = await opened_at(pilot)
        app.commander.open_family("alerts")

        wait = partial(sees, pilot)
        await wait("dead-man's switch")
        await pilot.press("slash", *"job=api @rule=firing", "enter")
        await wait("2 of 6 shown")
        assert "DiskFull" not in text_of(app)
        await pilot.press("v", *"by alertname", "enter")
        await wait("alertname=ApiDown")
        await pilot.press("home", "enter")
        await wait('filter job=api @rule=firing alertname="ApiDown"')
        await wait("1 of 6 shown")
        await pilot.press("escape", "escape")
        await wait("DiskFull")


async def test_what_is_marked_is_acknowledged_together(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(120, 40)) as pilot:
        app = await opened_at(pilot)
        app.commander.open_family("alerts")

        async with in_time("the rows"):
            while "ApiDown" not in text_of(app):
                await pilot.pause()
        await pilot.press("home", "down", "a")
        async with in_time("the acknowledgement"):
            while not (isinstance(app.console_screen.view, RunbookView) and "ACK! ApiDown" in text_of(app)):
                await pilot.pause()
        assert "it matches now: 1 alert: ApiDown (active)" in text_of(app)
        await pilot.press("escape", "home", "down", "space", "space", "a")
        async with in_time("both"):
            while not isinstance(app.console_screen.view, SeveralView):
                await pilot.pause()
        assert len(app.console_screen.view.pending) == 2


async def test_of_a_pair_of_which_one_is_gone_the_alert_that_is_looked_at_still_fires(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened_at(pilot)
        found = survey().alerts[0]
        view = AlertView("of the one that is gone")
        view._alert = replace(found, fingerprint="of the one that is gone", replicas=(found.fingerprint,))
        app.console_screen.open_view(view)
        await sees(pilot, "why it fires")
        assert view.subtitle() == ""


class ChangedMeanwhile(ByHand):
    """Somebody else gave the second silence other words."""

    def forget(self) -> None:
        """Nothing is remembered."""

    async def survey(self) -> Survey:
        now = survey()
        silences = tuple(replace(one, comment="theirs") if one is SILENCES[1] else one for one in SILENCES)
        return replace(now, sides=(replace(now.sides[0], silences=silences),))


async def test_a_change_that_did_not_go_well_goes_on_from_how_the_silence_is_now(tmp_path: Path) -> None:
    offered = next(one.repair for one in silence_choices(SILENCES[1], survey()) if one.label == "edit")
    repair = with_values(renewable(offered, cast(Alerts, ChangedMeanwhile())), {"DURATION": "3h"})
    with refusing_port() as port:
        session = fake_session(tmp_path, alertmanager=AlertmanagerSettings(f"http://127.0.0.1:{port}"))
        async with OpsConsole(session).run_test(size=(120, 40)) as pilot:
            app = await settle(pilot)
            assert app.console_screen.view is not None
            open_repairs(app.console_screen.view, [repair], "")
            await sees(pilot, "duration: 3h")
            await pilot.press("enter")
            await sees(pilot, "Run this step?")
            await pilot.press("y")
            await sees(pilot, "go on from how it is now")
            await pilot.press("e")
            await sees(pilot, "comment 'theirs', was 'work'")
            shown = await press(pilot, "tab", *"xy")
            assert "comment 'theirs', was 'work'" in shown
            assert "3hxy" in shown
            assert "seen" not in shown.lower()
            await press(pilot, "backspace", "backspace", "enter")
            await sees(pilot, "comment: theirs")
