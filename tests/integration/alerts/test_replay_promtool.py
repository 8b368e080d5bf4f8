"""A rule over four hours of values that were made: the replay over a real Prometheus says, minute by minute, what
`promtool test rules` says of the same values."""

import json
import random
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from opsconsole.alerts.replay import AlertRule, Episode
from opsconsole.alerts.replaying import replay
from opsconsole.config.settings import PrometheusSettings
from opsconsole.demo import binaries
from opsconsole.sources.prometheus import PrometheusSource
from tests.integration.sla.past import NAN, Shape, past_in_prometheus

MINUTE = 60.0
LENGTH = 240
START = (time.time() // 3600 - 8) * 3600
RULES = (
    AlertRule("Plain", "load > 5", MINUTE),
    AlertRule("Held", "load > 5", MINUTE, hold=180.0, labels={"severity": "page"}),
    AlertRule("Kept", "load > 5", MINUTE, hold=120.0, keep=240.0),
    AlertRule("Summed", "sum by (job) (load) > 9", MINUTE, hold=60.0),
)


def _values(seed: int) -> list[float]:
    """Values that stay for some minutes where they are, and now and then are not there for longer than Prometheus looks
    back."""
    rolled, values = random.Random(seed), list[float]()
    while len(values) < LENGTH:
        values += [rolled.choice((2.0, 4.0, 6.0, 8.0, NAN))] * rolled.randint(1, 9)
    return values[:LENGTH]


SERIES = {f'load{{job="{job}",instance="{at}"}}': _values(at) for at, job in enumerate(("a", "a", "b"))}


def _rules_file(folder: Path) -> Path:
    rules = [
        {"alert": one.name, "expr": one.expr, "for": f"{one.hold:.0f}s", "keep_firing_for": f"{one.keep:.0f}s"}
        | {"labels": dict(one.labels)}
        for one in RULES
    ]
    path = folder / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "made", "interval": "1m", "rules": rules}]}))
    return path


def _promtool_agrees(folder: Path, told: dict[str, Sequence[Episode]]) -> bool:
    """Whether promtool says that exactly these episodes go on at each minute."""

    def fires(one: Episode, at: float) -> bool:
        return one.started_at <= at and (one.ended_at is None or at < one.ended_at)

    expected = [
        {
            "eval_time": f"{minute}m",
            "alertname": name,
            "exp_alerts": [
                {"exp_labels": {key: value for key, value in one.labels.items() if key != "alertname"}}
                for one in episodes
                if fires(one, START + minute * MINUTE)
            ],
        }
        for name, episodes in told.items()
        for minute in range(LENGTH)
    ]
    given = [
        {"series": name, "values": " ".join("_" if one != one else f"{one:g}" for one in values)}
        for name, values in SERIES.items()
    ]
    test = {"interval": "1m", "input_series": given, "alert_rule_test": expected}
    path = folder / "test.yml"
    path.write_text(
        json.dumps({"rule_files": [str(_rules_file(folder))], "evaluation_interval": "1m", "tests": [test]})
    )
    argv = [str(binaries.find("promtool")), "test", "rules", str(path)]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


async def test_a_replay_says_minute_by_minute_what_promtool_says(tmp_path: Path) -> None:
    def shape(values: Sequence[float]) -> Shape:
        return lambda at: values[round(at / MINUTE)]

    past = {name: shape(values) for name, values in SERIES.items()}
    told: dict[str, Sequence[Episode]] = {}
    with past_in_prometheus(past, START, (LENGTH - 1) * MINUTE) as server:
        source = PrometheusSource(PrometheusSettings(server.url))
        for rule in RULES:
            told[rule.name] = (await replay(source, rule, START, START + (LENGTH - 1) * MINUTE)).episodes
        await source.close()
    assert all(len(episodes) > 5 for episodes in told.values())
    assert _promtool_agrees(tmp_path, told)
    told["Held"] = told["Held"][1:]
    assert not _promtool_agrees(tmp_path, told), "it compares nothing"
