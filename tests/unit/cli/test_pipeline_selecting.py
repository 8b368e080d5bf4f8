"""Which DAGs and runs the verbs of `pipeline` mean, what is refused before anything is asked, and the worst result."""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from opsconsole.cli.pipeline import acting, selecting
from opsconsole.cli.run_front import exit_code
from opsconsole.cli.wiring import UsageError
from opsconsole.core.exit_codes import Exit
from opsconsole.pipelines.foresight import Foreseen
from opsconsole.runbooks.repair import Repair, runbook_for_all
from opsconsole.runbooks.states import RunState, StepState
from tests.screens.pipeline_readings import ByHand, dag, pipelines


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> ByHand:
    """What answers; `load_tariffs` failed, `import_weather` runs."""
    found = ByHand()
    monkeypatch.setattr(selecting, "ask", lambda args, read: asyncio.run(read(pipelines(found).airflow)))
    return found


def parsed(*given: str, **how: Any) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    acting.add_arguments(parser, **how)
    return parser.parse_args(given)


def test_ids_are_taken_as_they_are_each_once_and_nobody_is_asked(way: ByHand) -> None:
    assert selecting.chosen_dag_ids(parsed("b", "Odd.näme-1_x", "b")) == ["b", "Odd.näme-1_x"]
    runs = selecting.chosen_runs(parsed("a", "b", "--run", "r:1", runs=True))
    assert runs == [("a", "r:1"), ("b", "r:1")]
    assert way.asked == 0


def test_patterns_and_states_are_looked_up(way: ByHand) -> None:
    assert selecting.chosen_dag_ids(parsed("*_*", "--state", "failed")) == ["load_tariffs"]
    assert selecting.chosen_runs(parsed("--state", "running", runs=True)) == [("import_weather", "scheduled__400")]
    newest = selecting.chosen_runs(parsed("load_*", runs=True), state="failed")
    assert newest == [("load_tariffs", "scheduled__900")]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ((), "no DAG is named"),
        (("--limit", "3"), "no DAG is named"),
        (("load_*", "--run", "r"), "a run is named together with ids"),
        (("--since", "soon"), "--since: "),
        (("nobody_*",), r"no DAG matches nobody_\*"),
        (("load_tarifs", "x*"), "did you mean 'load_tariffs'"),
        (("load_*", "--state", "queued"), "nothing is like that"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(way: ByHand, given: tuple[str, ...], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        selecting.chosen_runs(parsed(*given, runs=True))


def test_more_than_can_be_read_are_refused_unless_the_first_are_wanted(way: ByHand) -> None:
    way.listed = [dag(f"dag_{n:03}") for n in range(101)]
    with pytest.raises(UsageError, match=r"101 are meant.*--limit 100"):
        selecting.chosen_dag_ids(parsed("*"))
    assert selecting.chosen_dag_ids(parsed("*", "--limit", "2")) == ["dag_000", "dag_001"]


def test_marking_has_the_state_of_before_under_another_name() -> None:
    args = parsed("a", "--was", "running", runs=True, state="--was")
    assert (args.was, args.dags) == ("running", ["a"])


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (("unknown", "failed", "refused"), Exit.UNKNOWN),
        (("refused", "timed-out", "failed"), Exit.TIMED_OUT),
        (("failed", "refused", "ok"), Exit.FAILED),
        (("ok", "refused", "ok"), Exit.GUARDED),
    ],
)
def test_several_actions_end_by_the_worst_of_them(states: tuple[str, ...], code: Exit) -> None:
    book = runbook_for_all([Repair("airflow.pause", {"dag": name}, name) for name in "abc"], "Pause")
    told = {step.name: StepState(state) for step, state in zip(book.steps, states, strict=True)}
    run: Any = SimpleNamespace(
        lost=False, state=RunState.FAILED, unapproved="", locked_out="", driving=True, runbook=book, states=told
    )
    assert exit_code(run) == code


def test_without_an_api_nothing_can_be_changed_and_that_is_said(way: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    only = pipelines(way).airflow
    survey = asyncio.run(only.survey())
    readable = SimpleNamespace(api=None, survey=lambda: _given(survey))
    monkeypatch.setattr(selecting, "ask", lambda args, read: asyncio.run(read(readable)))
    with pytest.raises(UsageError, match="no API of an Airflow is configured"):
        selecting.chosen_runs(parsed("load_*", "--since", "2d", runs=True))


def test_of_more_runs_than_are_listed_none_is_changed(way: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    async def cut(*_: object) -> tuple[list[Any], bool]:
        return [], True

    monkeypatch.setattr("opsconsole.pipelines.choosing.runs_since", cut)
    with pytest.raises(UsageError, match="any of them may be missing"):
        selecting.chosen_runs(parsed("load_*", "--since", "2d", runs=True))


@pytest.mark.parametrize(
    ("given", "runs", "told"),
    [(("load_*",), True, True), (("*", "--since", "9999d"), False, True), (("load_*",), False, False)],
)
def test_dags_whose_runs_are_not_known_are_named_where_runs_count(
    way: ByHand, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], runs: bool, told: bool
) -> None:
    airflow = pipelines(way).airflow
    survey = asyncio.run(airflow.survey())
    unseen = replace(survey, value=replace(survey.value, unseen=("load_rare",)))
    readable = SimpleNamespace(api=airflow.api, survey=lambda: _given(unseen))
    monkeypatch.setattr(selecting, "ask", lambda args, read: asyncio.run(read(readable)))
    said: list[str] = []
    monkeypatch.setattr(selecting, "narrate", said.append)
    (selecting.chosen_runs if runs else selecting.chosen_dag_ids)(parsed(*given, runs=runs))
    assert any("load_rare" in one or "1 DAG" in one for one in said) is told, said


async def _given(survey: Any) -> Any:
    return survey


def test_what_is_so_already_is_said_and_runs_no_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pauses = [Repair("airflow.pause", {"dag": one}, f"Pause {one}") for one in ("a", "b")]
    found = [Foreseen(one, wrong="it is paused already; nothing was changed", already=True) for one in pauses]
    walked: list[int] = []

    def walk(_: object, sent: Sequence[Repair], *__: object) -> Exit:
        walked.append(len(sent))
        return Exit.DONE

    monkeypatch.setattr(acting, "run_repairs", walk)
    monkeypatch.setattr(acting, "_foreseen", lambda args, repairs: found)

    def carried_out(*given: str) -> tuple[int, str, str]:
        code = acting.carry_out(parsed(*given), pauses, "Pause")
        return code, *capsys.readouterr()

    code, out, err = carried_out("a", "b", "--format", "json")
    assert (code, walked) == (Exit.DONE, [])
    document = json.loads(out)
    assert document["run"] is None
    assert [one["dag"] for one in document["left_out"]] == ["a", "b"]
    assert "left out: a: it is paused already; nothing was changed" in err
    del found[1]
    assert carried_out("a")[::2] == (Exit.DONE, "a: it is paused already; nothing was changed\n")
    found.append(Foreseen(pauses[1]))
    assert carried_out("a", "b", "--yes")[0] == Exit.DONE  # one that is left out so is no failure
    assert walked == [1]
