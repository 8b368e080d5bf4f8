"""Lines are measured in cells, cut without halving characters, and compared cell by cell."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from opsconsole.ui.lines import (
    Line,
    Span,
    changed_cells,
    clip_line,
    fit,
    fit_line,
    fit_name,
    inert,
    line,
    line_width,
    merged,
    spread,
    text_of,
    truncate,
    width_of,
)

TEXTS = st.text(alphabet=st.sampled_from("abc 12█│…é日本語한🙂" + "e\u0301\ufe0f\u200d\x1f\xa0"), max_size=30)
LINES = st.lists(st.tuples(TEXTS, st.sampled_from(["text", "crit", "dim"])), max_size=5).map(
    lambda parts: line(*(Span(*part) for part in parts))
)


@given(TEXTS, st.integers(0, 40), st.sampled_from(["left", "right"]))
def test_fit_takes_exactly_the_width_asked_for(text: str, width: int, align: str) -> None:
    assert width_of(fit(text, width, "right" if align == "right" else "left")) == width


@given(TEXTS, st.integers(1, 40))
def test_truncated_text_says_so(text: str, width: int) -> None:
    shown = truncate(text, width)
    assert cell_len(inert(shown)) <= width
    assert shown == text or shown.endswith("…") or width == 1


@given(LINES, st.integers(0, 60))
def test_a_line_never_leaves_its_width(spans: Line, width: int) -> None:
    assert line_width(clip_line(spans, width)) <= width
    assert line_width(fit_line(spans, width)) == width


@given(TEXTS, st.integers(0, 40))
def test_a_shortened_name_takes_exactly_its_width(text: str, width: int) -> None:
    assert width_of(fit_name(text, width)) == width


def test_names_are_shortened_where_they_do_not_differ() -> None:
    assert fit_name("energy-service app-2", 15) == "energy-…e app-2"
    assert fit_name("energy-service app-2", 20) == "energy-service app-2"
    assert fit_name("energy-service app-2", 5) == "ener…"


def test_a_clipped_line_ends_in_an_ellipsis() -> None:
    assert text_of([clip_line(line("abcdef", ("ghi", "crit")), 7)]) == "abcdef…"
    assert text_of([clip_line(line("abcdef", ("ghi", "crit")), 4)]) == "abc…"
    assert text_of([clip_line(line("abc"), 3)]) == "abc"


def test_spread_puts_two_parts_at_the_two_ends() -> None:
    assert text_of([spread(line("left"), line("right"), 16)]) == "left       right"
    assert text_of([spread(line("a long left part"), line("right"), 16)]) == "a long l…  right"
    assert text_of([spread(line("left"), line("right"), 6)]) == "left"


@given(LINES)
def test_merging_spans_keeps_the_text(spans: Line) -> None:
    assert text_of([merged(spans)]) == text_of([spans])
    assert len(merged(spans)) <= len(spans)


def test_blanks_cost_no_change_of_colour() -> None:
    assert merged(line(("a", "crit"), "  ", ("b", "crit"))) == (Span("a  b", "crit"),)
    assert len(merged(line(("a", "cursor"), "  ", ("b", "text")))) == 2


@given(LINES, LINES)
def test_outside_of_the_changed_cells_nothing_differs(old: Line, new: Line) -> None:
    width = 160
    before, after = fit_line(old, width), fit_line(new, width)
    cells = changed_cells(before, after)
    if cells is None:
        assert [one for one, _ in _columns(before)] == [one for one, _ in _columns(after)]
        return
    start, end = cells
    assert 0 <= start < end <= width
    assert _columns(before)[:start] == _columns(after)[:start]
    assert _columns(before)[end:] == _columns(after)[end:]


def test_the_changed_range_is_the_smallest() -> None:
    old, new = line("pid 8123  active  "), line("pid 8123  idle    ")
    assert changed_cells(old, new) == (10, 16)
    assert changed_cells(old, old) is None
    assert changed_cells(line(("x", "crit")), line(("x", "warn"))) == (0, 1)


def _columns(spans: Line) -> list[tuple[str, str]]:
    columns: list[tuple[str, str]] = []
    for text, role in spans:
        for character in inert(text):
            size = cell_len(character)
            if size == 0 and columns:
                columns[-1] = (columns[-1][0] + character, role)
            elif size:
                columns.append((character, role))
                columns.extend([("", role)] * (size - 1))
    return columns
