"""The demo platform, really started, for tests: what runs where, and how to break it and see it.

def test_it(demo: DemoPlatform) -> None:
    demo.break_("service-down")
    demo.wait_for('up{job="energy-service", instance="app-2"} == 0')
"""

import json
import os
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from opsconsole.demo import faults, platform
from opsconsole.demo.catalogue import instances

Sample = tuple[dict[str, str], float]


@dataclass(frozen=True)
class DemoPlatform:
    """A running demo."""

    running: platform.Platform

    @property
    def config(self) -> Path:
        """Its opsconsole.yaml."""
        return self.running.config

    @property
    def state(self) -> Path:
        """The state folder, `OPSCONSOLE_STATE`."""
        return Path(self.running.facts["state"])

    @property
    def prometheus(self) -> str:
        """The URL of its Prometheus."""
        return self.running.prometheus

    @property
    def alertmanager(self) -> str:
        """The URL of its Alertmanager."""
        return str(self.running.facts["alertmanager"])

    @property
    def postgres(self) -> Mapping[str, str]:
        """Connection strings by name: app, airflow."""
        dsns: Mapping[str, str] = self.running.facts["postgres"]
        return dsns

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables for a command that is to use this demo and no other configuration."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "PROMETHEUS_"))}
        return {**inherited, "OPSCONSOLE_STATE": str(self.state), "OPSCONSOLE_CONFIG": str(self.config)}

    def break_(self, fault: str, target: str | None = None) -> faults.ActiveFault:
        """Cause a fault; returns before the metrics show it."""
        return faults.break_(self.running, fault, target)

    def heal(self, fault: str = "all") -> list[faults.ActiveFault]:
        """Undo a fault, and start whatever a test has stopped; returns before the metrics show it."""
        healed = faults.heal(self.running, fault)
        units = self.running.supervisor.units()
        for one in instances():
            if one.unit in units and units[one.unit].state not in ("RUNNING", "STARTING"):
                self.running.supervisor.start(one.unit)
        return healed

    def query(self, promql: str, at: float | None = None) -> list[Sample]:
        """What Prometheus answers now, or at a moment: labels and value of each sample."""
        asked = {"query": promql, **({} if at is None else {"time": f"{at:.3f}"})}
        with urllib.request.urlopen(
            f"{self.prometheus}/api/v1/query", urllib.parse.urlencode(asked).encode()
        ) as answer:
            found = json.load(answer)["data"]["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def wait_for(self, promql: str, seconds: float = 30.0) -> list[Sample]:
        """Wait until a query has samples; gives them.

        Raises:
            AssertionError: none in time.
        """
        limit = time.monotonic() + seconds
        while not (found := self.query(promql)):
            assert time.monotonic() < limit, f"no sample after {seconds:g} s: {promql}"
            time.sleep(0.1)
        return found

    def control(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the script that runbooks restart services with."""
        command = [self.running.facts["control"], *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def started_demo(state: Path) -> Iterator[DemoPlatform]:
    """A demo with its own state folder; stopped in the end."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    running, _ = platform.start(root=state / "demo", tied=True)
    try:
        yield DemoPlatform(running)
    finally:
        platform.stop(state / "demo")


class SharedDemo:
    """The demo that tests share: started when one first asks for it, stopped as soon as the next ones need none.

    It takes a seventh of a core for as long as it runs, whether anybody looks or not.
    """

    def __init__(self) -> None:
        self._platform: DemoPlatform | None = None
        self._ending = ExitStack()

    @property
    def runs(self) -> bool:
        """Whether it was asked for, and not stopped since."""
        return self._platform is not None

    def platform(self, make_folder: Callable[[], Path]) -> DemoPlatform:
        """The running demo; where none runs, one whose state is in a new folder."""
        if self._platform is None:
            self._platform = self._ending.enter_context(started_demo(make_folder()))
        return self._platform

    def stop(self) -> None:
        """Stop it, if it runs; whoever asks later has another one."""
        self._platform = None
        self._ending.close()


@contextmanager
def quickened(platform: DemoPlatform) -> Iterator[None]:
    """The demo's Prometheus scrapes twice and evaluates four times as often, and its alerts do not wait: who walks
    many runbooks waits for the next scrape most of the time."""
    folder = platform.running.folders.root / "prometheus"
    texts = {path: path.read_text(encoding="utf-8") for path in (folder / "prometheus.yml", folder / "rules.yml")}
    try:
        for path, text in texts.items():
            often = re.sub(r"(scrape_(?:interval|timeout)\W+)2s", r"\g<1>1s", text)
            often = re.sub(r"((?:interval|for)\W+)[24]s", r"\g<1>500ms", often)
            path.write_text(often, encoding="utf-8")
        _reload(platform)
        yield
    finally:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
        _reload(platform)


def _reload(platform: DemoPlatform) -> None:
    urllib.request.urlopen(f"{platform.prometheus}/-/reload", b"").close()
