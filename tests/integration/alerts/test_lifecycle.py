"""An alert's way from firing to its end, on real servers that tell a webhook: silenced, prolonged, ended, tested."""

import asyncio
import contextlib
import json
import os
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from opsconsole.actions import registry
from opsconsole.actions.action import Outcome, Result
from opsconsole.actions.door import Door
from opsconsole.actions.guard import Context, user_name
from opsconsole.alerts.actions.meanwhile import seen_text
from opsconsole.alerts.asking import Alerts, open_alerts
from opsconsole.alerts.keeping import Keeper
from opsconsole.alerts.model import AlertState, Silence, Survey
from opsconsole.alerts.moments import timestamp
from opsconsole.cli.main import main
from opsconsole.config.settings import AlertmanagerSettings, Environment, PrometheusSettings
from opsconsole.core.exit_codes import Exit
from opsconsole.sources.registry import Sources
from opsconsole.store.sqlite import SqliteJournal
from tests.integration.alerts.conftest import by_name, post
from tests.servers import WebServer, start_alertmanager, start_prometheus

RULES = """
groups:
- name: way
  interval: 1s
  rules:
  - alert: Burning
    expr: (vector(0.2) > (14.4*0.005) and vector(0.3) > (14.4*0.005)) or absent(up)
    labels: {severity: critical, job: api}
  - {alert: Watchdog, expr: vector(1), labels: {severity: none}}
"""
ROUTES = """
route:
  receiver: default
  group_by: ["..."]
  group_wait: 0s
  routes:
  - {receiver: pager, matchers: [severity="critical"]}
  - {receiver: broken, matchers: [severity="broken"]}
receivers:
- {name: default}
- {name: pager, webhook_configs: [{url: "http://127.0.0.1:%(hook)d/pager"}]}
- {name: broken, webhook_configs: [{url: "http://127.0.0.1:%(hook)d/broken"}]}
"""
CONFIG = """
global: {{evaluation_interval: 1s, external_labels: {{cluster: demo}}}}
rule_files: [%s]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:%s"]}}]}}]}}
"""


class Hook:
    """What a webhook receiver was sent, by path; `/broken` refuses."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        heard = self.sent

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.append((self.path, json.loads(body)))
                self.send_response(500 if self.path == "/broken" else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def alerts(self, path: str) -> list[dict[str, Any]]:
        return [one for where, body in list(self.sent) if where == path for one in body["alerts"]]


class Way:
    """Prometheus, Alertmanager and a webhook."""

    def __init__(self, prometheus: WebServer, alertmanager: WebServer, hook: Hook) -> None:
        self.prometheus, self.alertmanager, self.hook = prometheus, alertmanager, hook
        self.said = ""
        self.environment = Environment(
            "test", Path("screens"), Path("runbooks"), prometheus=PrometheusSettings(prometheus.url),
            alertmanager=AlertmanagerSettings(alertmanager.url),
        )  # fmt: skip

    async def reached(self, holds: Callable[[Survey], bool], alerts: Alerts, seconds: float = 20.0) -> Survey:
        deadline = time.monotonic() + seconds
        while True:
            survey = await alerts.survey()
            if holds(survey):
                return survey
            assert time.monotonic() < deadline, [(one.name, one.state) for one in survey.alerts]
            await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    rules = tmp_path_factory.mktemp("way") / "rules.yml"
    rules.write_text(RULES)
    hook = Hook()
    with (
        start_alertmanager(config=ROUTES % {"hook": hook.port}) as alertmanager,
        start_prometheus(
            config=CONFIG % (rules, alertmanager.port), options=["--rules.alert.resend-delay=1s"]
        ) as prometheus,
    ):
        yield Way(prometheus, alertmanager, hook)
    hook.server.shutdown()


def opened(way: Way) -> tuple[Alerts, Sources]:
    sources = Sources(way.environment)
    return open_alerts(way.environment, sources), sources


async def done(way: Way, action: str, **given: str) -> Result:
    """The action, run and verified, without the door."""
    registration = registry.find(action)
    assert registration is not None
    built = registration.build(given, way.environment)
    said: list[bytes] = []
    result = await built.runner.run(said.append)
    if built.verify is not None and result.outcome is Outcome.OK:
        assert (await built.verify()).outcome is Outcome.OK
    way.said = b"".join(said).decode()
    return result


def active(survey: Survey) -> list[Silence]:
    return [one for one in survey.silences.values() if one.state == "active"]


async def test_an_alert_says_why_it_fires_and_since_when(way: Way) -> None:
    alerts, sources = opened(way)
    survey = await way.reached(lambda one: by_name(one).get("Burning") is not None
                               and by_name(one)["Burning"].state is AlertState.ACTIVE, alerts)  # fmt: skip
    explained = await alerts.explain(by_name(survey)["Burning"], survey)
    quick, absent = explained.alternatives
    assert [(one.holds, [value for _, value in one.values]) for one in quick] == [(True, [0.2]), (True, [0.3])]
    assert [one.limit for one in quick] == pytest.approx([0.072, 0.072])
    assert [one.holds for one in absent] == [True]
    assert explained.notes == ()
    deadline = time.monotonic() + 20
    while not (found := await alerts.history(3600.0, survey)).episodes:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)
    burning = next(one for one in found.episodes if one.name == "Burning")
    assert burning.ended_at is None
    assert burning.active_at == pytest.approx(by_name(survey)["Burning"].started_at, abs=2.0)
    assert survey.rules[0].targets == (f"{way.alertmanager.url}/api/v2/alerts",)
    await sources.close()


async def test_a_silence_is_prolonged_changed_and_ended(way: Way) -> None:
    alerts, sources = opened(way)
    made = await done(way, "alert.silence", matchers='job="api"', duration="10m", comment="work")
    identity = made.detail.split()[1]
    before = (await alerts.survey()).silences[identity]
    await done(way, "alert.edit-silence", id=identity, duration="2h")
    after = (await alerts.survey()).silences[identity]
    assert before.ends_at is not None
    assert after.ends_at is not None
    assert after.ends_at - before.ends_at == pytest.approx(6600, abs=30)
    assert (after.comment, after.starts_at, after.matchers) == ("work", before.starts_at, before.matchers)
    held = await way.reached(lambda one: by_name(one)["Burning"].silenced_by == (identity,), alerts)
    assert by_name(held)["Burning"].state is AlertState.SUPPRESSED

    changed = await done(way, "alert.edit-silence", id=identity, matchers='job="other"')
    other = changed.detail.split()[1]
    assert other != identity
    survey = await alerts.survey()
    assert (survey.silences[identity].state, survey.silences[other].comment) == ("expired", "work")
    refused = await done(way, "alert.edit-silence", id=identity, duration="1h")
    assert (refused.outcome, "has expired" in refused.detail) == (Outcome.FAILED, True)
    await done(way, "alert.unsilence", id=other)
    assert active(await alerts.survey()) == []
    await sources.close()


async def test_a_silence_that_somebody_else_changed_or_ended_is_not_changed_over_it(way: Way) -> None:
    alerts, sources = opened(way)
    made = await done(way, "alert.silence", matchers='job="other"', duration="10m", comment="work")
    identity = made.detail.split()[1]
    seen = seen_text((await alerts.survey()).silences[identity])
    given = {"id": identity, "seen": seen, "comment": "mine"}
    assert (await done(way, "alert.edit-silence", **{**given, "comment": "work"})).outcome is Outcome.OK

    other = {**theirs(way, identity), "createdBy": "bob", "comment": "theirs", "endsAt": timestamp(time.time() + 7200)}
    post(f"{way.alertmanager.url}/api/v2/silences", other)
    refused = await done(way, "alert.edit-silence", **given)
    assert refused.outcome is Outcome.FAILED
    assert "by bob, was by" in refused.detail
    assert "comment 'theirs', was 'work'" in refused.detail
    assert f"until {other['endsAt']}, was until" in refused.detail
    assert refused.detail.endswith("nothing was sent")
    now = (await alerts.survey()).silences[identity]
    assert (now.created_by, now.comment) == ("bob", "theirs")

    again = {**given, "seen": seen_text(now)}
    assert (await done(way, "alert.edit-silence", **again)).outcome is Outcome.OK
    assert (await alerts.survey()).silences[identity].comment == "mine"
    await done(way, "alert.unsilence", id=identity)
    refused = await done(way, "alert.edit-silence", **{**again, "duration": "1h"})
    assert refused.outcome is Outcome.FAILED
    assert refused.detail.startswith("it was ended at ")
    assert "it was to last until" in refused.detail
    assert active(await alerts.survey()) == []
    await sources.close()


def theirs(way: Way, identity: str) -> dict[str, Any]:
    """The silence as another program reads it, to send it changed."""
    with urllib.request.urlopen(f"{way.alertmanager.url}/api/v2/silence/{identity}", timeout=5) as response:
        found = json.loads(response.read())
    return {name: found[name] for name in ("id", "matchers", "startsAt", "endsAt", "createdBy", "comment")}


async def test_an_acknowledgement_is_prolonged_while_it_fires_and_ended_afterwards(
    way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsconsole.alerts.keeping._OVER", 0.0)
    alerts, sources = opened(way)
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    door = Door(Context.current(way.environment), journal)
    told: list[str] = []
    actor = user_name(os.getuid())
    keeper = Keeper(alerts, door, way.environment, actor, told=lambda text, _: told.append(text))
    await way.reached(lambda one: "Burning" in by_name(one), alerts)
    said = {"comment": "ACK! on it"}
    fires = (await done(way, "alert.silence", matchers='job="api"', duration="2m", **said)).detail.split()[1]
    over = (await done(way, "alert.silence", matchers='job="gone"', duration="20m", **said)).detail.split()[1]
    await keeper.look()
    survey = await alerts.survey()
    kept = survey.silences[fires]
    assert kept.ends_at is not None
    assert kept.ends_at - survey.taken_at == pytest.approx(900, abs=20)
    assert survey.silences[over].state == "expired"
    assert sorted(one.split()[1] for one in told) == ["ended:", "prolonged"]
    assert {entry.intent.action for entry in journal.entries()} == {"alert.edit-silence", "alert.unsilence"}
    await done(way, "alert.unsilence", id=fires)
    await sources.close()


async def test_a_test_alert_reaches_its_receiver_is_marked_and_ended(way: Way) -> None:
    result = await done(way, "alert.test", labels='alertname="Burning", severity="critical", job="test"', wait="10s")
    assert (result.outcome, result.detail) == (Outcome.OK, "1 receiver told")
    (one,) = [
        given
        for given in way.hook.alerts("/pager")
        if given["labels"].get("job") == "test" and given["status"] == "firing"
    ]
    assert one["labels"]["opsconsole_test"]
    assert "test" in one["annotations"]["summary"]
    alerts, sources = opened(way)
    await way.reached(lambda survey: all(given.labels.get("job") != "test" for given in survey.alerts), alerts)
    await sources.close()


async def test_every_receiver_is_tried_and_what_is_not_told_is_named(way: Way) -> None:
    result = await done(way, "alert.test", every="yes", wait="2s")
    assert result.outcome is Outcome.FAILED
    assert result.detail.startswith("broken by webhook: 0 of 1 sent")
    assert "pager by webhook: 1 of 1 sent" in way.said


def test_alert_test_on_the_command_line(
    way: Way, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    config = tmp_path / "opsconsole.yaml"
    config.write_text(
        f'version: 1\nenvironments: {{test: {{prometheus: {{url: "{way.prometheus.url}"}}, '
        f'alertmanager: {{url: "{way.alertmanager.url}"}}}}}}\n'
    )
    given = ["--config", str(config)]
    assert main(["alert", "test", "Burning", "--dry-run", *given]) == Exit.DONE
    printed = capsys.readouterr()
    assert "should tell pager (webhook)" in printed.err
    assert main(["alert", "test", "Burning", "--wait", "10s", "--yes", *given]) == Exit.DONE
    assert "1 receiver told" in "".join(capsys.readouterr())
    assert main(["alert", "test", "Burnin", *given]) == Exit.USAGE
    assert "Burning" in capsys.readouterr().err


def test_ack_keep_ends_with_its_alert(
    way: Way, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr("opsconsole.alerts.keeping._OVER", 0.0)
    monkeypatch.setattr("opsconsole.alerts.keeping.PERIOD", 0.2)
    config = tmp_path / "opsconsole.yaml"
    config.write_text(f'version: 1\nenvironments: {{test: {{alertmanager: {{url: "{way.alertmanager.url}"}}}}}}\n')
    alert = {"labels": {"alertname": "Brief", "job": "keep"}, "annotations": {}}
    posted(way, [{**alert, "endsAt": timestamp(time.time() + 300)}])
    ending = threading.Timer(3.0, posted, (way, [{**alert, "endsAt": timestamp(time.time())}]))
    ending.start()
    assert main(["alert", "ack", "Brief", "--keep", "--yes", "--config", str(config)]) == Exit.DONE
    ending.join()
    assert "ended: " in capsys.readouterr().err


def posted(way: Way, alerts: list[dict[str, Any]]) -> None:
    with contextlib.suppress(json.JSONDecodeError):  # it answers with nothing
        post(f"{way.alertmanager.url}/api/v2/alerts", alerts)
