"""A rule that a real Prometheus has loaded: the replay says what its ALERTS series say."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from opsconsole.alerts.replay import AlertRule
from opsconsole.alerts.replay_rules import loaded_rules
from opsconsole.alerts.replaying import replay
from opsconsole.config.settings import PrometheusSettings
from opsconsole.core.values import Matrix, Vector
from opsconsole.sources.prometheus import PrometheusSource
from tests.servers import WebServer, start_prometheus

# There for 4 seconds of each 6, and 5 of each 8: what holds back, and what keeps, both have an effect.
RULES = """
groups:
- name: waves
  interval: 1s
  rules:
  - {alert: Held, expr: "vector(time() % 6) < 4", for: 2s, labels: {severity: warning}}
  - {alert: Kept, expr: "label_replace(vector(time() % 8), 'job', 'a', '', '') < 5", for: 1s, keep_firing_for: 1s}
"""


@pytest.fixture(scope="module")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    rules = tmp_path_factory.mktemp("rules") / "rules.yml"
    rules.write_text(RULES)
    with start_prometheus(config=f"global: {{{{evaluation_interval: 1s}}}}\nrule_files: [{rules}]\n") as server:
        yield server


@pytest.fixture
async def source(waves: WebServer) -> AsyncIterator[PrometheusSource]:
    source = PrometheusSource(PrometheusSettings(waves.url))
    yield source
    await source.close()


async def fired(source: PrometheusSource, rule: AlertRule, start: float, end: float) -> list[float]:
    """Every second at which the rule's alert fired, by its ALERTS series; without filling in what is between."""
    told = await source.instant(
        f'timestamp(ALERTS{{alertname="{rule.name}",alertstate="firing"}})[{end - start:.0f}s:1s]', at=end
    )
    assert isinstance(told.value, Matrix)
    return sorted({value for one in told.value.series for _, value in one.points})


async def both_fired(source: PrometheusSource) -> bool:
    told = await source.instant("changes(ALERTS_FOR_STATE[1m]) >= 1")
    return isinstance(told.value, Vector) and len(told.value.samples) == 2


def spans(moments: list[float]) -> list[tuple[float, float]]:
    """(first, a second after the last) of each run of moments a second apart."""
    found: list[tuple[float, float]] = []
    for at in moments:
        if found and at - found[-1][1] < 0.5:
            found[-1] = (found[-1][0], at + 1)
        else:
            found.append((at, at + 1))
    return found


async def test_a_replay_agrees_with_the_alerts_that_were_there(source: PrometheusSource) -> None:
    async with asyncio.timeout(30):  # until each has begun a second time
        while not await both_fired(source):  # noqa: ASYNC110  a server's clock tells nobody
            await asyncio.sleep(0.5)
    end = time.time()
    rules = loaded_rules(await source.payload("rules", ("type", "alert")))
    assert [(one.name, one.hold, one.keep) for one in rules] == [("Held", 2.0, 0.0), ("Kept", 1.0, 1.0)]
    for rule in rules:
        moments = await fired(source, rule, end - 60, end)
        told = await replay(source, rule, moments[0] - 8, end)
        # The rule's own evaluations lie up to a second beside the replay's; and it was loaded amid the first wave.
        ours = [(one.started_at, one.ended_at) for one in told.episodes]
        theirs = [one for one in spans(moments) if one[1] < end - 1.5]
        for place, (start, over) in enumerate(theirs):
            near = [one for one in ours if one[1] is not None and abs(one[1] - over) <= 1.01]
            assert len(near) == 1, f"{rule.name}: fired from {start} to {over}, and the replay says {ours}"
            assert place == 0 or abs(near[0][0] - start) <= 1.01
        assert theirs
        assert len([one for one in ours if one[1] is not None and one[1] >= theirs[0][1] - 1.01]) in (
            len(theirs),
            len(theirs) + 1,
        )


async def test_a_rule_that_cannot_be_evaluated_says_why(source: PrometheusSource) -> None:
    told = await replay(source, AlertRule("A", "sum(", 15.0), time.time() - 60, time.time())
    assert "parse error" in told.error


async def test_a_long_time_is_asked_in_parts(source: PrometheusSource) -> None:
    end = time.time()
    told = await replay(source, AlertRule("A", "vector(1)", 15.0, hold=60.0), end - 7 * 86_400, end)
    (one,) = told.episodes
    assert one.ended_at is None
    assert told.firing_share == pytest.approx(1 - 75 / (7 * 86_400), abs=1e-4)
