"""What follows from a table's numbers."""

import re
from dataclasses import replace

import pytest

from opsconsole.core.reading import Answer, Query, SourceError
from opsconsole.core.state import State
from opsconsole.core.values import Cell
from opsconsole.core.values import Table as Answered
from opsconsole.database.asking import Database
from opsconsole.database.statement import statement
from opsconsole.database.tables import Autovacuum, next_of, read_tables
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


async def test_a_lock_that_comes_while_sizes_are_asked_leaves_the_estimates() -> None:
    """No real server can be made to be locked between one row of an answer and the next."""
    cells: dict[str, Cell] = dict.fromkeys(re.findall(r"\bas (\w+)", statement("tables", {})), 0)
    named: dict[str, Cell] = {"oid": "7", "schema": "app", "name": "t", "kind": "r", "block_size": 8192.0, "pages": 3.0}
    moments: dict[str, Cell] = dict.fromkeys(("vacuum_at", "autovacuum_at", "analyze_at", "autoanalyze_at"))
    rest: dict[str, Cell] = {"persistence": "p", "owner": "app", "options": "", "partitions": 0}
    row: dict[str, Cell] = {**rest, **cells, **named, **moments}

    async def ask(query: Query) -> Answer:
        if "pg_total_relation_size" in query.text:
            raise SourceError(query.source, "overloaded", "canceling statement due to lock timeout [55P03]")
        if "pg_stat_get_live_tuples" in query.text:
            return Answer(Answered(tuple(row), (tuple(row.values()),)), 1.0, 0.0)
        return Answer(Answered(("kind", "name", "detail", "place"), ()), 1.0, 0.0)

    found = await read_tables(Database("postgres/app", ask))
    assert (found.tables[0].sizes.heap, found.tables[0].sizes.exact) == (3 * 8192.0, False)
    assert "locked" in found.coverage.notes[0]
