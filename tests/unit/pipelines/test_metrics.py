"""Airflow's metrics by profiles: which one it is, what is asked, what is not told, and what stands in for Airflow."""

import pytest

from opsconsole.config.airflow_metrics import AirflowMetrics
from opsconsole.core.reading import Answer, Query, SourceError
from opsconsole.core.state import State
from opsconsole.core.values import Sample, Vector
from opsconsole.pipelines.measured import dag_state, measured_promises
from opsconsole.pipelines.metrics import Measured, Measuring, Metrics, NoMetricsError, detect, read_metrics
from opsconsole.pipelines.promises import Verdict
from opsconsole.pipelines.vitality import component_state
from opsconsole.sources.airflow.expressions import EXPRESSIONS, text_of
from opsconsole.sources.airflow.profiles import KNOWN, PROFILES, Profile, possible
from tests.unit.pipelines.made import sla

BEATS = "sum(rate(airflow_scheduler_heartbeat[5m]))"
DOWN = SourceError("airflow", "unreachable", "connection refused")


class Told:
    """A Prometheus that answers from a table, and remembers what it was asked."""

    def __init__(self, *known: tuple[str, dict[str, str], float], fails: bool = False) -> None:
        self.known = known
        self.fails = fails
        self.asked: list[str] = []

    async def __call__(self, query: Query) -> Answer:
        self.asked.append(query.text)
        if self.fails:
            raise SourceError("prometheus", "timeout", "no answer within 5s")
        found = [Sample(labels, value, 0.0) for text, labels, value in self.known if text == query.text]
        return Answer(Vector(tuple(found)), 0.0, 0.0)


async def test_milliseconds_become_seconds_and_what_is_not_told_is_none() -> None:
    otel = PROFILES["otel"]
    seconds = text_of("run_seconds", otel)
    assert seconds == "0.001 * max by (dag_id) (airflow_dagrun_duration_success)"
    found = await read_metrics(Told((seconds, {"dag_id": "load"}, 2.5)), otel)
    (dag,) = found.dags
    assert (dag.seconds, dag.succeeded, dag.failed, dag.tasks_failed) == (2.5, None, None, None)
    assert (found.heartbeats, found.alive, found.queued, found.import_errors) == (None, None, None, None)
    assert text_of("runs_failed", otel) == ""  # of a duration it keeps only the latest


async def test_a_heartbeat_of_zero_is_death_and_nan_is_silence() -> None:
    helm = PROFILES["helm-statsd"]
    dead = await read_metrics(Told((BEATS, {}, 0.0)), helm)
    assert dead.alive is False
    assert component_state(dead.components[0]) == (State.CRIT, "no heartbeat for 5m, by its metrics")
    assert (await read_metrics(Told((BEATS, {}, 0.2)), helm)).alive is True
    silent = await read_metrics(Told((BEATS, {}, float("nan"))), helm)
    assert silent.alive is None
    assert component_state(silent.components[0]) == (State.UNKNOWN, "unknown: metrics do not tell")


async def test_a_profile_is_found_by_runs_else_pools_else_the_heartbeat() -> None:
    pools = 'count(airflow_pool_open_slots{pool_name!=""})'
    runs = "count(airflow_dagrun_duration_count) or count(airflow_dagrun_failed_count)"
    assert await detect(Told((runs, {}, 1.0), (pools, {}, 1.0)), KNOWN) is PROFILES["helm-statsd"]
    found = await detect(Told((pools, {}, 1.0)), KNOWN)
    assert found is not None
    assert found.pool_label == "pool_name"
    assert await detect(Told(("count(airflow_scheduler_heartbeat)", {}, 1.0)), KNOWN) is not None
    assert await detect(Told(), KNOWN) is None


@pytest.mark.parametrize("profile", KNOWN, ids=lambda one: one.name)
def test_every_question_is_promql(profile: Profile) -> None:
    promql = pytest.importorskip("promql_parser")
    texts = {name: text_of(name, profile) for name in EXPRESSIONS}
    assert all(texts[name] for name in ("scheduler_beats", "pool_open", "run_seconds"))
    for text in filter(None, texts.values()):
        assert promql.parse(text) is not None


def test_the_configuration_changes_prefix_names_labels_and_units() -> None:
    said = AirflowMetrics(
        "otel", prefix="af", names={"task_failures": 'finished{state="failed"}'}, labels={"dag": "dag", "pool": "slot"},
        match={"namespace": 'a"b'}, unit="s", durations="summary",
    )  # fmt: skip
    (profile,) = possible(said)
    where = '{namespace="a\\"b"}'
    assert text_of("pool_open", profile) == (
        f'max by (pool) (label_replace(af_pool_open_slots{where}, "pool", "$1", "slot", "(.+)"))'
    )
    assert profile.series("task_failures") == 'finished{state="failed",namespace="a\\"b"}'
    assert profile.series("scheduler_heartbeat") == '{__name__=~"af_scheduler_heartbeat(_total)?",namespace="a\\"b"}'
    assert "af_dagrun_duration_success_count" in text_of("runs_succeeded", profile)
    assert "0.001" not in text_of("run_seconds", profile)


def test_a_custom_profile_has_only_the_names_that_it_is_given() -> None:
    (profile,) = possible(AirflowMetrics("custom", names={"scheduler_heartbeat": "beats"}))
    told = {name: text for name in EXPRESSIONS if (text := text_of(name, profile))}
    assert told == {"scheduler_beats": "sum(rate(beats[5m]))"}


async def test_metrics_stand_in_for_airflow_and_say_why() -> None:
    prometheus = Told((BEATS, {}, 0.2))
    measuring = Measuring(prometheus, AirflowMetrics("helm-statsd"), clock=lambda: 7.0)
    told = await measuring.instead_of(DOWN)
    assert (told.origin.way, told.origin.version, told.taken_at) == ("metrics", "helm-statsd", 7.0)
    assert told.origin.notes == ("from metrics, for Airflow does not answer: connection refused",)
    asked = len(prometheus.asked)
    await measuring.instead_of(DOWN)
    assert len(prometheus.asked) == asked  # one reading for all who look


async def test_what_metrics_cannot_say_leaves_airflows_own_error() -> None:
    with pytest.raises(SourceError) as none:
        await Measuring(Told(), AirflowMetrics()).instead_of(DOWN)
    assert none.value is DOWN
    with pytest.raises(NoMetricsError, match="by the names of mixin, otel, helm-statsd, statsd-exporter"):
        await Measuring(Told(), AirflowMetrics()).read()
    with pytest.raises(SourceError) as both:
        await Measuring(Told(fails=True), AirflowMetrics()).instead_of(DOWN)
    assert both.value.message == "connection refused; and prometheus: no answer within 5s"


@pytest.mark.parametrize(
    ("succeeded", "failed", "tasks", "state"),
    [
        (0.0, 1.1, None, State.CRIT),
        (None, 0.9, None, State.CRIT),
        (3.0, 1.0, None, State.WARN),
        (3.0, 0.0, 2.0, State.WARN),
        (3.0, 0.0, 0.0, State.OK),
        (3.0, None, None, State.OK),
        (0.0, 0.0, 0.0, State.UNKNOWN),
        (None, None, None, State.UNKNOWN),
        (None, None, 1.0, State.WARN),
    ],
)
def test_a_dag_is_judged_by_what_ended_within_the_hour(
    succeeded: float | None, failed: float | None, tasks: float | None, state: State
) -> None:
    assert dag_state(Measured("load", "", None, succeeded, failed, tasks))[0] is state


def test_metrics_tell_that_a_promise_is_broken_and_never_that_it_is_kept() -> None:
    dags = (
        Measured("bad", "", 10.0, 0.0, 1.0),
        Measured("mixed", "", 10.0, 3.0, 1.0),
        Measured("quick", "", 10.0, 5.0, 0.0),
        Measured("slow", "", 90.0, 5.0, 0.0),
        Measured("nobody", "", None, 5.0, 0.0),
    )
    slas = [
        sla(60.0, name="own", dag="slow"), sla(60.0, name="silent", dag="absent"), sla(60.0, name="b", dag="b[ad]*"),
        sla(5.0, name="other", kind="api", dag="quick"), sla(60.0, name="rest", dag="[mqs]*"),
    ]  # fmt: skip
    found = measured_promises(slas, Metrics("mixin", 1.0, dags, (), ()))
    assert [(one.dag_id, one.sla.name, one.state, one.verdict) for one in found] == [
        ("bad", "b", State.CRIT, Verdict.FAILED),
        ("slow", "own", State.WARN, Verdict.MISSED),
        ("absent", "silent", State.UNKNOWN, None),
        ("mixed", "rest", State.UNKNOWN, None),
        ("quick", "rest", State.UNKNOWN, None),
    ]
    assert found[1].why == "runs took 1m 30s on average, and it promises 1m"
