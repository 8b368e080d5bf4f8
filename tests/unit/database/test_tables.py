"""What follows from a table's numbers."""

from dataclasses import replace

import pytest

from opsconsole.core.state import State
from opsconsole.database.tables import Autovacuum, next_of
from tests.unit.database.made import table


def test_shares_of_nothing_are_unknown() -> None:
    empty = table()
    assert (empty.dead_share, empty.hot_share, empty.vacuumed_at) == (None, None, None)


def test_the_later_of_both_kinds_of_vacuum_counts() -> None:
    assert table(vacuum_at=10.0, autovacuum_at=20.0).vacuumed_at == 20.0


@pytest.mark.parametrize(
    ("autovacuum", "words"),
    [
        (Autovacuum(True, 50.0, 2.0, 0.0, 0.0, 0.1), "vacuum: 100 dead rows, its limit is 50"),
        (Autovacuum(True, 50.0, 0.1, 2.0, 3.0, 0.1), "vacuum: rows inserted; analyze: 7 rows changed"),
        (Autovacuum(False, 50.0, 2.0, 0.0, 0.0, 0.1), "nothing: autovacuum is off for it"),
        (Autovacuum(False, 50.0, 2.0, 0.0, 0.0, 1.0), "vacuum to freeze: due now, whatever else is set"),
        (Autovacuum(True, None, None, None, None, None), "nothing yet"),
    ],
)
def test_what_comes_next(autovacuum: Autovacuum, words: str) -> None:
    assert next_of(replace(table(dead=100, modified=7), autovacuum=autovacuum)) == words


@pytest.mark.parametrize(("age", "state"), [(None, State.OK), (1_000_000_000, State.WARN), (1_700_000_000, State.CRIT)])
def test_the_state_is_the_distance_to_wraparound(age: int | None, state: State) -> None:
    assert table(xid_age=age).state is state
