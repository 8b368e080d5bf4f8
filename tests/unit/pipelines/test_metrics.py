"""Airflow's metrics by four families of names: the questions, the units, and what is not told."""

import pytest

from opsconsole.core.reading import Answer, Query
from opsconsole.core.values import Sample, Vector
from opsconsole.pipelines.metrics import PROFILES, counted, detect, gauge, mean, read_metrics


class Told:
    """A Prometheus that answers from a table, and remembers what it was asked."""

    def __init__(self, *known: tuple[str, dict[str, str], float]) -> None:
        self.known = known
        self.asked: list[str] = []

    async def __call__(self, query: Query) -> Answer:
        self.asked.append(query.text)
        found = [Sample(labels, value, 0.0) for text, labels, value in self.known if text == query.text]
        return Answer(Vector(tuple(found)), 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "profile"),
    [
        ("count(airflow_dagrun_duration_count)", "helm-statsd"),
        ("count(airflow_dagrun_duration_success_count)", "mixin"),
        ("count(airflow_dagrun_duration_success)", "otel"),
        ('count({__name__=~"airflow_dagrun_duration_success_.+_count"})', "statsd-exporter"),
    ],
)
async def test_the_family_is_found_by_the_names_that_exist(text: str, profile: str) -> None:
    found = await detect(Told((text, {}, 3.0)))
    assert found is PROFILES[profile]
    assert await detect(Told()) is None


async def test_milliseconds_become_seconds_and_what_is_not_told_is_none() -> None:
    otel = PROFILES["otel"]
    told = Told(
        (mean(otel, otel.duration, ("dag_id",)), {"dag_id": "load"}, 2500.0),
        (gauge(otel, otel.open), {"pool_name": "default_pool"}, 7.0),
    )
    found = await read_metrics(told, otel)
    (dag,) = found.dags
    assert (dag.dag_id, dag.seconds, dag.succeeded, dag.failed) == ("load", 2.5, None, None)
    assert (found.heartbeats, found.alive) == (None, None)  # silence is not death
    assert [(one.pool, one.open, one.used) for one in found.pools] == [("default_pool", 7.0, None)]


async def test_a_heartbeat_of_zero_is_death_and_nan_is_silence() -> None:
    beat = "sum(rate(airflow_scheduler_heartbeat[5m]))"
    helm = PROFILES["helm-statsd"]
    assert (await read_metrics(Told((beat, {}, 0.0)), helm)).alive is False
    assert (await read_metrics(Told((beat, {}, 0.2)), helm)).alive is True
    assert (await read_metrics(Told((beat, {}, float("nan"))), helm)).alive is None


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda one: one.name)
def test_every_question_is_promql(profile: object) -> None:
    promql = pytest.importorskip("promql_parser")
    one = next(known for known in PROFILES.values() if known is profile)
    texts = [
        mean(one, one.duration, ("dag_id",)), counted(one, one.failed, ("dag_id",)), gauge(one, one.open),
        mean(one, one.task, ("dag_id", "task_id")),
    ]  # fmt: skip
    for text in texts:
        assert not text or promql.parse(text) is not None
    assert texts[0]
