"""`$__airflow_…` in screens: written out by the profile of the environment, or by all families."""

import pytest

from opsconsole.config.airflow_metrics import AirflowMetrics
from opsconsole.config.document import parse_document
from opsconsole.screens.loading import read_screen
from opsconsole.sources.airflow.expressions import EXPRESSIONS, NOTHING

SCREEN = "screen: 1\nid: s\npanes:\n  - {id: a, kind: status, query: '%s'}\n"
HELM, OTEL = AirflowMetrics("helm-statsd"), AirflowMetrics("otel", prefix="af")


def query_of(text: str, said: AirflowMetrics | None = None) -> str:
    screen, problems = read_screen(parse_document(SCREEN % text, "s.yaml"), said)
    assert problems == []
    assert screen is not None
    return screen.panes[0].targets[0].query


def test_a_name_is_what_the_profile_calls_it() -> None:
    text = "$__airflow_scheduler_beats > 0"
    assert query_of(text, HELM) == "(sum(rate(airflow_scheduler_heartbeat[5m]))) > 0"
    assert query_of(text, OTEL) == '(sum(rate({__name__=~"af_scheduler_heartbeat(_total)?"}[5m]))) > 0'


def test_the_span_can_be_chosen() -> None:
    assert "[15m]" in query_of("${__airflow_tasks_failed:15m}", HELM)
    assert "[1h]" in query_of("${__airflow_tasks_failed}", HELM)


def test_what_a_profile_cannot_tell_is_an_answer_without_samples() -> None:
    assert query_of("$__airflow_runs_failed", OTEL) == f"({NOTHING})"


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_without_a_profile_all_families_are_asked_and_the_first_counts(name: str) -> None:
    promql = pytest.importorskip("promql_parser")
    text = query_of(f"$__airflow_{name} * 2")
    assert promql.parse(text) is not None
    assert "airflow_" in text
    if name in ("runs_failed", "pool_open"):
        assert text.count(" or on () ") == 2


def test_variables_of_the_screen_and_dollars_of_label_replace_live_beside_it() -> None:
    text = "screen: 1\nid: s\nvariables: {job: {values: [a]}}\npanes:\n  - {id: a, kind: stat, query: '%s'}\n"
    document = parse_document(text % 'up{job="$job"} and on () $__airflow_pool_open', "s.yaml")
    screen, problems = read_screen(document)
    assert problems == []
    assert screen is not None
    assert '"$1", "pool_name"' in screen.panes[0].targets[0].query


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$__airflow_runs_faild", "unknown variable '__airflow_runs_faild'; did you mean '__airflow_runs_failed'?"),
        (
            "${__airflow_runs_failed:long}",
            "${__airflow_runs_failed:…}: expected a span such as ${__airflow_runs_failed:15m}",
        ),
    ],
)
def test_an_unknown_name_is_told_where_it_stands(text: str, said: str) -> None:
    _, (problem,) = read_screen(parse_document(SCREEN % text, "s.yaml"))
    assert str(problem).startswith(f"s.yaml:4:34: error: {said}")
