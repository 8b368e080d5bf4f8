"""Floor: ten thousand rows drawn line by line, one visible row in ten repainted each second. Nothing else."""

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

ROWS = 10_000
PLAIN = Style.parse("white on black")


class Lines(ScrollView, can_focus=True):
    """A list that knows how to draw one line."""

    def on_mount(self) -> None:
        self.generation = [0] * ROWS
        self.turn = 0
        self.virtual_size = Size(118, ROWS)
        self.set_interval(1.0, self.tick)

    def render_line(self, y: int) -> Strip:
        row = y + int(self.scroll_offset.y)
        numbers = "".join(f"{(row * factor + self.generation[row] * 37) % 9973:<10}" for factor in (3, 5, 7, 11))
        text = f"{row:<10}user{row % 7:<8}active    SELECT abalance FROM t  {numbers}"
        return Strip([Segment(text.ljust(self.size.width), PLAIN)])

    def tick(self) -> None:
        self.turn += 1
        top = int(self.scroll_offset.y)
        for row in range(top, min(ROWS, top + self.size.height)):
            if (row + self.turn) % 10 == 0:
                self.generation[row] = self.turn
                self.refresh_line(row - top)


class BareLines(App[None]):
    """The list, full screen."""

    CSS = "Lines { height: 1fr; }"
    BINDINGS = [("q", "quit", "Quit")]

    def compose(self) -> ComposeResult:
        yield Lines()


if __name__ == "__main__":
    BareLines().run()
