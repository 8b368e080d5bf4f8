"""Which indexes may go together, and what is said about them."""

from dataclasses import replace
from typing import Any

import pytest

from opsconsole.core.state import State
from opsconsole.database.index_findings import index_findings, index_name
from opsconsole.database.indexes import DAY, Index, IndexReading, UnindexedKey, invalid, resolved, unused
from opsconsole.database.row import Row
from tests.unit.database.made import row


def pair(name: str, keeper: str) -> Row:
    return row(
        oid=name, schema="app", name=name, table_name="t", bytes=8192.0, keeper_oid=keeper, keeper=keeper, equal=True,
        table_rows=1e6, scans=0,
    )  # fmt: skip


def index(**given: Any) -> Index:
    fields: dict[str, Any] = {
        "oid": "1", "schema": "app", "name": "i", "table": "t", "table_oid": "9", "method": "btree",
        "partitioned": False, "bytes": 8192.0, "table_bytes": 1e6, "table_rows": 5000.0, "scans": 0, "valid": True,
        "building": False, "expression": False, "last_scan_at": None, "protected": (),
    }  # fmt: skip
    return Index(**{**fields, **given})


def reading(*indexes: Index, **given: Any) -> IndexReading:
    fields: dict[str, Any] = {"redundant": (), "unindexed": (), "definitions": {}, "standbys": 0, "taken_at": 0.0,
                              "statistics_age": 30 * DAY}  # fmt: skip
    return IndexReading(indexes, **{**fields, **given})


@pytest.mark.parametrize(
    ("pairs", "gone"),
    [
        ([("a", "b"), ("b", "a")], {"a": "b"}),
        ([("a", "b"), ("b", "c"), ("a", "c")], {"a": "c", "b": "c"}),
        ([("a", "b"), ("b", "c")], {"b": "c"}),
        ([("a", "b"), ("b", "c"), ("c", "a"), ("a", "c"), ("b", "a"), ("c", "b")], {"a": "c", "b": "c"}),
        ([], {}),
    ],
    ids=["of two one stays", "the last of a chain stays", "a chain that was cut off", "a circle", "none"],
)
def test_what_replaces_an_index_stays(pairs: list[tuple[str, str]], gone: dict[str, str]) -> None:
    assert {one.name: one.keeper for one in resolved(pair(*names) for names in pairs)} == gone


def test_nothing_is_unused_by_young_statistics() -> None:
    assert list(index_findings(reading(index(), statistics_age=DAY))) == []
    (told,) = index_findings(reading(index(), standbys=2, definitions={"1": "CREATE INDEX i ON app.t (a)"}))
    assert (told.id, told.state, told.unit, told.effect) == ("unused-index", State.OK, "bytes", 8192.0)
    assert told.fix is not None
    assert told.fix.undo == "CREATE INDEX i ON app.t (a);"
    assert "2 standbys" in told.caveats[0]


@pytest.mark.parametrize("given", [{"scans": 1}, {"protected": ("unique",)}, {"table_rows": 999.0}, {"valid": False}])
def test_what_is_used_needed_or_tiny_is_not_unused(given: dict[str, Any]) -> None:
    assert unused(reading(index(**given))) == []


def test_an_index_that_is_being_built_is_not_invalid() -> None:
    assert invalid(reading(index(valid=False, building=True))) == []


@pytest.mark.parametrize(
    ("name", "protected", "id", "sql"),
    [
        ("i", (), "invalid-index", 'DROP INDEX CONCURRENTLY "app"."i";'),
        ("t_pkey_ccnew1", (), "leftover-index", 'DROP INDEX CONCURRENTLY "app"."t_pkey_ccnew1";'),
        ("t_pkey_ccold", ("unique",), "leftover-index", 'DROP INDEX CONCURRENTLY "app"."t_pkey_ccold";'),
        ("k", ("unique",), "invalid-index", 'REINDEX INDEX CONCURRENTLY "app"."k";'),
    ],
)
def test_what_failed_is_cleaned_up(name: str, protected: tuple[str, ...], id: str, sql: str) -> None:  # noqa: A002
    (told,) = index_findings(reading(index(name=name, valid=False, protected=protected)))
    assert told.fix is not None
    assert (told.id, told.fix.sql) == (id, sql)


def test_a_foreign_key_gets_an_index_but_not_on_a_partitioned_table() -> None:
    key = UnindexedKey("9", "app", 'we"ird', "fk", ("a%b", "C"), "app.p", 1e6, 5000.0, False, 3)
    (told,) = index_findings(reading(unindexed=(key,)))
    assert told.fix is not None
    assert told.state is State.WARN
    assert told.fix.sql == 'CREATE INDEX CONCURRENTLY "we""ird_a%b_C_idx" ON "app"."we""ird" ("a%b", "C");'
    (parted,) = index_findings(reading(unindexed=(replace(key, partitioned=True),)))
    assert parted.fix is None
    assert "each partition" in parted.advice


def test_a_name_for_an_index_fits_the_server() -> None:
    long = index_name("ü" * 40, ("a" * 30,))
    assert len(long.encode()) <= 63
    assert long != index_name("ü" * 40, ("a" * 29 + "b",))
