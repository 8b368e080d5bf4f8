"""SERVICE-RESTART-PROCEDURES on the real platform: a service is down, the runbook restarts it, the metric says so."""

import json
import subprocess
import sys

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
SAID = ("--confirm", "restart=energy-service", "--confirm", "tell-the-teams-channel-what-was=done")


def opsconsole(demo: DemoPlatform, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "opsconsole.cli.main", *arguments],
        env=demo.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_it_restarts_the_service_and_proves_it_by_the_metric(demo: DemoPlatform) -> None:
    demo.break_("service-down")
    demo.wait_for(DOWN)
    done = opsconsole(demo, *RUN, *SAID)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert {step["name"]: step["state"] for step in said["steps"]} == {
        "service-status": "ok",
        "metric-before": "ok",
        "recent-log": "ok",
        "database-answers": "ok",
        "restart": "ok",
        "metric-is-up": "ok",
        "alerts-quiet": "ok",
        "tell-the-teams-channel-what-was": "done",
    }
    assert demo.query(UP)  # no waiting: the runbook has waited
    folder = demo.state / "runs" / said["run"]
    reading = read_journal(folder)
    assert not reading.problems
    results = [record["step"] for record in reading.records if record["ev"] == "result"]
    assert sorted(results) == sorted(set(results))
    assert "UP energy-service app-1, app-2" in (folder / "report.md").read_text()


def test_a_restart_that_does_not_help_is_not_called_a_success(demo: DemoPlatform) -> None:
    """The command says that all is well; the metric does not. The metric counts."""
    demo.break_("service-down")
    demo.wait_for(DOWN)
    shipped = demo.config.read_text()
    lying = demo.config.with_name("lying.yaml")
    lying.write_text(shipped.replace(str(demo.config.with_name("control")), "/bin/true"))
    assert "/bin/true" in lying.read_text()
    book = opsconsole(demo, "runbook", "show", "service-restart-procedures", "--format", "json")
    path = json.loads(book.stdout)["path"]
    impatient = demo.config.with_name("SERVICE-RESTART-PROCEDURES.md")
    with open(path, encoding="utf-8") as file:
        impatient.write_text(file.read().replace('"timeout":"2m","until":"^UP "', '"timeout":"4s","until":"^UP "'))
    arguments = [str(impatient) if one == "service-restart-procedures" else one for one in (*RUN, *SAID)]
    done = opsconsole(demo, *arguments, "--config", str(lying))
    assert done.returncode == 124, done.stdout + done.stderr
    said = json.loads(done.stdout)
    states = {step["name"]: step["state"] for step in said["steps"]}
    assert (said["state"], states["restart"], states["metric-is-up"]) == ("failed", "failed", "timed-out")
    summary = summarize(demo.state / "runs" / said["run"])
    assert summary is not None
    assert summary.state == "failed"


def test_a_name_that_monitoring_does_not_know_stops_before_anything_is_restarted(demo: DemoPlatform) -> None:
    arguments = [one.replace("energy-service", "energy-servce") for one in (*RUN, *SAID)]
    done = opsconsole(demo, *arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    states = {step["name"]: step["state"] for step in json.loads(done.stdout)["steps"]}
    assert states["restart"] == "pending"
