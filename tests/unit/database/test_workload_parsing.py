"""What statements look for, read by PostgreSQL's own parser."""

import sys

import pytest

from opsconsole.database.workload_parsing import (
    Block,
    Column,
    Condition,
    NotPlannedError,
    Table,
    available,
    parse,
    plannable,
)


def wants(block: Block) -> list[tuple[str, str]]:
    """`column use` of all that has to hold."""
    return [(".".join(filter(None, one.column)), one.use) for one in block.conditions]


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("a = $1", [("a", "equal")]),
        ("$1 = t.a", [("t.a", "equal")]),
        ("a > $1 and b <= $2", [("a", "range"), ("b", "range")]),
        ("a between $1 and $2", [("a", "range")]),
        ("a in ($1, $2)", [("a", "equal")]),
        ("a = any($1)", [("a", "equal")]),
        ("a in (select x from u)", [("a", "equal")]),
        ("a is null", [("a", "equal")]),
        ("(a, b) = ($1, $2)", [("a", "equal"), ("b", "equal")]),
        ("(a, b) > ($1, $2)", [("a", "range")]),
        ("a operator(pg_catalog.=) $1", [("a", "equal")]),
        ('"we""ird; drop" = $1', [('we"ird; drop', "equal")]),
        ("☃ = $1 and b = date $2", [("☃", "equal"), ("b", "equal")]),
        ("ts > now() - interval $1", [("ts", "range")]),
        # No index on the column alone finds these.
        ("lower(a) = $1", []),
        ("a::text = $1", []),
        ("a + 1 = $1", []),
        ("a <> $1", []),
        ("a not in ($1, $2)", []),
        ("a like $1", []),
        ("a is not null", []),
        ("not (a = $1)", []),
        ("t.* = $1", []),
        ("a is distinct from $1", []),
        ("a <> all($1)", []),
    ],
)
def test_conditions_that_an_index_could_be_asked_for(condition: str, wanted: list[tuple[str, str]]) -> None:
    block = parse(f"select 1 from t where {condition}").blocks[0]
    assert wants(block) == wanted


def test_each_arm_of_an_or_stands_for_itself() -> None:
    (block,) = parse("select 1 from t where c = $1 and (a = $2 or b = $3 and d > $4)").blocks
    assert wants(block) == [("c", "equal")]
    assert [[one.column.name for one in arm] for arm in block.arms] == [["a"], ["b", "d"]]


def test_joins_know_what_they_compare_with() -> None:
    (block,) = parse("select 1 from t join u as x on x.id = t.u_id").blocks
    assert block.tables == (Table("t", "", "t"), Table("x", "", "u"))
    assert Condition(Column("t", "u_id"), "equal", (Column("x", "id"),)) in block.conditions
    assert Condition(Column("x", "id"), "equal", (Column("t", "u_id"),)) in block.conditions
    (using,) = parse("select 1 from a join b using (k)").blocks
    assert wants(using) == [("a.k", "equal"), ("b.k", "equal")]


def test_names_of_with_are_no_tables_but_what_is_in_them_counts() -> None:
    parsed = parse("with x as (select * from t where a = $1) select * from x join app.x y on y.b = x.a")
    assert parsed.tables == {("", "t"), ("app", "x")}
    recursive = parse(
        "with recursive r as (select id from t union all select t.id from t join r on r.id = t.up) table r"
    )
    assert recursive.tables == {("", "t")}
    # Before it is named it is a table: this one reads a real x.
    assert parse("with y as (select * from x), x as (select 1) select * from x, y").tables == {("", "x")}
    writing = parse("with gone as (delete from t where a = $1 returning *) insert into u select * from gone")
    assert writing.tables == {("", "t")}


def test_queries_within_know_the_one_around_them() -> None:
    outer, inner = parse("update t set a = $1 where exists (select 1 from o where o.t_id = t.id)").blocks
    assert (outer.tables, inner.outer) == ((Table("t", "", "t"),), 0)
    assert wants(inner) == [("o.t_id", "equal"), ("t.id", "equal")]


@pytest.mark.parametrize(
    ("tail", "order"),
    [
        ("order by a desc, t.b desc limit $1", ["a", "b"]),
        ("order by 2 limit 5", ["b"]),
        ("order by a", []),
        ("order by a, b desc limit 5", []),
        ("order by a nulls first limit 5", []),
        ("order by lower(a) limit 5", []),
        ("group by a, b order by a limit 5", []),
        ("order by 7 limit 5", []),
    ],
)
def test_an_order_counts_where_the_first_rows_are_wanted(tail: str, order: list[str]) -> None:
    block = parse(f"select a, b from t {tail}").blocks[0]
    assert [column.name for column in block.order] == order


@pytest.mark.parametrize(
    "sql",
    [
        "select * from t where a = $1 union all select * from u where b = $2",
        "merge into t using u on t.a = u.b when matched then delete",
        "delete from t using u where t.a = u.b",
    ],
)
def test_every_kind_of_statement_with_a_plan(sql: str) -> None:
    assert {name for _, name in parse(sql).tables} == {"t", "u"}


@pytest.mark.parametrize(
    "sql",
    ["vacuum t", "begin", "create index on t (a)", "declare c cursor for select 1", "set a = $1", "copy t to stdout"],
)
def test_commands_have_no_plan(sql: str) -> None:
    with pytest.raises(NotPlannedError, match="utility"):
        parse(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from t where a = 'cut off in the mid",
        "select * from t where a in (select b fro",
        "",
        "select 1; select 2",
        "select \x00",
        "\ud800",
        "select " + "(" * 20_000 + "1" + ")" * 20_000,
        "<insufficient privilege>",
    ],
    ids=["quote", "clause", "empty", "two", "nul", "surrogate", "deep", "hidden"],
)
def test_what_is_no_statement_is_said_to_be_none(sql: str) -> None:
    with pytest.raises(NotPlannedError, match="unparsable"):
        parse(sql)


def test_a_constant_of_a_type_is_written_as_servers_take_it() -> None:
    assert (
        plannable("select '☃', interval $2, INTERVAL '1 day', $1") == "select '☃', $2::interval, INTERVAL '1 day', $1"
    )
    assert plannable("select date $1, 'interval $1', \"interval\" from t") == (
        "select $1::date, 'interval $1', \"interval\" from t"
    )


def test_functions_and_operators_are_known_by_name() -> None:
    assert parse("select app.f(a) from t where b @@@ $1 order by g(c)").functions == {"f", "@@@", "g"}


def test_without_the_parser_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert available()
    monkeypatch.setitem(sys.modules, "pglast", None)
    assert not available()
    with pytest.raises(ImportError):
        parse("select 1")
