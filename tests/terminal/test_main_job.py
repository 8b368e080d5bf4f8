"""The main job, the way an operator meets it: from the red cell to the runbook to green, on a real terminal."""

import json
import subprocess
import sys

from bench.terminal import Terminal
from tests.platform import DemoPlatform

CALM = r"all is well"
DOWN = r"✗ CRIT +services +energy-service app-2 +down"
TWO_REFRESHES = 10.0
STEPS = [
    ("service.status", "energy-service"),
    ("runbook.step", "metric-before"),
    ("service.logs", "energy-service"),
    ("runbook.step", "database-answers"),
    ("service.restart", "energy-service"),
    ("runbook.step", "metric-is-up"),
    ("runbook.step", "alerts-quiet"),
]


def test_from_the_red_cell_to_green(demo: DemoPlatform) -> None:
    console = (sys.executable, "-m", "opsconsole.cli.main")
    with Terminal(console, env=demo.environment) as terminal:
        terminal.wait_for(CALM, 15)

        demo.break_("service-down")
        demo.wait_for('up{job="energy-service", instance="app-2"} == 0')
        terminal.wait_for(DOWN, TWO_REFRESHES)

        # Two keys: to the runbook, its parameters filled in, and its first step runs.
        terminal.press("b")
        terminal.wait_for(r"SERVICE = energy-service +INSTANCE = app-2")
        terminal.press("enter")
        terminal.wait_for(r"OUTPUT of service-status")
        terminal.wait_for(r"energy-service app-2 STOPPED")
        for step in ("metric-before", "recent-log", "database-answers"):
            terminal.press("enter")
            terminal.wait_for(rf"OUTPUT of {step}", 30)
            terminal.wait_for(r"enter run")

        terminal.press("enter")
        terminal.wait_for(r"Type +energy-service +to run")
        terminal.press("energy-service", "enter")
        # The restart is verified by the metric, in a scrape made after it; that is step 3.1, and it need not run again.
        terminal.wait_for(r"● 2\.1 restart it", 60)
        terminal.wait_for(r"● 3\.1 the metrics say it is up", 60)
        terminal.wait_for(r"3\.2  no alert is left for it")
        terminal.press("enter")
        terminal.wait_for(r"● 3\.2 no alert is left for it", 90)
        for number, what in (("3\\.4", "Look as a customer does"), ("3\\.5", "Tell the team")):
            terminal.wait_for(rf"{number}  {what}")
            terminal.press("enter")
            terminal.wait_for(rf"● {number}", 10)

        terminal.press("q")
        terminal.wait_for(CALM, 30)
        terminal.press("q")
        assert terminal.wait_exit() == 0

    assert demo.query('up{job="energy-service", instance="app-2"}')[0][1] == 1.0
    said = subprocess.run(
        [*console, "audit", "list", "--format", "json"],
        env=demo.environment,
        capture_output=True,
        check=True,
        timeout=30,
    )
    entries = [entry for entry in json.loads(said.stdout) if entry["run"]]
    assert len({entry["run"] for entry in entries}) == 1
    assert {entry["outcome"] for entry in entries} == {"ok"}
    # Every step once, what is done to the service under its name.
    targets = [entry["target"].removeprefix("service-restart-procedures/") for entry in entries]
    assert list(zip((entry["action"] for entry in entries), targets, strict=True)) == STEPS


def test_from_the_failed_dag_to_the_green_run(demo: DemoPlatform) -> None:
    """On the screen alone: the red line, its runs, the log that says why, the retry, and the line is green again."""
    failed = r"CRIT +ingest_meter_readings"
    with Terminal((sys.executable, "-m", "opsconsole.cli.main"), env=demo.environment) as terminal:
        terminal.wait_for(r"3 Pipelines")
        terminal.press("3")
        terminal.wait_for(r"OK +ingest_meter_readings", 60)
        demo.break_("dag-failure")
        terminal.wait_for(failed, 90)
        terminal.wait_for(r"Failures(.|\n)*ConnectionResetError", 60)

        terminal.press("home", "enter")
        terminal.wait_for(r"DAG ingest_meter_readings(.|\n)*failed +scheduled__")
        terminal.press("s", "s", "enter")
        terminal.wait_for(r"load_readings.* +failed")
        terminal.press("/load_readings", "enter")
        terminal.wait_gone(r"wait_for_files")
        terminal.press("enter")
        terminal.wait_for(r"Log of load_readings(.|\n)*ConnectionResetError")
        for shown in (r"load_readings \* +failed", r"wait_for_files", r"failed +scheduled__"):  # the filter goes first
            terminal.press("esc")
            terminal.wait_for(shown)
        terminal.press(":pipelines", "enter")
        terminal.wait_for(failed)
        terminal.press("home", "x")
        terminal.wait_for(r"retry failed")
        terminal.press("retry failed", "enter")
        terminal.wait_for(r"1\.1 +Retry ingest_meter_readings")
        terminal.press("enter")
        terminal.wait_for(r"Run this step\?")
        terminal.press("y")
        terminal.wait_for(r"has begun again(.|\n)*enter back", 60)
        terminal.press("enter")
        terminal.wait_for(r"OK +ingest_meter_readings", 90)
