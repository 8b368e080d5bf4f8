"""Pages of text: broken where they should be, and nothing else interpreted."""

from hypothesis import given
from hypothesis import strategies as st

from opsconsole.ui.lines import line_width, text_of
from opsconsole.ui.screens.text import paragraphs, prose_lines


def test_paragraphs_flow_and_list_items_stand_on_their_own() -> None:
    text = "Who notices,\nand for **how long**:\n\n- one: an API on\n  two instances\n- two\n\n1. first\n2. second\n"
    assert text_of(prose_lines(text, 60)).splitlines() == [
        "Who notices, and for how long:",
        "- one: an API on two instances",
        "- two",
        "1. first",
        "2. second",
    ]


def test_a_long_item_hangs_below_its_own_text() -> None:
    assert text_of(prose_lines("- " + "word " * 8, 20)).splitlines() == [
        "- word word word",
        "  word word word",
        "  word word",
    ]


def test_a_table_keeps_its_rows() -> None:
    assert text_of(prose_lines("| a | b |\n|---|---|\n| 1 | 2 |", 40)).splitlines() == [
        "| a | b |",
        "|---|---|",
        "| 1 | 2 |",
    ]


def test_line_breaks_of_plain_text_are_kept() -> None:
    assert text_of(paragraphs("one\n  two\nthree", 40)).splitlines() == ["one", "  two", "three"]


@given(st.text(max_size=200), st.integers(12, 100))
def test_no_text_is_too_wide_or_breaks_it(text: str, width: int) -> None:
    assert all(line_width(one) <= 2 * width for one in (*prose_lines(text, width), *paragraphs(text, width)))
