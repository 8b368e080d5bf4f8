"""Whether DAGs keep what was promised of them."""

from pathlib import Path
from typing import Any

import pytest

from opsconsole.config.slas import load_slas
from opsconsole.core.state import State
from opsconsole.pipelines.model import Dag, Run, Survey
from opsconsole.pipelines.promises import Verdict, judge, promise, promises
from tests.unit.pipelines.made import at, dag, run, sla


@pytest.mark.parametrize(
    ("given", "now", "verdict", "left"),
    [
        (run(took=600.0), 9000.0, Verdict.MET, 3000.0),
        (run(took=4000.0), 9000.0, Verdict.MISSED, -400.0),
        (run("failed", took=600.0), 9000.0, Verdict.FAILED, 3000.0),
        (run(took=600.0, cleared=1), 9000.0, Verdict.RECOVERED, 3000.0),
        (run("running", took=None), 600.0, Verdict.RUNNING, 3000.0),
        (run("running", took=None, cleared=2), 600.0, Verdict.RECOVERING, 3000.0),
        (run("running", took=None), 3601.0, Verdict.LATE, -1.0),
        (run("queued", took=None, started_at=None), 100.0, Verdict.RUNNING, 3500.0),
        (run("queued", took=None, started_at=None), 400.0, Verdict.NOT_STARTED, 3200.0),
        (run("queued", took=None, started_at=None, run_after_at=None, queued_at=None), 400.0, Verdict.RUNNING, None),
        (run("running", took=None), -50.0, Verdict.RUNNING, 3650.0),
    ],
)
def test_one_run_against_its_target(given: Run, now: float, verdict: Verdict, left: float | None) -> None:
    found = judge(sla(3600.0), given, at(now))
    assert (found.verdict, found.left_seconds) == (verdict, left)


@pytest.mark.parametrize(
    ("given", "runs", "verdict", "state"),
    [
        (dag(), [], None, State.UNKNOWN),
        (dag(), [run()], Verdict.MET, State.OK),
        (dag(), [run(took=4000.0)], Verdict.MISSED, State.WARN),
        (dag(), [run("failed")], Verdict.FAILED, State.CRIT),
        (dag(next_run_at=at(8000.0)), [run()], Verdict.NOT_STARTED, State.CRIT),
        (dag(next_run_at=at(9900.0)), [run()], Verdict.MET, State.OK),
        (dag(next_run_at=at(8000.0)), [run("running", 8000.0, None), run()], Verdict.RUNNING, State.OK),
        (dag(next_run_at=at(8000.0), paused=True), [run()], Verdict.MET, State.OK),
        (dag(), [run("running", 9000.0, None), run("running", 0.0, None)], Verdict.LATE, State.CRIT),
        (dag(), [run("failed", kind="backfill"), run()], Verdict.MET, State.OK),
    ],
)
def test_a_dag_is_judged_by_what_goes_on_or_should_and_by_what_ended_last(
    given: Dag, runs: list[Run], verdict: Verdict | None, state: State
) -> None:
    found = promise(sla(3600.0), given, runs, at(10_000.0))
    assert (found.verdict, found.state) == (verdict, state)


def test_compliance_counts_what_is_decided() -> None:
    runs = [run("running", 9990.0, None), run(), run(took=4000.0), run("failed"), run(cleared=1), run(kind="backfill")]
    found = promise(sla(3600.0), dag(), runs, at(10_000.0))
    assert (found.kept, found.broken, found.compliance) == (2, 2, 0.5)
    assert promise(sla(), dag(), [], at(0.0)).compliance is None


def test_the_first_sla_that_covers_a_dag_counts_and_paused_dags_promise_nothing() -> None:
    dags = (dag("load_a"), dag("load_b", paused=True), dag("other"))
    slas = [sla(name="loads", dag="load_*", target=60.0), sla(name="rest")]
    found = promises(slas, Survey(dags, {"other": (run("failed"),)}), at(0.0))
    assert [(one.dag_id, one.sla.name) for one in found] == [("other", "rest"), ("load_a", "loads")]


def test_a_file_of_slas_is_read_with_all_its_problems(tmp_path: Path) -> None:
    path = tmp_path / "slas.yaml"
    path.write_text(
        "version: 1\nslas:\n"
        "  - {name: a, kind: pipeline, dag: load, target: 2h, title: Loads, grace: 0s}\n"
        "  - {name: a, kind: pipeline, dag: x, target: 2}\n"
        "  - {name: b, kind: availibility, dag: x, target: 2h}\n"
    )
    slas, problems = load_slas(path)
    assert [(one.name, one.dag, one.target, one.grace, one.line) for one in slas] == [("a", "load", 7200.0, 0.0, 3)]
    found: list[Any] = sorted((one.line, one.code) for one in problems)
    assert found == [(4, "bad-duration"), (4, "duplicate-name"), (5, "bad-choice")]
