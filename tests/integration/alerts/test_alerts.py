"""Alerts of a real Prometheus as a real Alertmanager has them."""

import asyncio
import json
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsconsole.alerts.fingerprints import fingerprint
from opsconsole.alerts.model import AlertState, RuleState, Silence
from opsconsole.alerts.routing import routing_of
from opsconsole.alerts.watchdog import watch
from opsconsole.cli.main import main
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import AlertmanagerSettings
from opsconsole.core.exit_codes import Exit
from opsconsole.core.state import State
from opsconsole.demo import binaries
from opsconsole.sources.alertmanager import AlertmanagerSource
from tests.faults import refusing_port
from tests.integration.alerts.conftest import ROUTES, Alerting, by_name, eventually, post, survey_of
from tests.servers import start_alertmanager


async def test_both_sides_are_one_list(alerting: Alerting) -> None:
    survey = await eventually(
        alerting.environment(), lambda found: by_name(found)["Inhibited"].state is AlertState.SUPPRESSED
    )
    found = by_name(survey)
    assert (len(survey.alerts), survey.failed, survey.notes) == (5, False, ())
    critical = found["Critical"]
    assert (critical.state, critical.rule, critical.severity, critical.value) == (
        AlertState.ACTIVE, RuleState.FIRING, "critical", 5.0,
    )  # fmt: skip
    assert critical.labels == {"alertname": "Critical", "severity": "critical", "team": "data"}
    assert critical.annotations == {"summary": "it is 5"}
    assert critical.expr == "vector(5) > 3"
    assert found["Inhibited"].inhibited_by == (critical.fingerprint,)
    assert found["Waiting"].state is AlertState.PENDING
    assert watch(survey).state is State.OK


async def test_the_fingerprint_is_alertmanagers(alerting: Alerting) -> None:
    source = AlertmanagerSource(AlertmanagerSettings(alerting.alertmanager.url))
    alerts = await source.alerts()
    await source.close()
    assert {one["fingerprint"] for one in alerts} == {fingerprint(one["labels"]) for one in alerts}
    assert len(alerts) >= 4


async def test_what_the_routes_say_is_what_alertmanager_did(alerting: Alerting) -> None:
    survey = await survey_of(alerting.environment())
    delivered = [one for one in survey.alerts if one.state is not AlertState.PENDING]
    assert len(delivered) == 4
    for alert in delivered:
        (delivery,) = alert.deliveries
        assert sorted(one.receiver for one in alert.notifies) == sorted(delivery.receivers), alert.name


@pytest.mark.parametrize(
    "labels",
    [
        {}, {"severity": "critical"}, {"severity": "critical", "cluster": "demo"}, {"severity": "warning"},
        {"severity": "critical", "team": "data"}, {"severity": "critical", "team": "data", "job": "test"},
        {"severity": "warning", "team": "data", "cluster": "demo"}, {"severity": "warning", "team": "xd"},
    ],
    ids=str,
)  # fmt: skip
def test_routes_are_what_amtool_says(tmp_path: Path, labels: dict[str, str]) -> None:
    (tmp_path / "alertmanager.yml").write_text(ROUTES)
    argv = [str(binaries.find("amtool")), "config", "routes", "test", f"--config.file={tmp_path / 'alertmanager.yml'}"]
    argv += [f"{name}={value}" for name, value in labels.items()]
    said = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    found = routing_of(ROUTES).notified(labels, time.time())
    assert ",".join(one.receiver for one in found) == said


async def test_a_silence_keeps_it_back_and_an_acknowledgement_is_told_apart(alerting: Alerting) -> None:
    environment = alerting.environment()
    made = post(f"{alerting.alertmanager.url}/api/v2/silences", silence("Silenced", "ACK! on it"))
    assert isinstance(made, dict)
    survey = await eventually(environment, lambda found: by_name(found)["Silenced"].silenced_by != ())
    silenced = by_name(survey)["Silenced"]
    assert (silenced.state, silenced.silenced_by) == (AlertState.SUPPRESSED, (made["silenceID"],))
    found = survey.silences[made["silenceID"]]
    assert (found.created_by, found.acknowledges, [str(one) for one in found.matchers]) == (
        "alice", True, ['alertname="Silenced"'],
    )  # fmt: skip
    assert found.ends_at is not None
    assert 3500 < found.ends_at - survey.taken_at <= 3600


async def test_fired_and_not_delivered(alerting: Alerting) -> None:
    environment = alerting.environment(deaf=alerting.deaf.url)
    survey = await eventually(environment, lambda found: by_name(found)["Critical"].state is AlertState.UNDELIVERED)
    assert by_name(survey)["Critical"].missing_in == ("alertmanager/deaf",)
    assert by_name(survey)["Waiting"].state is AlertState.PENDING
    assert watch(survey).state is State.CRIT


async def test_two_alertmanagers_of_which_one_lacks_everything(alerting: Alerting) -> None:
    survey = await survey_of(alerting.environment(one=alerting.alertmanager.url, deaf=alerting.deaf.url))
    critical = by_name(survey)["Critical"]
    assert (critical.state, critical.missing_in) == (AlertState.ACTIVE, ("alertmanager/deaf",))
    assert {one.alertmanager for one in critical.notifies} == {"alertmanager/one", "alertmanager/deaf"}
    assert (watch(survey).state, "deaf does not have it" in watch(survey).why) == (State.CRIT, True)


async def test_an_alertmanager_that_is_down_makes_delivery_unknown(alerting: Alerting) -> None:
    with refusing_port() as port:
        survey = await survey_of(alerting.environment(gone=f"http://127.0.0.1:{port}"))
    assert by_name(survey)["Critical"].state is AlertState.UNKNOWN
    assert survey.failed
    assert any("connection refused" in note for note in survey.notes)
    assert watch(survey).state is State.UNKNOWN


async def test_basic_authentication() -> None:
    # bcrypt of "test", from Prometheus' documentation
    users = "basic_auth_users: {ops: $2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay}\n"
    with start_alertmanager(web_config=users) as server:
        settings = AlertmanagerSettings(server.url, username="ops", password=SecretRef.of("test"))
        source = AlertmanagerSource(settings)
        assert (await source.probe()).product == "Alertmanager"
        assert [one["name"] for one in await source.receivers()] == ["nobody"]
        await source.close()


def test_alert_list(alerting: Alerting, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ["--config", str(alerting.settings(tmp_path))]
    assert main(["alert", "list", "severity=critical", "@state=active", "--format", "json", *config]) == Exit.DONE
    said = json.loads(capsys.readouterr().out)
    (one,) = said["alerts"]
    assert (one["name"], one["state"], one["rule"], said["matched"], said["total"]) == (
        "Critical", "active", "firing", 1, 5,
    )  # fmt: skip
    assert one["deliveries"][0]["alertmanager"] == "alertmanager/one"
    assert {given["receiver"] for given in one["notifies"]} == {"audit", "data"}
    assert said["watchdog"]["state"] == "OK"
    assert main(["alert", "list", *config]) == Exit.DONE
    printed = capsys.readouterr()
    assert printed.out.startswith("ALERT")
    assert "inhibited by Critical" in printed.out
    assert "dead-man's switch: OK" in printed.err


def test_alert_list_fails_where_nothing_is_delivered(
    alerting: Alerting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = alerting.settings(tmp_path, deaf=alerting.deaf.url)
    assert main(["alert", "list", "@state=undelivered", "--config", str(config)]) == Exit.FAILED
    assert "does not have it" in capsys.readouterr().err
    assert main(["alert", "list", "@state=nonsense", "--config", str(config)]) == Exit.USAGE


def test_alert_show(alerting: Alerting, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ["--config", str(alerting.settings(tmp_path))]
    assert main(["alert", "show", "Critical", *config]) == Exit.DONE
    shown = capsys.readouterr().out
    assert "vector(5) > 3" in shown
    assert 'by {severity="critical"} > {job!="test", team="data"}' in shown
    assert main(["alert", "show", "Nothing of this-name", *config]) == Exit.FAILED
    assert main(["alert", "show", "severity=critical", "@rule=firing", "--format", "json", *config]) == Exit.DONE
    assert [one["name"] for one in json.loads(capsys.readouterr().out)["alerts"]] == ["Critical"]


def test_alert_route_at_a_time(alerting: Alerting, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def muted(when: str, labels: str) -> dict[str, list[str]]:
        arguments = ["alert", "route", "--labels", labels, "--at", when, "--format", "json"]
        assert main([*arguments, "--config", str(alerting.settings(tmp_path))]) == Exit.DONE
        said = json.loads(capsys.readouterr().out)
        assert said["labels"]["cluster"] == "demo"
        return {one["receiver"]: one["muted_by"] for one in said["notifies"]}

    assert muted("2026-12-23T12:00Z", "severity=critical") == {"audit": [], "pager": []}
    assert muted("2026-12-24T12:00Z", "severity=critical") == {"audit": [], "pager": ["holidays"]}
    data = "severity=critical,team=data"
    assert muted("2026-11-18T08:30:00Z", data) == {"audit": [], "data": []}
    assert muted("2026-11-18T16:30:00Z", data) == {"audit": [], "data": ["outside of office"]}


def test_alert_route_says_where_nobody_is_told(
    alerting: Alerting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ["--config", str(alerting.settings(tmp_path))]
    assert main(["alert", "route", "--labels", "severity=info", *config]) == Exit.FAILED
    assert "nobody" in capsys.readouterr().out
    for wrong in (["--labels", "a=~b"], ["--labels", "a=b", "--at", "noon"]):
        assert main(["alert", "route", *wrong, *config]) == Exit.USAGE


def test_check_probes_each(alerting: Alerting, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = alerting.settings(tmp_path, one=alerting.alertmanager.url, deaf=alerting.deaf.url)
    main(["check", "--format", "json", "--config", str(config)])
    sources = {one["source"]: one for one in json.loads(capsys.readouterr().out)["sources"]}
    assert set(sources) == {"prometheus", "alertmanager/one", "alertmanager/deaf"}
    assert {one["product"] for one in sources.values()} == {"Prometheus", "Alertmanager"}


def test_silence_and_unsilence_through_the_door(
    alerting: Alerting, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    config = ["--config", str(alerting.settings(tmp_path))]
    given = ["alert", "silence", 'alertname="Critical"', "cluster=demo", "--for", "10m", "--comment", "work", *config]
    assert main([*given, "--dry-run"]) == Exit.DONE
    printed = capsys.readouterr()
    assert "matches now: Critical (active)" in printed.err
    assert "/api/v2/silences" in printed.out + printed.err
    assert silences_of(alerting, "Critical") == {}

    assert main([*given, "--yes"]) == Exit.DONE
    ((identity, made),) = silences_of(alerting, "Critical").items()
    assert made.comment == "work"
    assert [str(one) for one in made.matchers] == ['alertname="Critical"', 'cluster="demo"']
    assert made.ends_at is not None
    assert made.starts_at is not None
    assert 590 < made.ends_at - made.starts_at <= 600

    assert main(["alert", "unsilence", identity, "--yes", *config]) == Exit.DONE
    assert silences_of(alerting, "Critical") == {}
    capsys.readouterr()
    assert main(["audit", "list", "--format", "json", *config]) == Exit.DONE
    commands = [one["command"] for one in json.loads(capsys.readouterr().out)]
    assert any("/api/v2/silences" in one for one in commands)
    assert any(f"/api/v2/silence/{identity}" in one for one in commands)


def test_ack_is_a_short_silence_of_one_alert(
    alerting: Alerting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    config = ["--config", str(alerting.settings(tmp_path))]
    assert main(["alert", "ack", "Watchdog", "--comment", "on it", "--yes", *config]) == Exit.DONE
    ((identity, made),) = silences_of(alerting, "Watchdog").items()
    assert (made.comment, made.acknowledges) == ("ACK! on it", True)
    assert [str(one) for one in made.matchers] == ['alertname="Watchdog"', 'cluster="demo"', 'severity="none"']
    assert main(["alert", "unsilence", identity, "--yes", *config]) == Exit.DONE
    assert main(["alert", "ack", "Nothing", "--yes", *config]) == Exit.USAGE


def test_several_alertmanagers_are_told_at_once_and_again_without_stacking(
    alerting: Alerting, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    with refusing_port() as port:
        settings = alerting.settings(
            tmp_path, one=alerting.alertmanager.url, dead=f"http://127.0.0.1:{port}", deaf=alerting.deaf.url
        )
        config = ["--yes", "--format", "json", "--config", str(settings)]
        given = ["alert", "silence", "alertname=Waiting", "--for", "10m", "--comment", "work", *config]
        assert main(given) == Exit.FAILED
        said = json.loads(capsys.readouterr().out)
        assert (said["state"], [one["state"] for one in said["steps"]]) == ("ok", ["ok", "ok"])
        told = [one["arguments"]["alertmanager"] for one in said["steps"]]
        assert told == ["alertmanager/one", "alertmanager/deaf"]
        (away,) = said["left_out"]
        assert away["alertmanager"] == "alertmanager/dead"
        assert "refused" in away["why"]

    def made() -> list[str]:
        servers = {"one": alerting.alertmanager.url, "deaf": alerting.deaf.url}
        survey = asyncio.run(survey_of(alerting.environment(**servers)))
        return [one.id for one in survey.silences.values() if one.state == "active" and one.comment == "work"]

    both = ["--yes", "--config", str(alerting.settings(tmp_path, a=alerting.alertmanager.url, b=alerting.deaf.url))]
    first = made()
    assert len(first) == 2
    assert main([*given[:7], *both]) == Exit.DONE
    assert capsys.readouterr().err.count("is there, until") == 2
    assert sorted(made()) == sorted(first)
    assert main(["alert", "unsilence", first[0], *both]) == Exit.DONE
    assert made() == []
    assert main(["alert", "unsilence", first[0], *both]) == Exit.DONE
    assert main(["alert", "unsilence", first[0].replace("a", "b").replace("1", "2"), *both]) == Exit.USAGE


def test_a_read_only_console_silences_nothing(
    alerting: Alerting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    given = ["--for", "10m", "--comment", "work", "--yes", "--config", str(alerting.settings(tmp_path))]
    assert main(["--read-only", "alert", "silence", "alertname=Quiet", *given]) == Exit.GUARDED
    assert silences_of(alerting, "Quiet") == {}


def silences_of(alerting: Alerting, name: str) -> dict[str, Silence]:
    """The active silences of this alert, by id, as Alertmanager has them."""
    survey = asyncio.run(survey_of(alerting.environment()))
    return {
        key: one
        for key, one in survey.silences.items()
        if one.state == "active" and any(given.value == name for given in one.matchers)
    }


def silence(name: str, comment: str) -> dict[str, object]:
    """An hour's silence, as it is posted."""
    now = datetime.now(UTC)
    return {
        "matchers": [{"name": "alertname", "value": name, "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "alice", "comment": comment,
    }  # fmt: skip
