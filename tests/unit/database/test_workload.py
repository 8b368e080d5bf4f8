"""From statements to the indexes they lack: names, candidates, and which of them are worth it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from opsconsole.core.reading import SourceError
from opsconsole.core.state import State
from opsconsole.database.finding import Finding
from opsconsole.database.missing_findings import missing_findings, without_served
from opsconsole.database.workload import (
    Judged,
    Missing,
    Served,
    Usage,
    Workload,
    among,
    proposals,
    told,
    uncosted,
)
from opsconsole.database.workload_candidates import (
    Candidate,
    ColumnFacts,
    Relation,
    Resolved,
    UnresolvedError,
    candidates,
    covered,
    likely,
    merged,
    resolve,
    schemas_of,
)
from opsconsole.database.workload_costs import Weighed, cost_of, refusal
from opsconsole.database.workload_parsing import parse
from opsconsole.database.workload_reading import usages_of
from tests.unit.database.made import row, table


def relation(name: str = "t", schema: str = "app", **given: Any) -> Relation:
    """A table of 100,000 rows with the columns a to f, of which each has less values than the one before."""
    columns = {column: ColumnFacts(10.0 ** (5 - place), True) for place, column in enumerate("abcdef")}
    fields: dict[str, Any] = {"oid": f"{schema}.{name}", "kind": "r", "rows": 1e5, "seq_scans": 9.0, "columns": columns}
    return Relation(schema=schema, name=name, **{**fields, **given})


def resolved(sql: str, *relations: Relation, path: tuple[str, ...] = ("app",)) -> Resolved:
    known: dict[str, list[Relation]] = {}
    for one in relations or (relation(),):
        known.setdefault(one.name, []).append(one)
    return resolve(parse(sql), path, known)


def columns_of(found: list[Candidate]) -> list[tuple[str, ...]]:
    return [one.columns for one in found]


def usage(sql: str = "select 1 from t where a = $1", **given: Any) -> Usage:
    fields: dict[str, Any] = {"queryid": 1, "user": "api", "user_id": 10, "calls": 100.0, "seconds": 60.0, "text": sql}
    return Usage(**{**fields, **given})


def judged(sql: str, *relations: Relation, **given: Any) -> Judged:
    return Judged(usage(sql, **given), resolved(sql, *relations))


A, AB, B = (Candidate("app.t", "app", "t", columns) for columns in (("a",), ("a", "b"), ("b",)))


@pytest.mark.parametrize(
    ("setting", "schemas"),
    [
        ('"$user", public', ("bob", "public")),
        ('App,  "Odd, ""Name"" "', ("app", 'Odd, "Name" ')),
        ('""', ()),
        ("", ()),
        ("$user", ("bob",)),
    ],
)
def test_a_search_path_is_read_as_the_server_does(setting: str, schemas: tuple[str, ...]) -> None:
    assert schemas_of(setting, "bob") == schemas


def test_tables_are_found_as_a_session_with_that_path_finds_them() -> None:
    here, there = relation(), relation(schema="other")
    assert resolved("select 1 from t", here, there, path=("none", "other", "app")).tables["", "t"] is there
    assert resolved("select 1 from app.t", here, there, path=("other",)).tables["app", "t"] is here


def test_a_schema_that_no_path_names_is_guessed_at_only_where_there_is_one() -> None:
    first, second = relation("t", "tenant"), relation("u", "tenant")
    found = resolved("select 1 from t, u", first, second, path=("public",))
    assert (found.guessed, found.path) == (True, ("public", "tenant"))
    with pytest.raises(UnresolvedError, match="t"):
        resolved("select 1 from t", relation("t", "one"), relation("t", "two"), path=("public",))
    with pytest.raises(UnresolvedError, match="scratch"):
        resolved("select 1 from t, scratch", first, path=("tenant",))
    with pytest.raises(UnresolvedError, match=r"gone\.t"):
        resolved("select 1 from gone.t", first, path=("tenant",))


def test_tables_of_the_server_are_nothing_to_advise_about() -> None:
    found = resolved("select 1 from pg_class c, information_schema.tables, pg_catalog.pg_am where c.relname = $1")
    assert (found.tables, candidates(found)) == ({}, [])


def test_the_columns_with_most_values_come_first_and_a_range_comes_last() -> None:
    found = columns_of(candidates(resolved("select 1 from t where d = $1 and b = $2 and a > $3")))
    assert found[0] == ("b", "d", "a")
    assert {("b", "d"), ("b",), ("d",), ("a",)} < set(found)


def test_a_join_is_looked_up_from_either_side() -> None:
    sql = "select 1 from t join u on u.a = t.b where u.c = $1"
    found = candidates(resolved(sql, relation(), relation("u")))
    assert Candidate("app.u", "app", "u", ("a", "c")) in found
    assert Candidate("app.t", "app", "t", ("b",)) in found


def test_a_query_within_is_looked_up_by_the_one_around_it() -> None:
    sql = "select 1 from t where exists (select 1 from u where u.b = t.a and u.c = 1)"
    found = candidates(resolved(sql, relation(), relation("u", columns={"b": ColumnFacts(9.0, True)})))
    assert set(found) == {Candidate("app.u", "app", "u", ("b",)), Candidate("app.t", "app", "t", ("a",))}


def test_the_first_rows_in_an_order_are_found_by_it() -> None:
    found = columns_of(candidates(resolved("select * from t where a = $1 order by b desc, c desc limit 5")))
    assert ("a", "b", "c") in found


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 from t where a = t.b",
        "select 1 from t, u where e = $1",
        "select 1 from t where nothing = $1",
        "select 1 from u where x.a = $1",
        "select a from (select 1 as a) t where a = $1",
    ],
    ids=["two columns of one row", "of either table", "no such column", "no such table", "a query is no table"],
)
def test_columns_that_are_of_no_table_or_of_two(sql: str) -> None:
    assert candidates(resolved(sql, relation(), relation("u"))) == []


@pytest.mark.parametrize(
    "given", [{"rows": 900.0}, {"kind": "v"}, {"kind": "f"}, {"columns": {"a": ColumnFacts(9.0, False)}}]
)
def test_what_is_tiny_or_has_no_indexes_gets_none(given: dict[str, Any]) -> None:
    assert candidates(resolved("select 1 from t where a = $1", relation(**given))) == []


def test_a_table_that_nobody_counted_is_not_tiny() -> None:
    assert candidates(resolved("select 1 from t where a = $1", relation(rows=0.0, analyzed=False))) == [A]


@pytest.mark.parametrize(
    ("columns", "free", "indexes", "is_covered"),
    [
        (("a",), 1, [("a", "b")], True),
        (("a", "b"), 2, [("b", "a", "c")], True),
        (("a", "b"), 1, [("b", "a")], False),
        (("a", "b"), 2, [("a",)], False),
        (("a", "b"), 2, [("a",), ("b",)], False),
        (("a",), 1, [], False),
    ],
)
def test_an_index_that_is_there_is_not_missing(
    columns: tuple[str, ...], free: int, indexes: list[tuple[str, ...]], is_covered: bool
) -> None:
    assert covered(columns, free, indexes) is is_covered


def test_an_index_that_begins_with_another_does_its_work() -> None:
    elsewhere = Candidate("app.u", "app", "u", ("a", "b"))
    assert merged([A, AB, B, elsewhere]) == {A: AB, AB: AB, B: B, elsewhere: elsewhere}


@pytest.mark.parametrize(
    ("given", "sql", "found"),
    [
        ({}, "select 1 from t where b = $1 and a > $2", [("b", "a")]),
        ({"seq_scans": 0.0}, "select 1 from t where a = $1", []),
        ({"rows": 900.0}, "select 1 from t where a = $1", []),
        ({"indexes": (("a",),)}, "select 1 from t where a = $1 and b = $2", []),
        ({}, "select 1 from t where f = $1", []),
        ({"columns": {"a": ColumnFacts(None, True)}}, "select 1 from t where a = $1", []),
        ({}, "select 1 from t where a > $1", []),
    ],
    ids=[
        "values, then a range",
        "never read whole",
        "tiny",
        "found already",
        "few values",
        "not counted",
        "only a range",
    ],
)
def test_what_is_likely_without_costs(given: dict[str, Any], sql: str, found: list[tuple[str, ...]]) -> None:
    assert columns_of(likely(resolved(sql, relation(**given)))) == found


@pytest.mark.parametrize(
    ("before", "after", "is_worth"), [(1000.0, 700.0, True), (1000.0, 701.0, False), (99.0, 1.0, False)]
)
def test_a_cost_has_to_fall_by_enough(before: float, after: float, is_worth: bool) -> None:
    assert Weighed(before, after, frozenset({A})).worth is is_worth
    assert not Weighed(before, after).worth


def test_an_index_for_several_statements_counts_once_with_all_it_saves() -> None:
    costs = Weighed(1000.0, 100.0, frozenset({A}), {A: 900.0}, {A: 8192.0})
    dear, cheap = judged("select 1 from t where a = $1"), judged("select 2 from t where a = $1", seconds=10.0)
    (found,) = proposals([(dear, costs), (cheap, costs)])
    assert (found.columns, len(found.served), found.bytes) == (("a",), 2, 8192.0)
    assert sum(one.saved for one in found.served) == pytest.approx(63.0)


def test_of_several_indexes_each_has_to_save_something() -> None:
    one = judged("select 1 from t where a = $1 or b = $2")
    both = Weighed(1000.0, 100.0, frozenset({A, B}), {A: 880.0, B: 20.0})
    assert [found.columns for found in proposals([(one, both)])] == [("a",)]
    assert proposals([(one, Weighed(failed="permission denied"))]) == []


def test_what_is_guessed_at_is_merged_as_well() -> None:
    found = uncosted([
        judged("select 1 from t where a = $1"),
        judged("select 2 from t where a = $1 and b = $2"),
        judged("select 3 from t where b = $1", seconds=0.01),
    ])  # fmt: skip
    assert [(one.columns, len(one.served), one.costed) for one in found] == [(("a", "b"), 2, False)]
    assert among(replace(found[0], columns=("b",)), [replace(found[0], columns=("b", "c"))])
    assert not among(found[0], [])


def missing(**given: Any) -> Missing:
    served = Served("1", "api", 100.0, 60.0, "select '[/oops]'", 1000.0, 100.0, 0.9)
    fields: dict[str, Any] = {"relation": relation('we"ird', "sch%s"), "columns": ('c"ol', "b"), "served": (served,)}
    return Missing(**{**fields, "costed": True, "bytes": 8192.0, **given})


def test_a_finding_says_what_for_how_much_and_how() -> None:
    (found,) = missing_findings(Workload((missing(),), seconds=2 * 86_400.0))
    assert (found.id, found.state, found.unit) == ("missing-index", State.WARN, "s")
    assert found.effect == pytest.approx(27.0)
    assert "90 % less" in found.title
    assert "cost 1,000 -> 100" in found.why
    assert found.fix is not None
    assert found.fix.action == "postgres.create-index"
    assert found.fix.arguments["columns"] == '"c""ol", "b"'
    assert found.fix.sql == 'CREATE INDEX CONCURRENTLY "we""ird_c""ol_b_idx" ON "sch%s"."we""ird" ("c""ol", "b");'
    assert found.fix.undo == 'DROP INDEX CONCURRENTLY "sch%s"."we""ird_c""ol_b_idx";'


def test_less_than_a_day_is_not_blown_up_to_one() -> None:
    (young,) = missing_findings(Workload((missing(),), seconds=60.0))
    assert young.effect == pytest.approx(54.0)
    (unknown,) = missing_findings(Workload((missing(),)))
    assert (unknown.effect, unknown.unit) == (0.0, "")


def test_what_is_not_costed_says_so() -> None:
    served = (Served("1", "api", 1.0, 1.0, "select"),) * 5
    (found,) = missing_findings(
        Workload((missing(costed=False, bytes=None, served=served, guessed=True),), seconds=1.0)
    )
    assert (found.state, found.unit) == (State.OK, "")
    assert found.title.startswith("heuristic: 5 statements look for")
    assert found.why.endswith("and 2 more")
    assert "nothing was costed" in found.caveats[0]
    assert "not on the search_path" in found.caveats[-1]


def test_a_partitioned_table_is_not_built_on() -> None:
    (found,) = missing_findings(Workload((missing(relation=relation(kind="p", analyzed=False)),)))
    assert found.fix is None
    assert "each partition" in found.advice
    assert "never analyzed" in found.caveats[-1]


def test_without_statements_the_tables_that_are_read_whole_are_told() -> None:
    read = table(rows=1e6, seq_rows=10**9, seq_scans=1000, index_scans=5)
    (found,) = missing_findings(Workload(scanned=(read, table())))
    assert (found.id, found.subject) == ("sequential-scans", "app.readings")
    assert found.title.startswith("heuristic: read whole 1000 times")


def test_a_foreign_key_that_the_index_serves_is_not_told_twice() -> None:
    def key(*columns: str, oid: str = 'sch%s.we"ird') -> Finding:
        evidence = {"columns": columns, "table_oid": oid}
        return Finding("unindexed-foreign-key", State.WARN, "t", "", "", evidence=evidence)

    (ours,) = missing_findings(Workload((missing(),)))
    kept = [key("b"), key('c"ol', oid="9"), key('c"ol', "b", "x")]
    assert without_served([ours, key('c"ol'), key("b", 'c"ol'), *kept]) == [ours, *kept]


def test_reasons_are_counted() -> None:
    assert told({}, 5, "x") == []
    assert told({"is a": 1, "is b": 2}, 5, "of it") == ["3 of 5 statements of it are left out: 2 is b; one more reason"]


def test_a_text_is_put_together_of_its_pieces() -> None:
    def piece(text: bytes, **given: Any) -> Any:
        cells: dict[str, Any] = {"user_id": 10, "user_name": "api", "queryid": -5, "calls": 2.0, "total": 3.0}
        return row(**{**cells, "cut": False, "query": text.hex(), **given})

    snowman = "☃".encode()
    found = usages_of([piece(b"select " + snowman[:2]), piece(snowman[2:]), piece(b"x\xff", queryid=7, cut=True)])
    assert [(one.queryid, one.text, one.whole) for one in found] == [(-5, "select ☃", True), (7, "x\ufffd", False)]


def test_a_plan_says_what_it_costs_and_which_indexes_there_are_not() -> None:
    inner = {"Node Type": "Index Scan", "Index Name": "<17>btree_t_a", "Total Cost": 1.0}
    real = {"Node Type": "Index Scan", "Index Name": "t_<18>_idx", "Total Cost": 1.0}
    plan = [{"Plan": {"Node Type": "Nested Loop", "Total Cost": 12.5, "Plans": [inner, real]}}]
    assert cost_of(json.dumps(plan)) == (12.5, {17})
    for garbage in ("", "[]", "{}", '[{"Plan": 1}]'):
        with pytest.raises(SourceError, match="none"):
            cost_of(garbage)


def test_nothing_of_another_role_is_run_by_planning() -> None:
    mine = resolved("select 1 from t where a = f($1)")
    assert refusal(mine, set()) == ""
    assert "calls f" in refusal(mine, {"f"})
    assert "would run somebody else's functions" in refusal(resolved("select 1 from t", relation(trusted=False)), set())
