"""The overview as text: the worst on top, what to do next at the end of its line, and calm when all is well."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from opsconsole.core.state import State
from opsconsole.screens.overview import AreaState, Overview
from opsconsole.ui.glyphs import ASCII, UNICODE
from opsconsole.ui.lines import text_of
from opsconsole.ui.panes.looking import Looking
from opsconsole.ui.panes.overview import attention_items, render_areas, render_attention
from tests.unit.ui.goldens import assert_golden
from tests.unit.ui.overview_states import CALM, TITLES, TROUBLED
from tests.unit.ui.pane_states import NOW


@pytest.mark.parametrize("width", [80, 120])
def test_the_overview(width: int) -> None:
    sections = {}
    for name, overview in (("troubled", TROUBLED), ("calm", CALM), ("starting", Overview())):
        for glyphs in (UNICODE, ASCII):
            sections[f"attention {name} {glyphs.name}"] = text_of(
                render_attention(overview, width, 8, glyphs, NOW, titles=TITLES)
            )
            sections[f"areas {name} {glyphs.name}"] = text_of(render_areas(overview, width, 8, glyphs, NOW))
    assert_golden(f"overview-{width}", sections)


def test_each_line_says_what_to_do_next() -> None:
    lines = text_of(render_attention(TROUBLED, 120, 8, UNICODE, NOW, titles=TITLES)).splitlines()
    assert lines[1].endswith("b DAG failure recovery")
    assert lines[3].endswith("enter")
    assert lines[5].endswith("e last error")


def test_an_area_names_the_key_of_its_screen() -> None:
    area = next(one for one in TROUBLED.areas if one.screen)
    (row,) = [
        one
        for one in text_of(render_areas(TROUBLED, 120, 8, UNICODE, NOW, keys={area.screen: "5"})).splitlines()
        if one.split()[:1] == area.title.split()[:1]
    ]
    assert row.split()[1] == "5"


@pytest.mark.parametrize(("awaited", "said"), [(True, "asking…"), (False, "not watched")])
def test_what_never_answered_yet_is_told_from_what_nobody_watches(awaited: bool, said: str) -> None:
    areas = Overview(areas=(AreaState("sla", "SLA", "", State.UNKNOWN, awaited=awaited),))
    assert said in text_of(render_areas(areas, 120, 8, UNICODE, NOW))


def test_more_than_fits_is_counted() -> None:
    assert "1–2 of 5" in text_of(render_attention(TROUBLED, 120, 3, UNICODE, NOW)[:1])


def test_what_is_filtered_is_said() -> None:
    items = tuple(item for item in attention_items(TROUBLED) if "database" in item.text)
    lines = render_attention(TROUBLED, 120, 6, UNICODE, NOW, Looking(items=items, filter="database"))
    assert "1 of 5" in text_of(lines[:1])
    none = render_attention(TROUBLED, 120, 6, UNICODE, NOW, Looking(items=(), filter="zzz"))
    assert "nothing of 5 matches zzz" in text_of(none)


@given(st.integers(0, 140), st.integers(0, 12))
def test_no_size_breaks_the_overview(width: int, height: int) -> None:
    for overview in (TROUBLED, CALM, Overview()):
        for lines in (
            render_attention(overview, width, height, UNICODE, NOW),
            render_areas(overview, width, height, UNICODE, NOW),
        ):
            assert len(lines) <= height
            assert all(sum(cell_len(span.text) for span in spans) <= width for spans in lines)
