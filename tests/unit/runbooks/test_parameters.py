"""Parameters: where values come from, and that they arrive as they are or not at all."""

from datetime import date

import pytest

from opsconsole.actions.confirmation import Confirmation
from opsconsole.runbooks.model import Param
from opsconsole.runbooks.parameters import check, fill
from tests.unit.runbooks.conftest import Begin, Write

TODAY = date(2026, 11, 21)
NASTY = [
    "'; drop table x;--",
    "$(id)",
    "`id`",
    "a\nb",
    "-rf",
    "--",
    "%s",
    ":'X'",
    "$$",
    "‘quoted’ “too”",
    "a b  c ",
    "\\n\\0\\x41",
    "${HOME}",
    "*",
    "~",
    "!!",
    "\t",
    "é" * 1000,
    "x" * 99_000,
]


def test_given_goes_before_label_before_default() -> None:
    params = [
        Param("A", from_label="a", default="default"),
        Param("B", from_label="b", default="default"),
        Param("C", from_label="c", default="default"),
        Param("D"),
    ]
    filled = fill(params, {"A": "given"}, {"a": "label", "b": "label"})
    assert filled.values == {"A": "given", "B": "label", "C": "default", "D": ""}
    assert filled.origins == {"A": "given", "B": "label b", "C": "default"}
    assert not filled.complaints


@pytest.mark.parametrize(
    ("param", "value", "good"),
    [
        (Param("A", "int"), "-12", True),
        (Param("A", "int"), "1e3", False),
        (Param("A", "int"), "١٢", False),
        (Param("A", "bool"), "true", True),
        (Param("A", "bool"), "yes", False),
        (Param("A", "date"), "2026-02-29", False),
        (Param("A", "date"), "2024-02-29", True),
        (Param("A", "enum", values=("a", "b")), "b", True),
        (Param("A", "enum", values=("a", "b")), "c", False),
        (Param("A", pattern="[a-z]+"), "abc", True),
        (Param("A", pattern="[a-z]+"), "abc\n", False),
        (Param("A", pattern="[a-z]+|x y"), "x yz", False),
        (Param("A", pattern="a"), "", True),
        (Param("A", pattern="a", required=True), "", False),
        (Param("A"), "a\0b", False),
        (Param("A"), "\udcff", False),
        (Param("A"), "x" * 100_001, False),
        (Param("A", pattern=".*"), "x" * 5000, False),
    ],
)
def test_types_and_patterns(param: Param, value: str, good: bool) -> None:
    assert (check(param, value) is None) is good


def test_a_pattern_that_explodes_is_ended() -> None:
    assert "took longer" in (check(Param("A", pattern="(a|a)*b"), "a" * 60) or "")


def test_today_becomes_a_date() -> None:
    filled = fill([Param("A", "date", default="today"), Param("B", "date")], {"B": "yesterday"}, today=TODAY)
    assert filled.values == {"A": "2026-11-21", "B": "2026-11-20"}


def test_all_complaints_come_at_once() -> None:
    filled = fill([Param("A", required=True), Param("B", "int")], {"B": "x", "BB": "1"}, {})
    assert [complaint.name for complaint in filled.complaints] == ["BB", "A", "B"]
    assert filled.missing == ("A",)
    assert "did you mean 'B'" in str(filled.complaints[0])


def test_a_label_that_does_not_suit_is_a_complaint() -> None:
    filled = fill([Param("A", pattern="[a-z]+", from_label="job")], {}, {"job": "$(reboot)"})
    assert [complaint.name for complaint in filled.complaints] == ["A"]


@pytest.mark.parametrize("value", NASTY, ids=lambda value: ascii(value[:12]))
async def test_a_value_reaches_the_process_to_the_byte(write: Write, begin: Begin, value: str) -> None:
    text = """
        ---
        runbook: 1
        id: t
        params: {VALUE: {}}
        ---
        ```sh {"name":"x","risk":"read","timeout":"20s"}
        printf '%s' "$VALUE"
        ```
        """
    run = begin(write(text), {"VALUE": value})
    output = bytearray()
    assert run.current is not None
    await run.execute(run.current, Confirmation.none(), output.extend)
    assert bytes(output) == value.encode()
