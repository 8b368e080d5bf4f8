"""Columns find their place in any width, and stay there."""

from hypothesis import given
from hypothesis import strategies as st

from opsconsole.ui.lines import line_width, text_of
from opsconsole.ui.table_layout import Cell, Column, Row, asked_widths, heading, lay_out, row_line

COLUMNS = (
    Column("pid", "PID", "right"),
    Column("state", "STATE"),
    Column("user", "USER", priority=2),
    Column("query", "QUERY", grows=True, priority=1),
)
ROWS = (
    Row("1", (Cell("8123"), Cell("✗ CRIT", "crit"), Cell("etl"), Cell("update readings set x = 1"))),
    Row("2", (Cell("7"), Cell("● OK", "ok"), Cell("日本語のユーザー"), Cell("select 1"))),
)


def _text(width: int) -> list[str]:
    layout = lay_out(COLUMNS, asked_widths(COLUMNS, ROWS, sort="pid"), width)
    return [text_of([heading(COLUMNS, layout, "pid", "▾")]), *(text_of([row_line(row, layout)]) for row in ROWS)]


def test_numbers_align_right_and_the_last_column_takes_the_rest() -> None:
    assert _text(60) == [
        "PID ▾  STATE   USER              QUERY",
        " 8123  ✗ CRIT  etl               update readings set x = 1",
        "    7  ● OK    日本語のユーザー  select 1",
    ]


def test_the_least_important_columns_go_first() -> None:
    assert _text(27)[1] == " 8123  ✗ CRIT  update read…"
    assert _text(15)[1] == " 8123  ✗ CRIT"
    assert _text(9)[1] == " 8123  ✗…"


def test_widths_only_grow() -> None:
    first = asked_widths(COLUMNS, ROWS)
    assert asked_widths(COLUMNS, ROWS[1:], first) == first
    wider = asked_widths(COLUMNS, [Row("3", (Cell("1234567"),))], first)
    assert wider[0] == 7
    assert wider[1:] == first[1:]


def test_a_column_in_which_nothing_stands_hides_no_other() -> None:
    columns = (Column("state", ""), Column("area", "", priority=2), Column("text", "", grows=True, least=5))
    rows = [Row("1", (Cell("◌ STALE"), Cell(""), Cell("no answer")))]
    layout = lay_out(columns, asked_widths(columns, rows), 30)
    assert text_of([row_line(rows[0], layout)]) == "◌ STALE  no answer"
    assert layout.hidden == 0


@given(st.integers(0, 200), st.lists(st.lists(st.text(max_size=20), max_size=6), max_size=4))
def test_no_row_is_wider_than_the_screen(width: int, texts: list[list[str]]) -> None:
    rows = [Row(str(index), tuple(Cell(text) for text in one)) for index, one in enumerate(texts)]
    layout = lay_out(COLUMNS, asked_widths(COLUMNS, rows), width)
    assert line_width(heading(COLUMNS, layout)) <= width
    assert all(line_width(row_line(row, layout)) <= width for row in rows)


def test_a_narrower_column_stands_for_one_that_finds_no_room() -> None:
    columns = (
        Column("task", "TASK"), Column("axis", "WIDE", width=20, priority=1),
        Column("axis-8", "MIDDLE", width=8, stands_for="axis"), Column("axis-4", "SLIM", width=4, stands_for="axis"),
    )  # fmt: skip
    rows = [Row("1", (Cell("load"), Cell("-" * 20), Cell("-" * 8), Cell("-" * 4)))]
    widths = asked_widths(columns, rows)
    shown = {width: lay_out(columns, widths, width) for width in (26, 25, 14, 13, 10, 9)}
    titles = {width: text_of([heading(columns, layout)]).split() for width, layout in shown.items()}
    assert titles == {
        26: ["TASK", "WIDE"], 25: ["TASK", "MIDDLE"], 14: ["TASK", "MIDDLE"], 13: ["TASK", "SLIM"],
        10: ["TASK", "SLIM"], 9: ["TASK"],
    }  # fmt: skip
    assert [layout.hidden for layout in shown.values()] == [0, 0, 0, 0, 0, 1]
