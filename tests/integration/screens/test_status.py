"""`opsconsole status` on the real demo: healthy it is 0, and each fault is seen within two refreshes."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opsconsole.cli.status import TIMEOUT, read_checks
from opsconsole.cli.wiring import load_screens
from opsconsole.config.loading import load_settings
from tests.faults import FaultServer
from tests.platform import DemoPlatform

TWO_REFRESHES = 10.0
PAUSE = 0.25
"""Seconds between two looks at all checks: that a value has come, nothing tells."""


def status(demo: DemoPlatform, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The command's exit code and JSON."""
    command = [sys.executable, "-m", "opsconsole.cli.main", "status", "--format", "json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=demo.environment)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def states(found: dict[str, Any]) -> dict[str, str]:
    return {check["id"]: check["state"] for check in found["checks"]}


Look = Callable[[], dict[str, str]]


@pytest.fixture(scope="module")
def look(demo_platform: DemoPlatform) -> Iterator[Look]:
    """Reads every check as the command does, without a process for each time: id -> state."""
    environment = load_settings(demo_platform.config).environment
    screens, problems = load_screens(environment)
    assert not problems
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPSCONSOLE_STATE", str(demo_platform.state))
        yield lambda: {check.id: check.state.value for check in read_checks(environment, screens, TIMEOUT)}


def wait_until(look: Look, wanted: Callable[[dict[str, str]], bool], seconds: float) -> float:
    """Look until the states are as wanted; seconds until the first look that saw it had begun."""
    began = time.monotonic()
    while True:
        looked_at = time.monotonic()
        if wanted(seen := look()):
            return looked_at - began
        assert looked_at - began < seconds, {check: state for check, state in seen.items() if state != "OK"}
        time.sleep(PAUSE)


LEFT_BEHIND = 100.0
"""Seconds: what an earlier test broke leaves its rates of a minute only after that minute."""


def test_a_healthy_platform_is_ok(demo: DemoPlatform, look: Look) -> None:
    wait_until(look, lambda seen: set(seen.values()) == {"OK"}, LEFT_BEHIND)
    code, found = status(demo)
    assert (code, found["state"], found["environment"]) == (0, "OK", "demo"), states(found)
    assert len(found["checks"]) > 30
    assert all(check["error"] is None and check["age_seconds"] < 10 for check in found["checks"])


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("service-down", "system-health/services/energy-service app-2"),
        ("high-errors", "system-health/errors/energy-service"),
        ("slow-api", "system-health/latency/energy-service"),
        ("dag-failure", "system-health/pipelines/ingest_meter_readings"),
        ("stale-data", "system-health/freshness/tariffs"),
        ("lock", "database-overview/lock-wait"),
        ("disk-full", "resources/disk/host-1 /data"),
    ],
)
def test_each_fault_is_seen_within_two_refreshes(fault: str, check: str, demo: DemoPlatform, look: Look) -> None:
    wait_until(look, lambda seen: seen[check] == "OK", LEFT_BEHIND)
    demo.break_(fault)
    assert wait_until(look, lambda seen: seen[check] in ("WARN", "CRIT"), TWO_REFRESHES) < TWO_REFRESHES
    code, found = status(demo)
    assert states(found)[check] in ("WARN", "CRIT")
    assert code in (1, 2)


def test_one_screen_can_be_asked_for_and_an_unknown_one_is_refused(demo: DemoPlatform) -> None:
    _, found = status(demo, "resources")
    assert {check["screen"] for check in found["checks"]} == {"resources"}
    command = [sys.executable, "-m", "opsconsole.cli.main", "status", "resorces"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=demo.environment)
    assert done.returncode == 2
    assert "did you mean 'resources'?" in done.stderr


def test_a_source_that_does_not_answer_is_unknown_within_the_time_given(demo: DemoPlatform) -> None:
    with FaultServer("hang") as prometheus:
        began = time.monotonic()
        code, found = status(demo, "--prometheus", prometheus.url, "--timeout", "1", "system-health")
        assert time.monotonic() - began < TIMEOUT, "what it would take without the option"
    assert (code, found["state"]) == (3, "ERROR")
    assert all(check["error"] for check in found["checks"])


def test_the_table_is_for_people_worst_first(demo: DemoPlatform) -> None:
    command = [sys.executable, "-m", "opsconsole.cli.main", "status", "resources"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=demo.environment)
    first, header, *rows = done.stdout.splitlines()
    assert first.startswith("demo: ")
    assert header.split() == ["STATE", "AREA", "CHECK", "VALUE", "AGE", "RUNBOOK"]
    assert any("host-1 /data" in row for row in rows)
