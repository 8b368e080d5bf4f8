"""The rows of `survey.sql`, from reading to reading: of thousands of DAGs, only those that changed are made anew."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

from opsconsole.core.clean import clean_line
from opsconsole.core.row import Row
from opsconsole.core.values import Cell, Table
from opsconsole.pipelines.model import Dag, Run
from opsconsole.pipelines.run_list import Rest, RunList


class Surveyed(NamedTuple):
    """What one reading says."""

    dags: tuple[Dag, ...]
    runs: Mapping[str, Sequence[Run]]
    """DAG id -> its latest runs, the newest first."""
    unread: tuple[str, ...]
    """Ids of those whose runs did not fit into one cell of an answer."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A DAG and its runs, and the cells that they were made of."""

    cells: tuple[Cell, ...]
    dag: Dag
    runs: RunList | None
    """None: it has none, or they are not all there."""
    whole: bool


class SurveyRows:
    """Remembers the last reading: a row of the same cells gives the same objects, so that whoever makes something of
    them can ask whether they are the same."""

    def __init__(self) -> None:
        self._known: dict[str, _Made] = {}

    def take(self, columns: tuple[str, ...], rows: Sequence[tuple[Cell, ...]]) -> None:
        """Some of the rows that `read` will be given: what is made of them now need not be made then."""
        self._known.update(self._made_of(columns, rows))

    def read(self, table: Table) -> Surveyed:
        """The DAGs of `table`, in its order. Takes tenths of a second for thousands that were not taken before; may
        be called in a thread."""
        self._known = made = dict(self._made_of(table.columns, table.rows))
        found = made.values()
        return Surveyed(
            tuple([one.dag for one in found]),
            {one.dag.dag_id: one.runs for one in found if one.runs},
            tuple([one.dag.dag_id for one in found if not one.whole]),
        )

    def _made_of(self, columns: tuple[str, ...], rows: Sequence[tuple[Cell, ...]]) -> Iterator[tuple[str, _Made]]:
        """(DAG id, what its row says), from before where that is the same."""
        place = columns.index("dag_id")
        for cells in rows:
            key = str(cells[place])
            before = self._known.get(key)
            yield key, before if before is not None and before.cells == cells else _made(columns, cells)


def _made(columns: tuple[str, ...], cells: tuple[Cell, ...]) -> _Made:
    row = Row(dict(zip(columns, cells, strict=True)))
    dag, rest = _dag(row), row.text("rest")
    whole = not rest or rest.endswith("]")
    return _Made(cells, dag, _latest(dag.dag_id, row.text("runs"), rest) if whole and rest else None, whole)


def _dag(row: Row) -> Dag:
    schedule = row.text("schedule")
    return Dag(
        dag_id=row.text("dag_id"),
        title=row.text("title") or row.text("dag_id"),
        paused=row.flag("paused"),
        schedule="" if schedule in ("None", "null") else schedule.strip('"'),
        next_run_at=row.moment("next_run_at"),
        owners=_owners(row.text("owners")),
        tags=_tags(row.text("tags")),
        description=row.text("description"),
        file=row.text("file"),
        broken=row.flag("broken"),
        most_runs=row.count("most_runs"),
    )


@lru_cache(1000)
def _owners(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


@lru_cache(1000)
def _tags(text: str) -> tuple[str, ...]:
    """From a JSON list. Thousands of DAGs have the same few."""
    return tuple(map(clean_line, json.loads(text))) if text else ()


def _latest(dag_id: str, text: str, rest: str) -> RunList:
    """The runs of one DAG, without when they were queued."""
    states, started, ended = _columns(text)
    if None in states:
        states = tuple(state or "" for state in states)
    return RunList(dag_id, _words(states, text), started, ended, partial(_rest, rest))


def _rest(text: str) -> Rest:
    run_ids, kinds, after, logical, cleared = _columns(text)
    return Rest(_words(run_ids, text), _words(kinds, text), after, logical, cleared)


def _columns(text: str) -> list[tuple[Any, ...]]:
    return [tuple(column or ()) for column in json.loads(text)]


def _words(column: tuple[str, ...], text: str) -> tuple[str, ...]:
    """The words of a column of the JSON `text`, cleaned. Where there is neither an escape in it nor anything but ASCII,
    there is nothing to clean."""
    return column if text.isascii() and "\\" not in text else tuple(map(clean_line, column))
