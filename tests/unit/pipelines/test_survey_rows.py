"""What a survey's rows become: made as they come, and only where they are not as before."""

from opsconsole.core.values import Cell, Table
from opsconsole.pipelines.survey_rows import SurveyRows

COLUMNS = (
    "dag_id", "title", "paused", "schedule", "next_run_at", "owners", "description", "file", "broken", "most_runs",
    "tags", "runs", "rest",
)  # fmt: skip


def cells(dag_id: str, state: str = "success") -> tuple[Cell, ...]:
    runs, rest = f'[["{state}"], [100], [160]]', '[["run-1"], ["manual"], [90], [null], [0]]'
    return (dag_id, None, False, "@daily", None, "a, b", None, "/dags/x.py", False, 1, '["t"]', runs, rest)


def test_rows_that_were_taken_as_they_came_are_not_made_again() -> None:
    rows = SurveyRows()
    rows.take(COLUMNS, [cells("a")])
    early = rows._known["a"]
    found = rows.read(Table(COLUMNS, (cells("a"), cells("b"))))
    assert [dag.dag_id for dag in found.dags] == ["a", "b"]
    assert found.dags[0] is early.dag
    assert found.runs["a"] is early.runs
    assert found.runs["b"][0].run_id == "run-1"


def test_a_row_that_changed_since_it_was_taken_is_made_anew() -> None:
    rows = SurveyRows()
    rows.take(COLUMNS, [cells("a")])
    assert rows.read(Table(COLUMNS, (cells("a", "failed"),))).runs["a"][0].state == "failed"


def test_what_only_a_broken_off_reading_had_is_not_there() -> None:
    rows = SurveyRows()
    rows.take(COLUMNS, [cells("gone")])
    found = rows.read(Table(COLUMNS, (cells("a"),)))
    assert [dag.dag_id for dag in found.dags] == ["a"]
    assert list(found.runs) == ["a"]


def test_runs_that_do_not_fit_into_a_cell_are_named() -> None:
    cut = (*cells("a")[:-1], '[["run-1… (5000 more characters)')
    assert SurveyRows().read(Table(COLUMNS, (cut,))).unread == ("a",)
