"""Fields: what they let through, and in what words they refuse."""

# ruff: noqa: E501  messages stand here as they are printed, on one line

from datetime import date
from typing import Any

import pytest

from opsconsole.config import schema
from opsconsole.config.document import parse_document
from opsconsole.config.schema import INVALID, check, require
from opsconsole.core.problem import ContentError


def read(field: schema.Field, text: str) -> tuple[Any, list[str]]:
    """The value of `a: TEXT` read with `field`, and the problems without their file."""
    value, problems = check(parse_document(f"a: {text}\n", "f"), schema.Record({"a": field}))
    return value.get("a", INVALID), [str(problem).removeprefix("f:") for problem in problems]


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (schema.Text(), "abc", "abc"),
        (schema.Text(lenient=True), "007", "007"),
        (schema.Text(lenient=True), "true", "true"),
        (schema.Choice(("a", "b")), "b", "b"),
        (schema.Number(), "1.5", 1.5),
        (schema.Number(whole=True, minimum=0), "0", 0),
        (schema.Flag(), "false", False),
        (schema.Duration(), "1m30s", 90.0),
        (schema.Day(), "2027-01-31", date(2027, 1, 31)),
        (schema.Url(), "https://user@h:1/x", "https://user@h:1/x"),
        (schema.ListOf(schema.Text()), "", []),
        (schema.ListOf(schema.Text(), single=True), "x", ["x"]),
        (schema.MapOf(schema.Number()), "{x: 1}", {"x": 1}),
        (schema.MapOf(schema.Number()), "", {}),
        (schema.Sensitive(), "{env: TOKEN}", {"env": "TOKEN"}),
        (schema.Sensitive(), "{command: [pass, show, 1]}", {"command": ["pass", "show", "1"]}),
        (schema.Either(scalar=schema.Text(), sequence=schema.ListOf(schema.Text())), "[x]", ["x"]),
    ],
)
def test_what_is_right_is_read(field: schema.Field, text: str, value: object) -> None:
    assert read(field, text) == (value, [])


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        (schema.Text(), "12", "1:4: error: a: 12; expected text; put it in quotes [wrong-type]"),
        (schema.Text(), "", "1:3: error: a: nothing; expected text [wrong-type]"),
        (schema.Text(), "''", "1:4: error: a: ''; expected text, not empty [empty]"),
        (schema.Text(pattern="[a-z]+", expected="small letters"), "A", "1:4: error: a: 'A'; expected small letters [bad-text]"),
        (schema.Choice(("guarded", "open")), "gaurded", "1:4: error: a: 'gaurded'; expected guarded or open; did you mean 'guarded'? [bad-choice]"),
        (schema.Choice(("x", "y")), "[1]", "1:4: error: a: a list; expected x or y [bad-choice]"),
        (schema.Number(minimum=1, maximum=9, whole=True), "12", "1:4: error: a: 12; expected a whole number from 1 to 9 [out-of-range]"),
        (schema.Number(whole=True), "true", "1:4: error: a: true; expected a whole number [wrong-type]"),
        (schema.Number(), ".inf", "1:4: error: a: inf; expected a number [out-of-range]"),
        (schema.Flag(), "yes", "1:4: error: a: 'yes'; expected true or false [wrong-type]"),
        (schema.Duration(), "5", "1:4: error: a: 5; expected a duration with its unit, such as 5s, 10m or 1h30m [bad-duration]"),
        (schema.Duration(minimum=1), "10ms", "1:4: error: a: '10ms'; expected at least 1.0 s [out-of-range]"),
        (schema.Duration(), "soon", "1:4: error: a: 'soon'; expected a duration such as 5s, 10m or 1h30m [bad-duration]"),
        (schema.Day(), "2027-02-30", "1:4: error: a: '2027-02-30'; expected a date such as 2027-01-31 [bad-date]"),
        (schema.Url(), "h:9090", "1:4: error: a: does not start with http:// or https://; expected a URL such as http://127.0.0.1:9090 [bad-url]"),
        (schema.ListOf(schema.Text()), "x", "1:4: error: a: 'x'; expected a list, each item text [wrong-type]"),
        (schema.ListOf(schema.Number()), "[1, x]", "1:8: error: a[2]: 'x'; expected a number [wrong-type]"),
        (schema.MapOf(schema.Text()), "{'x y': b}", "1:5: error: 'x y' as a name; expected a name of letters, digits, '-', '_' and '.' [bad-name]"),
        (schema.Sensitive(), "{enc: X}", "1:5: error: unknown key 'enc'; did you mean 'env'? [unknown-key]"),
        (schema.Sensitive(), "hunter2-secret", "1:4: warning: a: a secret in plain text; better {env: NAME}, {file: PATH} or {command: [..]} [literal-secret]"),
        (schema.Sensitive(), "12345", "1:4: error: a: a number; expected a secret: {env: NAME}, {file: PATH} or {command: [PROGRAM, ARGUMENT]} [wrong-type]"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_what_was_expected(field: schema.Field, text: str, problem: str) -> None:
    assert read(field, text)[1] == [problem]


@pytest.mark.parametrize(
    ("field", "text"),
    [(schema.Sensitive(), "[hunter2]"), (schema.Url(), "'httpx://u:hunter2@h'"), (schema.Url(), "'http://u:hunter2@[h'"),
     (schema.Url(), "'http://u:hunter2@h:port/'"), (schema.Url(), "'http://u:hunter2@h/ x'")],
)  # fmt: skip
def test_no_message_repeats_a_secret(field: schema.Field, text: str) -> None:
    (problem,) = read(field, text)[1]
    assert "hunter2" not in problem


RECORD = schema.Record(
    {"id": schema.Text(), "query": schema.Text(), "queries": schema.ListOf(schema.Text()), "store": schema.Record({})},
    required=("id",),
    exclusive=(("query", "queries"),),
)


def test_all_problems_of_a_record_come_at_once_in_their_order() -> None:
    document = parse_document("quary: x\nquery: 1\nqueries: []\nstore:\n", "f")
    _, problems = check(document, RECORD)
    assert list(map(str, problems)) == [
        "f:1:1: error: the file: key 'id' is missing; expected text [missing-key]",
        "f:1:1: error: unknown key 'quary'; did you mean 'query'? [unknown-key]",
        "f:2:8: error: query: 1; expected text; put it in quotes [wrong-type]",
        "f:3:1: error: the file: query and queries together; expected one of them [exclusive-keys]",
    ]


def test_an_unknown_key_without_a_neighbour_lists_the_known() -> None:
    _, problems = check(parse_document("id: x\nzzz: 1", "f"), RECORD)
    assert problems[0].message == "unknown key 'zzz'; known are id, query, queries, store"


def test_an_open_record_leaves_other_keys_alone() -> None:
    value, problems = check(parse_document("id: x\nshell: bash", "f"), schema.Record({"id": schema.Text()}, open=True))
    assert (value, problems) == ({"id": "x"}, [])


def test_part_of_a_document_can_be_checked_alone() -> None:
    document = parse_document("panes:\n  - {id: a}\n  - {di: b}\n", "f")
    _, problems = check(document, RECORD, ("panes", 1))
    assert [(problem.line, problem.column) for problem in problems] == [(3, 5), (3, 6)]


def test_warnings_alone_do_not_refuse() -> None:
    field = schema.Record({"token": schema.Sensitive()})
    value, warnings = require(parse_document("token: abcdef", "f"), field)
    assert value == {"token": {"literal": "abcdef"}}
    assert [warning.severity for warning in warnings] == ["warning"]
    with pytest.raises(ContentError) as caught:
        require(parse_document("token: abcdef\nx: 1", "f"), field)
    assert len(caught.value.problems) == 2
