"""Floor: a minimal Textual program, a table of fifty rows whose clock column ticks once a second."""

import time

from textual.app import App, ComposeResult
from textual.widgets import DataTable, Footer, Header


class Hello(App[None]):
    """Header, table, footer: what the first Textual tutorial ends with."""

    BINDINGS = [("q", "quit", "Quit")]

    def compose(self) -> ComposeResult:
        yield Header()
        yield DataTable(cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        self.table = self.query_one(DataTable)
        self.table.add_columns("id", "name", "state")
        self.clock = self.table.add_column("live", width=14)
        self.keys = [self.table.add_row(str(index), f"row {index}", "ok", "-") for index in range(50)]
        self.set_interval(1.0, self.tick)

    def tick(self) -> None:
        for index, key in enumerate(self.keys):
            self.table.update_cell(key, self.clock, f"{time.time() + index:.2f}")


if __name__ == "__main__":
    Hello().run()
