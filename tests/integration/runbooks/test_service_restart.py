"""SERVICE-RESTART-PROCEDURES on the real platform: a service is down, the runbook restarts it, the metric says so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from opsconsole.runbooks.history import read_journal, summarize
from tests.platform import DemoPlatform

DOWN = 'up{job="energy-service", instance="app-2"} == 0'
UP = 'up{job="energy-service", instance="app-2"} == 1'
RUN = (
    "runbook",
    "run",
    "service-restart-procedures",
    "--param",
    "SERVICE=energy-service",
    "--auto",
    "--format",
    "json",
)
SAID = (
    "--confirm",
    "restart=energy-service",
    "--confirm",
    "look-as-a-customer-does-one-request=done",
    "--confirm",
    "tell-the-teams-channel-what-was=done",
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder of the test's own: others count what is in the demo's."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


def opsconsole(demo: DemoPlatform, state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "opsconsole.cli.main", *arguments],
        env={**demo.environment, "OPSCONSOLE_STATE": str(state)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_it_restarts_the_service_and_proves_it_by_the_metric(demo: DemoPlatform, state: Path) -> None:
    demo.break_("service-down")
    demo.wait_for(DOWN)
    done = opsconsole(demo, state, *RUN, *SAID)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert {step["name"]: step["state"] for step in said["steps"]} == {
        "service-status": "ok",
        "metric-before": "ok",
        "recent-log": "ok",
        "database-answers": "ok",
        "open-work": "not-applicable",
        "running-tasks": "not-applicable",
        "restart": "ok",
        "metric-is-up": "ok",
        "alerts-quiet": "ok",
        "scheduler-beats": "not-applicable",
        "look-as-a-customer-does-one-request": "done",
        "tell-the-teams-channel-what-was": "done",
    }
    assert demo.query(UP)  # no waiting: the runbook has waited
    folder = state / "runs" / said["run"]
    reading = read_journal(folder)
    assert not reading.problems
    results = [record["step"] for record in reading.records if record["ev"] == "result"]
    assert sorted(results) == sorted(set(results))
    assert '{instance="app-2",job="energy-service"} 1' in (folder / "report.md").read_text()


def test_a_restart_that_does_not_help_is_not_called_a_success(demo: DemoPlatform, state: Path) -> None:
    """The service manager says that all is well; the metric does not. The metric counts."""
    demo.break_("service-down")
    demo.wait_for(DOWN)
    services = demo.config.with_name("services.yaml").read_text()
    demo.config.with_name("lying-services.yaml").write_text(
        services.replace(demo.running.facts["control"], "/bin/true")
    )
    assert "/bin/true" in demo.config.with_name("lying-services.yaml").read_text()
    lying = demo.config.with_name("lying.yaml")
    lying.write_text(demo.config.read_text().replace("services.yaml", "lying-services.yaml"))
    book = opsconsole(demo, state, "runbook", "show", "service-restart-procedures", "--format", "json")
    path = json.loads(book.stdout)["path"]
    impatient = state / "SERVICE-RESTART-PROCEDURES.md"
    with open(path, encoding="utf-8") as file:
        impatient.write_text(file.read().replace('"timeout":"5m","until":"=1"', '"timeout":"4s","until":"=1"'))
    arguments = [str(impatient) if one == "service-restart-procedures" else one for one in (*RUN, *SAID)]
    done = opsconsole(demo, state, *arguments, "--config", str(lying))
    assert done.returncode == 124, done.stdout + done.stderr
    said = json.loads(done.stdout)
    states = {step["name"]: step["state"] for step in said["steps"]}
    assert (said["state"], states["restart"], states["metric-is-up"]) == ("failed", "failed", "timed-out")
    summary = summarize(state / "runs" / said["run"])
    assert summary is not None
    assert summary.state == "failed"


def test_a_name_that_monitoring_does_not_know_stops_before_anything_is_restarted(
    demo: DemoPlatform, state: Path
) -> None:
    arguments = [one.replace("energy-service", "energy-servce") for one in (*RUN, *SAID)]
    done = opsconsole(demo, state, *arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    states = {step["name"]: step["state"] for step in json.loads(done.stdout)["steps"]}
    assert states["restart"] == "pending"
