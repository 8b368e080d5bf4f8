"""Nothing moves under the cursor, and only what changed is written."""

from collections.abc import Sequence

import pytest
from textual.app import App, ComposeResult

from opsconsole.ui.lines import text_of
from opsconsole.ui.table_layout import Cell, Column, Row
from opsconsole.ui.widgets.live_table import LiveTable

COLUMNS = (Column("name", "NAME"), Column("load", "LOAD", "right"))


def rows(*names: str, load: int = 1) -> list[Row]:
    return [Row(name, (Cell(name), Cell(str(load))), {"name": name}) for name in names]


class _Stage(App[None]):
    CSS = "LiveTable { height: 8; width: 60; }"

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        yield LiveTable("Hosts")

    def on_live_table_highlighted(self, message: LiveTable.Highlighted) -> None:
        self.heard.append((type(message).__name__, message.key))

    def on_live_table_selected(self, message: LiveTable.Selected) -> None:
        self.heard.append((type(message).__name__, message.labels["name"]))


def marked(table: LiveTable) -> list[str]:
    return list(table.marked)


def names(table: LiveTable) -> list[str]:
    return [row.split()[0] for row in text_of(table.lines[2:]).splitlines() if row.strip()]


async def test_rows_keep_their_places_while_something_is_selected() -> None:
    app = _Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        table = app.query_one(LiveTable)
        table.show_rows(COLUMNS, rows("a", "b", "c"), sort="load")
        await pilot.press("down")
        assert table.selected_labels == {"name": "b"}
        table.show_rows(COLUMNS, rows("new", "c", "b", load=2), sort="load")
        assert names(table) == ["a", "b", "c", "new"]
        assert table.selected_labels == {"name": "b"}
        assert "3   sort load   order held" in text_of(table.lines[:1])
        assert text_of(table.lines[3:4]).split() == ["b", "2"]
        assert table.lines[2][0].role == "dim"  # gone, but still in its place
        table.release()
        assert names(table) == ["new", "c", "b"]
        assert table.selected_labels == {"name": "b"}


async def test_unselected_rows_follow_the_order() -> None:
    app = _Stage()
    async with app.run_test(size=(80, 24)):
        table = app.query_one(LiveTable)
        table.show_rows(COLUMNS, rows("a", "b", "c"))
        table.show_rows(COLUMNS, rows("c", "a", "b"))
        assert names(table) == ["c", "a", "b"]


async def test_only_changed_rows_in_view_are_written() -> None:
    app = _Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        table = app.query_one(LiveTable)
        many = rows(*(f"host-{index:05}" for index in range(10_000)))
        table.show_rows(COLUMNS, many)
        await pilot.pause()
        assert table.show_rows(COLUMNS, list(many)) == 0
        changed = list(many)
        changed[3] = rows("host-00003", load=7)[0]
        changed[5000] = rows("host-05000", load=7)[0]
        assert table.show_rows(COLUMNS, changed) == 1


async def test_keys_move_the_cursor_and_say_so() -> None:
    app = _Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        table = app.query_one(LiveTable)
        table.show_rows(COLUMNS, rows(*(f"h{index}" for index in range(50))))
        await pilot.press("end")
        assert table.selected_labels == {"name": "h49"}
        assert "45–50 of 50" in text_of(table.lines[:1])
        await pilot.press("pageup", "home", "down", "enter")
        await pilot.pause()
        assert app.heard == [
            ("Highlighted", "h49"),
            ("Highlighted", "h44"),
            ("Highlighted", "h0"),
            ("Highlighted", "h1"),
            ("Selected", "h1"),
        ]


async def test_the_filter_counts_what_it_shows_and_explains_what_it_cannot() -> None:
    app = _Stage()
    async with app.run_test(size=(80, 24)):
        table = app.query_one(LiveTable)
        table.show_rows(COLUMNS, rows("api-1", "api-2", "db"))
        table.set_filter("api")
        assert names(table) == ["api-1", "api-2"]
        assert "2 of 3   filter api" in text_of(table.lines[:1])
        table.set_filter("!api")
        assert names(table) == ["db"]
        with pytest.raises(ValueError, match="regular expression"):
            table.set_filter("~[")
        assert names(table) == ["db"]
        table.set_filter("")
        assert len(names(table)) == 3


@pytest.mark.parametrize("arriving", [(), rows("z")])
async def test_an_empty_and_a_replaced_list_leave_no_dangling_cursor(arriving: Sequence[Row]) -> None:
    app = _Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        table = app.query_one(LiveTable)
        table.show_rows(COLUMNS, rows("a", "b"))
        await pilot.press("down")
        table.release()
        table.show_rows(COLUMNS, arriving)
        assert table.selected_labels == ({"name": "z"} if arriving else {})
        await pilot.press("up", "enter", "pagedown")


async def test_a_click_goes_to_a_row_and_a_second_one_chooses_it() -> None:
    app = _Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        table = app.query_one(LiveTable)
        table.show_rows(COLUMNS, rows("a", "b", "c"))
        await pilot.click(LiveTable, offset=(1, 4))
        assert table.selected_labels == {"name": "c"}
        await pilot.click(LiveTable, offset=(1, 4))
        await pilot.pause()
        assert app.heard[-1] == ("Selected", "c")


async def test_marked_rows_stay_marked_while_the_list_changes_and_under_a_filter() -> None:
    app = _Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        table = app.query_one(LiveTable)
        table.show_rows(COLUMNS, rows("a", "b", "c", "d"))
        before = text_of(table.lines[2:])
        await pilot.press("down")
        table.toggle_mark()
        assert marked(table) == ["b"]
        assert table.selected_labels == {"name": "c"}  # and on to the next
        assert text_of(table.lines[3:4]).startswith("◆ b")
        assert "1 marked" in text_of(table.lines[:1])
        await pilot.press("end")
        assert table.mark_range()
        assert marked(table) == ["b", "c", "d"]
        table.set_filter("d")
        table.mark_shown()  # d is marked, and all that is shown: no longer
        assert marked(table) == ["b", "c"]
        table.show_rows(COLUMNS, rows("d", "c"))
        assert marked(table) == ["c"]  # what is gone cannot be acted on
        table.show_rows(COLUMNS, rows("a", "b", "c", "d"))
        table.set_filter("")
        table.unmark()
        assert marked(table) == []
        assert text_of(table.lines[2:]) == before


async def test_a_range_begins_with_a_mark() -> None:
    app = _Stage()
    async with app.run_test(size=(80, 24)):
        table = app.query_one(LiveTable)
        table.show_rows(COLUMNS, rows("a", "b"))
        assert not table.mark_range()
        table.mark_shown()
        assert marked(table) == ["a", "b"]
        table.mark_shown()
        assert marked(table) == []
