"""Two real Prometheus and two real Alertmanagers: as two clusters, then as a pair for high availability."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from opsconsole.alerts.asking import Alerts, open_alerts
from opsconsole.alerts.model import Alert, AlertState, RuleState, Survey
from opsconsole.alerts.moments import timestamp
from opsconsole.alerts.watchdog import watch, watch_each
from opsconsole.cli.main import main
from opsconsole.config.settings import AlertmanagerSettings, Environment, PrometheusSettings
from opsconsole.core.exit_codes import Exit
from opsconsole.core.state import State
from opsconsole.sources.registry import Sources
from opsconsole.ui.alerts.watching import WatchPage, parts
from opsconsole.ui.pages.page import Order
from tests.integration.alerts.conftest import eventually, post
from tests.servers import WebServer, start_alertmanager, start_prometheus

RULES = """
groups:
- name: same
  interval: 1s
  rules:
  - {alert: Down, expr: "vector(7) > 5", labels: {severity: critical, job: api}}
  - {alert: Watchdog, expr: vector(1), labels: {severity: none}}
"""
HALF = "groups: [{name: half, interval: 1s, rules: [{alert: Half, expr: '%s'}]}]\n"
"""What one of them fires alone."""
CONFIG = """
global: {evaluation_interval: 1s, external_labels: {env: test, cluster: %s, replica: %s}}
rule_files: [%s, %s]
alerting:
  %s
  alertmanagers: [{static_configs: [{targets: [%s]}]}]
"""
DROPS = "alert_relabel_configs: [{action: labeldrop, regex: replica}]"
NAMES = ("prometheus", "prometheus/b")


@dataclass
class Four:
    """All of them; `folder` has the rules of each."""

    prometheuses: tuple[WebServer, WebServer]
    alertmanagers: tuple[WebServer, WebServer]
    folder: Path
    became: tuple[object, ...] = ()

    @property
    def environment(self) -> Environment:
        """They, as an environment: the first without a name, the second as `b`."""
        return Environment(
            "test", Path("screens"), Path("runbooks"),
            prometheus=PrometheusSettings(self.prometheuses[0].url),
            prometheuses={"b": PrometheusSettings(self.prometheuses[1].url)},
            alertmanager=AlertmanagerSettings(self.alertmanagers[0].url),
            alertmanagers={"b": AlertmanagerSettings(self.alertmanagers[1].url)},
        )  # fmt: skip

    def settings(self) -> str:
        """The same as a file."""
        path = self.folder / "opsconsole.yaml"
        (a, b), (c, d) = self.prometheuses, self.alertmanagers
        path.write_text(
            "version: 1\nenvironments: "
            f'{{test: {{prometheus: {{url: "{a.url}"}}, prometheuses: {{b: {{url: "{b.url}"}}}}, '
            f'alertmanager: {{url: "{c.url}"}}, alertmanagers: {{b: {{url: "{d.url}"}}}}}}}}\n'
        )  # fmt: skip
        return str(path)

    def become(self, clusters: tuple[str, str], *, apart: bool, drops: str = "") -> None:
        """Have them be of these clusters, and send to an Alertmanager each, or both to both."""
        if self.became == (clusters, apart, drops):
            return
        self.became = (clusters, apart, drops)
        for place, (server, cluster, replica) in enumerate(zip(self.prometheuses, clusters, "ab", strict=True)):
            targets = ", ".join(
                f'"127.0.0.1:{one.port}"' for at, one in enumerate(self.alertmanagers) if not apart or at == place
            )
            rules = self.folder / "rules.yml", self.folder / f"half-{replica}.yml"
            (server.folder / "prometheus.yml").write_text(CONFIG % (cluster, replica, *rules, drops, targets))
            assert server.program.process is not None
            server.program.process.send_signal(signal.SIGHUP)


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Four]:
    folder = tmp_path_factory.mktemp("several")
    (folder / "rules.yml").write_text(RULES)
    for replica, expression in (("a", "vector(1)"), ("b", "vector(1) > 2")):
        (folder / f"half-{replica}.yml").write_text(HALF % expression)
    options = ["--rules.alert.resend-delay=1s"]
    with (
        start_alertmanager() as one, start_alertmanager() as other,
        start_prometheus(options=options) as a, start_prometheus(options=options) as b,
    ):  # fmt: skip
        yield Four((a, b), (one, other), folder)


@asynccontextmanager
async def opened(four: Four) -> AsyncIterator[Alerts]:
    sources = Sources(four.environment)
    yield open_alerts(four.environment, sources)
    await sources.close()


def named(survey: Survey, name: str) -> list[Alert]:
    return [one for one in survey.alerts if one.name == name]


def states(alert: Alert) -> Mapping[str, str]:
    return {one.prometheus: one.state for one in alert.rulings}


def clusters(survey: Survey, name: str = "Down") -> list[str]:
    return sorted(one.labels.get("cluster", "") for one in named(survey, name) if one.state is AlertState.ACTIVE)


def apart(survey: Survey) -> bool:
    """Whether each has what the one of its cluster fires. For seconds after it began, one sends to nobody."""
    both = clusters(survey) == clusters(survey, "Watchdog") == ["eu", "us"]
    return (
        both and clusters(survey, "Half") == ["eu"] and not survey.failed and all(one.targets for one in survey.rules)
    )


async def test_of_two_clusters_the_same_alert_is_there_twice(
    four: Four, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    four.become(("eu", "us"), apart=True)
    survey = await eventually(four.environment, apart)
    assert (survey.failed, survey.notes) == (False, ())
    for place, cluster in enumerate(("eu", "us")):
        (one,) = (one for one in named(survey, "Down") if one.labels["cluster"] == cluster)
        assert states(one) == {NAMES[place]: "firing"}
        assert one.labels == {"alertname": "Down", "severity": "critical", "job": "api", "cluster": cluster}
        assert sorted(given.state for given in one.deliveries) == ["active", "elsewhere"]
        assert one.missing_in == ()
    assert {name: one.state for name, one in watch_each(survey).items()} == dict.fromkeys(NAMES, State.OK)
    assert [one.state for one in parts(survey)] == [State.OK] * 9
    assert len(WatchPage().sheet(survey, Order("way")).rows) == 9
    async with opened(four) as alerts:
        for one in named(survey, "Down"):
            explained = await alerts.explain(one, survey)
            ((measured,),) = explained.alternatives
            assert (explained.asked, measured.values[0][1], measured.holds) == (one.fired_by[0], 7.0, True)
            assert explained.history is not None
        assert (await alerts.external_labels({})).ambiguous == ("cluster",)
        assert (await alerts.external_labels({"cluster": "us"})).labels == {"env": "test", "cluster": "us"}
    monkeypatch.setenv("OPSCONSOLE_CONFIG", four.settings())
    assert await asyncio.to_thread(main, ["alert", "test", "Down", "--dry-run"]) == Exit.USAGE
    assert "2 rules are called Down; say which by --labels: cluster=eu" in capsys.readouterr().err
    trial = ["alert", "test", "Down", "--labels", "cluster=us", "--dry-run", "--format", "json"]
    assert await asyncio.to_thread(main, trial) == Exit.DONE
    said = json.loads(capsys.readouterr().out)
    assert four.alertmanagers[1].url in str(said["steps"])
    (left,) = said["left_out"]
    assert left["alertmanager"] == "alertmanager"
    assert left["why"].startswith("no Prometheus that could fire this sends to it")
    assert await asyncio.to_thread(main, ["alert", "list", "@prometheus=prometheus/b", "--format", "json"]) == Exit.DONE
    said = json.loads(capsys.readouterr().out)
    assert said["prometheuses"] == [{"name": name, "error": None} for name in NAMES]
    assert {one["labels"]["cluster"] for one in said["alerts"]} == {"us"}


async def test_one_that_is_stopped_takes_nothing_of_the_others_with_it_and_comes_back(
    four: Four, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    four.become(("eu", "us"), apart=True)
    async with opened(four) as alerts:
        await eventually(four.environment, apart)
        before = await alerts.survey()
        four.prometheuses[1].program.kill()
        deadline = time.monotonic() + 60
        survey = await alerts.survey()
        assert survey.failed
        assert [note for note in survey.notes if note.startswith("prometheus/b")] == list(survey.notes) != []
        eu, us = sorted(named(survey, "Down"), key=lambda one: one.labels["cluster"])
        assert (eu.state, eu.rule, states(eu)) == (AlertState.ACTIVE, RuleState.FIRING, {NAMES[0]: "firing"})
        assert (us.state, us.rule, states(us)) == (AlertState.ACTIVE, RuleState.UNKNOWN, {NAMES[1]: "unknown"})
        assert us.labels == next(one for one in named(before, "Down") if one.labels["cluster"] == "us").labels
        found = watch(survey)
        assert (found.state, found.why.partition(":")[0]) == (State.UNKNOWN, "prometheus/b"), found.why
        history = await alerts.history(3600.0, survey)
        assert "us" not in {one.labels["cluster"] for one in history.episodes}
        assert "its episodes are not known" in history.notes[0]
        monkeypatch.setenv("OPSCONSOLE_CONFIG", four.settings())
        assert (
            await asyncio.to_thread(main, ["alert", "replay", "Half", "--since", "1h", "--format", "json"]) == Exit.DONE
        )
        assert await asyncio.to_thread(main, ["alert", "replay", "Nothing", "--since", "1h"]) == Exit.FAILED
        assert "prometheus/b" in capsys.readouterr().err
        # Alertmanager takes for resolved what nobody sends again.
        while (survey := await alerts.survey()).sides[1].alerts:
            assert time.monotonic() < deadline
        (us,) = (one for one in named(survey, "Down") if one.labels["cluster"] == "us")
        assert (us.state, us.rule, us.seen) == (AlertState.UNKNOWN, RuleState.UNKNOWN, False)
        four.prometheuses[1].program.start()
        while not apart(survey := await alerts.survey()) or survey.notes:
            assert time.monotonic() < deadline, survey.notes
        assert [one.rule for one in named(survey, "Down")] == [RuleState.FIRING] * 2


@pytest.mark.parametrize("drops", ["", DROPS], ids=["with replica labels", "without"])
async def test_of_a_pair_the_same_alert_is_there_once(four: Four, drops: str) -> None:
    four.become(("eu", "eu"), apart=False, drops=drops)
    twins = 0 if drops else 1

    def settled(found: Survey) -> bool:
        # What it was before, Alertmanager forgets when it was not sent again for four evaluations.
        down, half = named(found, "Down"), named(found, "Half")
        return (
            [len(one.replicas) for one in down] == [twins]
            and [one.state for one in (*down, *half)] == [AlertState.ACTIVE] * 2
            and all(given.state == "active" for one in (*down, *half) for given in one.deliveries)
            and all(len(side.alerts) == (3 + 2 * twins) for side in found.sides)
        )

    survey = await eventually(four.environment, settled)
    (down,), (half,) = named(survey, "Down"), named(survey, "Half")
    assert len(survey.alerts) == 3
    assert (survey.failed, survey.notes) == (False, ())
    assert states(down) == dict.fromkeys(NAMES, "firing")
    assert (states(half), half.quiet_in) == ({NAMES[0]: "firing", NAMES[1]: "quiet"}, (NAMES[1],))
    assert down.labels == {"alertname": "Down", "severity": "critical", "job": "api"}
    assert watch(survey).state is State.OK
    # A silence of what it is without its replica keeps both back.
    now = time.time()
    matchers = [
        {"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in down.sent_labels.items()
    ]
    silence = {
        "matchers": matchers,
        "startsAt": timestamp(now),
        "endsAt": timestamp(now + 5),
        "createdBy": "t",
        "comment": "c",
    }
    for server in four.alertmanagers:
        post(f"{server.url}/api/v2/silences", silence)
    held = await eventually(four.environment, lambda found: named(found, "Down")[0].state is AlertState.SUPPRESSED)
    assert [given.state for given in named(held, "Down")[0].deliveries] == ["suppressed"] * 2
    async with opened(four) as alerts:
        found = await alerts.history(600.0, survey)
        assert len([one for one in found.episodes if one.name == "Half" and one.ended_at is None]) == 1
        assert len([one for one in found.episodes if one.name == "Down" and one.ended_at is None]) == 1
