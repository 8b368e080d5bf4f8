"""The console's live table with 10,000 rows; each second one row in ten of those in view changes its four numbers.

The same rows as `bare_lines`, which is the floor it is measured against.
"""

import sys
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType

from opsconsole.ui.lines import line
from opsconsole.ui.table_layout import Cell, Column, Row
from opsconsole.ui.theme import textual_themes
from opsconsole.ui.widgets.canvas import Canvas
from opsconsole.ui.widgets.live_table import LiveTable

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
COLUMNS = (
    Column("pid", "PID", "right"),
    Column("user", "USER"),
    Column("state", "STATE"),
    Column("query", "QUERY", grows=True),
    *(Column(name, name.upper(), "right", priority=place) for place, name in enumerate(("reads", "hits", "tx", "ms"))),
)


def row(index: int, stamp: int) -> Row:
    """Row `index` as it is after `stamp` changes."""
    numbers = (Cell(str((index * factor + stamp * 37) % 9973)) for factor in (3, 5, 7, 11))
    state = Cell("● active", "ok") if index % 5 else Cell("▲ idle in tx", "warn")
    return Row(
        str(index),
        (Cell(str(index)), Cell(f"user{index % 7}"), state, Cell("SELECT abalance FROM t"), *numbers),
    )


class LiveTableProgram(App[None]):
    """A tick counter and the table."""

    CSS = "Canvas { height: 1; } LiveTable { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "quit", "Quit")]

    def __init__(self) -> None:
        super().__init__()
        for theme in textual_themes():
            self.register_theme(theme)
        self.theme = "dark"
        self.ticks = 0
        self.rows = [row(index, 0) for index in range(ROWS)]

    def compose(self) -> ComposeResult:
        """The counter above, the table below."""
        yield Canvas(lambda width, height: (line(f"tick {self.ticks}"),), id="ticks")
        yield LiveTable("Sessions")

    def on_mount(self) -> None:
        """Fill the table and start the clock."""
        self.table = self.query_one(LiveTable)
        self.table.show_rows(COLUMNS, self.rows)
        self.table.focus()
        self.set_interval(1.0, self.tick)

    def tick(self) -> None:
        """Change one row in ten of those in view."""
        self.ticks += 1
        top = self.table.first_row
        for index in range(top, min(ROWS, top + self.table.size.height)):
            if (index + self.ticks) % 10 == 0:
                self.rows[index] = row(index, self.ticks)
        self.table.show_rows(COLUMNS, self.rows)
        self.query_one("#ticks", Canvas).repaint()


if __name__ == "__main__":
    LiveTableProgram().run()
