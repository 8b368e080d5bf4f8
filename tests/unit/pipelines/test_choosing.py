"""Which DAGs and runs a change is about: ids, patterns, tags, the state of runs, and since when."""

from typing import Any

import pytest

from opsconsole.pipelines.choosing import Selection, chosen_dags, in_state, newest_runs, runs_since
from opsconsole.pipelines.model import Dag, Run, Survey
from opsconsole.sources.airflow.client import Page, path
from tests.unit.pipelines.made import at, run

NOW = at(10_000.0)


def ran(dag_id: str, run_id: str, state: str, ago: float) -> Run:
    """A run that ended so many seconds ago, or began then and goes on."""
    took = 60.0 if state == "failed" else None
    return run(state, 10_000.0 - ago - (took or 0.0), took, dag_id=dag_id, run_id=run_id)


DAGS = [
    Dag(name, name, False, "@daily", None, tags=tags)
    for name, tags in {
        "load_b": ("ingest",),
        "load_a": ("ingest", "night"),
        "Odd.näme-1_x": (),
        "report": ("night",),
    }.items()
]
SURVEY = Survey(
    tuple(DAGS),
    {
        "load_a": (ran("load_a", "a2", "failed", 100.0), ran("load_a", "a1", "failed", 9000.0)),
        "load_b": (ran("load_b", "b2", "running", 50.0), ran("load_b", "b1", "failed", 200.0)),
    },
)


def ids(selection: Selection) -> list[str]:
    return [one.dag_id for one in chosen_dags(DAGS, selection)]


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (Selection(("load_*",)), ["load_a", "load_b"]),
        (Selection(("load_?", "report")), ["load_a", "load_b", "report"]),
        (Selection(("report", "report")), ["report"]),
        (Selection(("Odd.n*",)), ["Odd.näme-1_x"]),
        (Selection(("LOAD_*", "*port")), None),
        (Selection(tags=("night",)), ["load_a", "report"]),
        (Selection(("load_*",), ("night", "ingest")), ["load_a"]),
        (Selection(("*",)), ["Odd.näme-1_x", "load_a", "load_b", "report"]),
    ],
)
def test_dags_are_chosen_by_id_pattern_and_every_tag(selection: Selection, found: list[str] | None) -> None:
    if found is None:
        with pytest.raises(ValueError, match=r"no DAG matches LOAD_\*"):
            ids(selection)
        return
    assert ids(selection) == found


def test_one_that_is_named_has_to_be_there() -> None:
    with pytest.raises(ValueError, match="there is no DAG load_c; did you mean"):
        ids(Selection(("report", "load_c")))


def test_a_list_of_ids_needs_no_look_and_nothing_at_all_is_not_everything() -> None:
    assert Selection(("a", "b.c-d")).plain
    assert not Selection(("a*",)).plain
    assert not Selection(("a",), state="failed").plain
    assert Selection().empty
    assert not Selection(("*",)).empty


def test_a_dag_is_in_the_state_of_its_newest_run() -> None:
    def found(selection: Selection) -> list[str]:
        return [one.dag_id for one in in_state(DAGS, SURVEY, selection)]

    assert found(Selection(state="failed")) == ["load_a"]
    assert found(Selection(state="running")) == ["load_b"]
    assert found(Selection(since_at=NOW - 75.0)) == ["load_b"]
    assert found(Selection(("x",))) == [one.dag_id for one in DAGS]
    assert [one.run_id for one in newest_runs(DAGS, SURVEY, Selection(state="failed"))] == ["a2"]
    assert [one.run_id for one in newest_runs(DAGS, SURVEY, Selection())] == ["b2", "a2"]


class Runs:
    """The list of runs as Airflow gives it, with the questions that it was asked."""

    def __init__(self, runs: list[Run]) -> None:
        self.runs = runs
        self.asked: list[dict[str, str]] = []

    async def pages(self, where: str, key: str, make: Any, params: Any = (), *, most: int, what: str = "") -> Any:
        assert where == "/dags/~/dagRuns"
        self.asked.append(dict(params))
        return Page(found := tuple(one for one in self.runs if one.state == dict(params)["state"]), len(found))


async def test_all_runs_since_are_asked_for_by_the_moment_that_their_state_has() -> None:
    api = Runs([one for runs in SURVEY.runs.values() for one in runs] + [ran("other", "o1", "failed", 10.0)])
    chosen = chosen_dags(DAGS, Selection(("load_*",)))
    found, cut = await runs_since(api, chosen, Selection(state="failed", since_at=NOW - 3600.0))  # type: ignore[arg-type]
    assert ([(one.dag_id, one.run_id) for one in found], cut) == ([("load_b", "b1"), ("load_a", "a2")], False)
    assert [sorted(one) for one in api.asked] == [["end_date_gte", "state"]]
    await runs_since(api, chosen, Selection(since_at=NOW - 3600.0))  # type: ignore[arg-type]
    assert [(one["state"], sorted(one)[0]) for one in api.asked[1:]] == [
        ("queued", "state"), ("running", "start_date_gte"), ("success", "end_date_gte"), ("failed", "end_date_gte"),
    ]  # fmt: skip


@pytest.mark.parametrize("part", [".", ".."])
def test_no_id_leads_out_of_its_part_of_the_path(part: str) -> None:
    assert path("dags", part, "dagRuns") == f"/dags/{'%2E' * len(part)}/dagRuns"
    assert path("dags", "a..b") == "/dags/a..b"
