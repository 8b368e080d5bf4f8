"""Runs held by column are the same runs."""

from opsconsole.pipelines.run_list import Rest, RunList
from tests.unit.pipelines.made import run

RUNS = [
    run("running", 60, None, conf='{"a": 1}', note="why", queued_at=1.0),
    run("failed", 0),
    run(start=-60, cleared=2),
]


def test_a_list_of_runs_gives_back_what_it_was_made_of() -> None:
    told = RunList.of(RUNS)
    assert list(told) == RUNS
    assert (told[-1], told[:2], len(told)) == (RUNS[-1], RUNS[:2], 3)
    assert told == RUNS
    assert told == RunList.of(tuple(RUNS))
    assert told != RUNS[:2]
    assert RunList.of(told) is told
    assert not RunList.of(())


def test_what_is_seldom_looked_at_is_read_once_and_only_when_it_is() -> None:
    read = []

    def rest() -> Rest:
        read.append(1)
        return Rest(("a", "b"), ("manual", "manual"), (1.0, None), (None, None), (0, 3))

    told = RunList("load", ("success", "failed"), (1.0, 2.0), (3.0, 4.0), rest)
    assert told.state[0] == "success"
    assert not read
    assert [(one.run_id, one.cleared, one.queued_at, one.conf) for one in told] == [
        ("a", 0, None, ""),
        ("b", 3, None, ""),
    ]
    assert len(read) == 1
