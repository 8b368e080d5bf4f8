"""Slots in SQL: what counts as one, and that nothing given for one can become text."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.sources.sqltext import (
    Slot,
    SqlTextError,
    command_of,
    compose,
    only_statement,
    parameters,
    quoted_identifier,
    slots,
    statements,
    words,
)


def names(sql: str) -> list[str]:
    return [slot.name for slot in slots(sql)]


def test_slots_carry_name_kind_and_place() -> None:
    assert slots("select :'DAY'\n  from :\"TABLE\"") == [
        Slot("DAY", "value", 1, 8),
        Slot("TABLE", "identifier", 2, 8),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "select ':''X'''",
        "select 'it''s :x'",
        r"select E'a\':x'",
        "select E'a'\n  'b\\':x'",
        "select E'a' -- more\n  'b\\':x'",
        "select $$ :'X' :x ; $$",
        "select $q$ $$ :x $q$",
        "select 1 -- :x :'X'",
        "select /* :x /* :'X' */ :y */ 1",
        'select ":x" from "a:""b"',
        'select a::text, b::"char", c:: int',
        "select a[1:2], a[i:j], a[x.i:j], a[f(1):n], a[:2]",
        "select f(a := 1)",
        "select U&'d\\0061:x', B'01', x'ff'",
        "select a$b$ from t where c$b$ = 1",
        "select '12:30'::time",
    ],
)
def test_what_only_looks_like_a_slot_is_left_alone(sql: str) -> None:
    assert slots(sql) == []
    assert compose(sql) == (sql.encode(), ())


def test_slots_are_found_right_after_what_is_skipped() -> None:
    assert names("select ':no'||:'A', $$:no$$||:'B', \":no\"||:'C' /*:no*/ + :'D'::int -- :no\n, :\"E\", :'F'") == [
        *"ABCDEF"
    ]


def test_a_cast_then_a_slot() -> None:
    assert compose("select x::\"char\", :'A'::int, :'A'::text", {"A": "1"}) == (
        b'select x::"char", $1::int, $1::text',
        ("1",),
    )


@pytest.mark.parametrize(
    ("sql", "line", "column", "says"),
    [
        ("select :day", 1, 8, ":'day'"),
        ("select 1,\n :day", 2, 2, "paste"),
        ("select array[:a]", 1, 14, "paste"),
        ("select array[1, :a]", 1, 17, "paste"),
        ("select :'no name'", 1, 8, "a slot is"),
        ('select :""', 1, 8, "a slot is"),
        ("select $1", 1, 8, "parameter"),
        (r"select E'open\'", 1, 8, "does not end"),
        ("select 'open", 1, 8, "does not end"),
        ('select "open', 1, 8, "does not end"),
        ("select $x$ open $y$", 1, 8, "does not end"),
        ("select /* a /* b */", 1, 8, "does not end"),
    ],
)
def test_what_would_paste_text_or_never_ends_is_refused(sql: str, line: int, column: int, says: str) -> None:
    with pytest.raises(SqlTextError) as caught:
        slots(sql)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert says in caught.value.message


def test_a_slot_without_a_value_is_named_with_its_place() -> None:
    with pytest.raises(SqlTextError, match="nothing was given for :'B'") as caught:
        compose("select :'A',\n:'B'", {"A": "1"})
    assert (caught.value.line, caught.value.column) == (2, 1)


def test_percent_signs_stay_what_they_are() -> None:
    text, values = compose("select :\"C\" from t where x like '50%' and y = :'Y'", {"Y": "%s"}, {"C": "a%b"})
    assert text == b"select \"a%b\" from t where x like '50%' and y = $1"
    assert values == ("%s",)


@pytest.mark.parametrize("name", ["", "a\x00b", "x" * 64, "é" * 32])
def test_what_cannot_be_an_identifier_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        quoted_identifier(name)
    with pytest.raises(SqlTextError):
        compose('select * from :"T"', identifiers={"T": name})


@given(st.text(), st.text())
def test_values_never_change_the_text(one: str, other: str) -> None:
    sql = "select :'A' || E'\\'' || :'B' from t where c = :'A' -- :'C'"
    text, values = compose(sql, {"A": one, "B": other, "C": "unused"})
    assert text == b"select $1 || E'\\'' || $2 from t where c = $1 -- :'C'"
    assert values == (one, other)


@given(st.text(min_size=1, max_size=15).filter(lambda text: "\x00" not in text))
def test_an_identifier_is_one_token_whatever_it_holds(name: str) -> None:
    try:
        quoted = quoted_identifier(name)
    except ValueError:
        assert any("\ud800" <= char <= "\udfff" for char in name)
        return
    assert quoted[1:-1].replace('""', "").count('"') == 0
    assert quoted[1:-1].replace('""', '"') == name
    assert statements(f"select {quoted} from t") == (f"select {quoted} from t",)


@given(st.text(alphabet="aE'\"$:;\\/*-[](\n %x1_"))
def test_any_text_is_read_to_its_end_or_refused(sql: str) -> None:
    with contextlib.suppress(SqlTextError):
        assert compose(sql, {}, {}) == (sql.encode(), ())


def test_statements_are_counted_as_psql_does() -> None:
    assert statements("select 1; select ';' ; -- end;\n") == ("select 1", "select ';'")
    assert statements("  ; ; /* nothing; */ ") == ()
    assert len(statements("create rule r as on insert to t do also (select 1; select 2); select 3")) == 2
    body = "create or replace function f() returns int language sql begin atomic select case 1 when 1 then 2 end; end"
    assert statements(body + "; select 1") == (body, "select 1")
    assert len(statements("do $$ begin perform 1; end $$; select 2")) == 2
    assert len(statements("begin; select case when true then 1 end; commit")) == 3


def test_only_one_statement_where_one_is_expected() -> None:
    assert only_statement("select 1;\n") == "select 1"
    with pytest.raises(SqlTextError, match="2 statements"):
        only_statement("select 1; drop table t")
    with pytest.raises(SqlTextError, match="no statement"):
        only_statement("-- nothing")


@pytest.mark.parametrize(
    ("sql", "command"),
    [
        ("  -- why\n SELECT 1", "select"),
        ("/* a */ with x as (select 1) table x", "with"),
        ("(select 1) union (select 2)", "select"),
        ("copy t to program 'x'", "copy"),
        ("", ""),
        ("'x'", ""),
    ],
)
def test_the_command_is_the_first_word(sql: str, command: str) -> None:
    assert command_of(sql) == command


def test_parameters_are_counted_where_they_are_some() -> None:
    assert parameters("select $2, $1, '$9', \"$8\", $$ $7 $$ -- $6") == 2
    assert parameters("select 1") == 0


def test_words_are_keywords_and_names_but_not_what_is_quoted() -> None:
    assert words("DELETE from t -- update\n where a = 'merge' and \"insert\" is null") == {
        "delete", "from", "t", "where", "a", "and", "is", "null",
    }  # fmt: skip
