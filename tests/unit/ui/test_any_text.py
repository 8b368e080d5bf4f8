"""Whatever text comes from outside, and however it came past the gate: no pane fails, and none of it is obeyed."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from textual.widget import Widget

from opsconsole.core.clean import clean
from opsconsole.core.reading import Answer, Reading
from opsconsole.core.values import Matrix, Sample, Series, Table, Text, Value, Vector
from opsconsole.screens.definition import Kind, Pane, Target
from opsconsole.screens.evaluation import PaneState, evaluate_pane
from opsconsole.ui.glyphs import ASCII, UNICODE
from opsconsole.ui.lines import Lines
from opsconsole.ui.output import OutputLog, wrapped
from opsconsole.ui.panes.looking import Looking, items_of
from opsconsole.ui.panes.registry import renderer
from opsconsole.ui.table_layout import Cell, Column, Row, asked_widths, heading, lay_out, row_line
from opsconsole.ui.widgets.canvas import Looks
from tests.examples import share
from tests.unit.ui.pane_states import NOW, WARN_CRIT

OBEYED = ("Cc", "Cs", "Zl", "Zp")
INVISIBLE = ("\u00ad", "\u061c", "\u200b", "\u200e", "\u202e", "\u2066", "\ufeff", "\U000e0041", "\U0001bca0")
HOSTILE = st.sampled_from([
    "\x1b]52;c;eA==\x07", "\x1b[2J", "\x9b31m", "\x1bPq\x1b\\", "\n\t\r\x0b\x00", "\u202e\u2066\u200b\ufeff", "[/oops]",
    "[@click=app.quit]x[/]", "\ud800", "日本🙂", "e\u0301\u0327", "\u2028\u2029\x85", "x" * 400, "",
])  # fmt: skip
TEXTS = st.one_of(HOSTILE, st.text(st.characters(), max_size=20), st.lists(HOSTILE, max_size=4).map("".join))
SIZES = st.tuples(st.integers(1, 130), st.integers(1, 12))
BYTES = TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))
CLEAN = TEXTS.map(clean)
"""As it is where sources have handed it over."""


def painted(lines: Lines, width: int, *, ascii_only: bool = False) -> None:
    """Paint as the widgets do; nothing that a terminal would obey may be left, and the width must hold."""
    looks = Looks(Widget())
    looks.ascii_only = ascii_only
    for spans in lines:
        strip = looks.strip(spans, width)
        text = strip.text
        assert strip.cell_length == width
        assert sum(segment.cell_length for segment in strip) == width
        obeyed = [character for character in text if unicodedata.category(character) in OBEYED]
        assert not obeyed, (obeyed, text)
        assert not any(character in text for character in INVISIBLE)
        assert text.isascii() or not ascii_only
        text.encode()


def value_of(kind: Kind, text: str, other: str) -> Value:
    labels = {"job": text, "le": other, text: other, other: text}
    match kind:
        case Kind.TIMESERIES | Kind.TIMELINE | Kind.HEATMAP:
            points = tuple((NOW - 3600 + 60 * turn, float(turn)) for turn in range(60))
            return Matrix((Series(labels, points), Series({"job": other}, points)))
        case Kind.TABLE:
            return Table((text, other, "pid"), ((text, other, 1), (other, None, 2.5)), notices=(text,))
        case Kind.TEXT:
            return Text(text, NOW)
        case _:
            return Vector((Sample(labels, 0.0, NOW), Sample({"job": other}, 1.0, NOW)))


def pane_of(kind: Kind, text: str, other: str) -> Pane:
    return Pane(
        "id", text, kind, targets=(Target("q", other + "{{job}}"),), thresholds=WARN_CRIT, text=text,
        mappings=((0.0, other),),
    )  # fmt: skip


def looked_at(state: PaneState, filtered: str) -> Looking:
    items = items_of(state)
    return Looking(focused=True, key=items[-1].key if items else None, filter=filtered, at=NOW - 60, runbook=filtered)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.VIEW])
@given(text=TEXTS, other=CLEAN, size=SIZES)
@example(text="\x1b]52;c;eA==\x07\ud800", other="[/oops]", size=(80, 10))
@settings(max_examples=share(0.5))
def test_no_text_breaks_a_pane_or_gets_through_it(kind: Kind, text: str, other: str, size: tuple[int, int]) -> None:
    width, height = size
    # Titles, legends and errors as they are in the file or came from the driver: a gate that was forgotten.
    pane = pane_of(kind, text, other)
    good = Reading("prometheus").succeeded(Answer(value_of(kind, clean(text), other), NOW, 0.1, (clean(text),)))
    failed = good.failed(text, now=NOW, took=0.1)
    for state in (
        evaluate_pane(pane, [good], NOW),
        evaluate_pane(pane, [failed], NOW),
        evaluate_pane(pane, [Reading("prometheus").failed(text, now=NOW, took=0.1)], NOW),
        evaluate_pane(pane, [None], NOW, problem=text),
    ):
        for glyphs in (UNICODE, ASCII):
            drawn = renderer(kind)(state, width, height, glyphs, NOW, looked_at(state, text))
            painted(drawn, width, ascii_only=glyphs is ASCII)


@given(st.lists(st.lists(TEXTS, min_size=3, max_size=3), max_size=4), TEXTS, st.integers(1, 100))
def test_no_text_gets_through_a_table(texts: list[list[str]], title: str, width: int) -> None:
    columns = (Column("a", title, widest=30), Column("b", "B", "right"), Column("c", title, grows=True))
    rows = [Row(str(place), tuple(Cell(text) for text in one)) for place, one in enumerate(texts)]
    layout = lay_out(columns, asked_widths(columns, rows), width)
    painted((heading(columns, layout), *(row_line(row, layout) for row in rows)), width)


@given(st.lists(st.one_of(st.binary(max_size=60), BYTES), max_size=8))
def test_no_output_of_a_step_gets_through(chunks: list[bytes]) -> None:
    log = OutputLog()
    for chunk in chunks:
        log.feed(chunk)
        painted(tuple(wrapped(log.lines, 60, 20)[0]), 60)
    log.end()
    painted(tuple(wrapped(log.lines, 60, 20)[0]), 60)
