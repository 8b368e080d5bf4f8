"""Five thousand alerts of two thousand rules, on a real Prometheus and a real Alertmanager: a refresh, and keys."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Program, highlights, key_latencies
from bench.servers import CONSOLE
from opsconsole.alerts.asking import open_alerts
from opsconsole.alerts.model import AlertState, Survey
from opsconsole.config.settings import AlertmanagerSettings, Environment, PrometheusSettings
from opsconsole.sources.registry import Sources
from opsconsole.ui.garbage import GarbageRounds
from tests.servers import start_alertmanager, start_prometheus

RULES, ALERTS = 2_000, 5_000
_FIVE = " or ".join(f'label_replace(vector(1), "n", "{n}", "", "")' for n in range(5))
_WITH_FIVE = (ALERTS - RULES) // 4
"""Rules that make five alerts; the others make one."""
_ROUTES = """
route:
  receiver: default
  group_by: [alertname]
  routes:
  - {receiver: pager, matchers: [severity="critical"]}
  - {receiver: data, matchers: [team=~"data.*"], continue: true}
receivers: [{name: default}, {name: pager}, {name: data}]
"""
_TURNS = 5


@dataclass(frozen=True)
class Many:
    """The two of them."""

    prometheus: str
    alertmanager: str

    @property
    def environment(self) -> Environment:
        """They, as an environment."""
        return Environment(
            "bench", Path("screens"), Path("runbooks"), prometheus=PrometheusSettings(self.prometheus, timeout=30.0),
            alertmanager=AlertmanagerSettings(self.alertmanager, timeout=30.0),
        )  # fmt: skip


@contextmanager
def many(folder: Path) -> Iterator[Many]:
    """They run, and every alert is with Alertmanager."""
    rules = folder / "rules.yml"
    rules.write_text("groups:\n" + "".join(_group(number) for number in range(RULES // 50)))
    with start_alertmanager(config=_ROUTES) as alertmanager:
        target = f'[{{{{targets: ["127.0.0.1:{alertmanager.port}"]}}}}]'
        config = (  # `start_prometheus` fills in its own port: braces stand twice
            "global: {{evaluation_interval: 30s, external_labels: {{cluster: bench}}}}\n"
            f"rule_files: [{rules}]\nalerting: {{{{alertmanagers: [{{{{static_configs: {target}}}}}]}}}}\n"
        )
        with start_prometheus(config=config, options=["--rules.alert.resend-delay=1m"]) as prometheus:
            found = Many(prometheus.url, alertmanager.url)
            asyncio.run(_all_delivered(found))
            yield found


def refreshes(servers: Many) -> list[float]:
    """Seconds of several refreshes, one after the other, as a screen takes them: with the console's collector."""
    GarbageRounds().begin()
    return asyncio.run(_refreshes(servers))


def keys(servers: Many, folder: Path) -> list[float]:
    """Seconds from a key that moves the cursor to its paint, while the page of alerts is read."""
    config = folder / "opsconsole.yaml"
    config.write_text(
        "version: 1\ndefault_environment: bench\nenvironments:\n  bench:\n"
        f'    prometheus: {{url: "{servers.prometheus}", timeout: 30s}}\n'
        f'    alertmanager: {{url: "{servers.alertmanager}", timeout: 30s}}\n'
    )
    env = {"OPSCONSOLE_STATE": str(folder / "state")}
    with Program((*CONSOLE, "--config", str(config)), r"9 Runbooks", env=env).open() as terminal:
        terminal.wait_for(r"9 Runbooks", 20)
        terminal.press(":alerts", "enter")
        terminal.wait_for(rf"{ALERTS:,} open", 60)
        terminal.press("down")
        terminal.settle(0.5)
        return key_latencies(terminal, ["down", "up"], 80, highlights, pause=0.15)


def _group(number: int) -> str:
    rules = "".join(_rule(50 * number + place) for place in range(50))
    return f"- name: g{number}\n  rules:\n{rules}"


def _rule(number: int) -> str:
    expression = _FIVE if number < _WITH_FIVE else "vector(1)"
    severity, team = ("critical", "warning", "info")[number % 3], ("data-eu", "infra")[number % 2]
    return (
        f"  - alert: Rule{number}\n    expr: '{expression}'\n"
        f"    labels: {{severity: {severity}, team: {team}, job: job-{number % 40}, instance: host-{number}}}\n"
        f'    annotations: {{summary: "job-{number % 40} of host-{number} is unwell", runbook: nothing}}\n'
    )


async def _all_delivered(servers: Many) -> None:
    sources = Sources(servers.environment)
    alerts = open_alerts(servers.environment, sources)
    async with asyncio.timeout(300):
        while True:  # nobody tells when it is
            if _complete(await alerts.survey()):
                break
            await asyncio.sleep(1.0)
    await sources.close()


def _complete(survey: Survey) -> bool:
    return sum(one.state is AlertState.ACTIVE for one in survey.alerts) == ALERTS


async def _refreshes(servers: Many) -> list[float]:
    sources = Sources(servers.environment)
    alerts = open_alerts(servers.environment, sources)
    await alerts.survey()
    taken = []
    for _ in range(_TURNS):
        await asyncio.sleep(1.0)
        began = time.monotonic()
        assert _complete(await alerts.survey())
        taken.append(time.monotonic() - began)
    await sources.close()
    return taken
