"""A canvas writes the cells that changed, and nothing else."""

from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Region

from opsconsole.ui.lines import Lines, line
from opsconsole.ui.theme import THEMES, textual_themes
from opsconsole.ui.widgets.canvas import Canvas, changed_regions


class _Stage(App[None]):
    CSS = "Canvas { width: 40; height: 5; }"

    def __init__(self) -> None:
        super().__init__()
        for theme in textual_themes():
            self.register_theme(theme)
        self.theme = "dark"
        self.asked: list[tuple[int, int]] = []

    def compose(self) -> ComposeResult:
        yield Canvas(self._paint)

    def _paint(self, width: int, height: int) -> Lines:
        self.asked.append((width, height))
        return (line("services"), line(("✗ CRIT", "crit"), f"  {width}x{height}"))


def test_one_region_for_each_changed_row_and_none_for_the_others() -> None:
    old = (line("a 1"), line("b 2"), line("c 3"))
    new = (line("a 1"), line("b 7"), line("c 3"))
    assert changed_regions(old, new, 20, 5) == [Region(2, 1, 1, 1)]
    assert changed_regions(old, old, 20, 5) == []


def test_rows_that_come_and_go_are_written() -> None:
    assert changed_regions((line("a"),), (line("a"), line("b")), 20, 5) == [Region(0, 1, 1, 1)]
    assert changed_regions((line("a"), line("b")), (line("a"),), 20, 5) == [Region(0, 1, 1, 1)]


def test_what_is_out_of_view_is_not_written() -> None:
    assert changed_regions((), (line("a"), line("b")), 20, 1) == [Region(0, 0, 1, 1)]
    assert changed_regions((line("x" * 30),), (line("x" * 29 + "y"),), 20, 1) == []


async def test_the_painter_knows_the_size_and_equal_lines_cost_nothing() -> None:
    app = _Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        canvas = app.query_one(Canvas)
        assert canvas.size.width == 40
        assert app.asked[-1] == (40, 5)
        assert canvas.repaint() == 0
        assert canvas.show((line("services"), line(("▲ WARN", "warn"), "  40x5"))) == 1
        await pilot.resize_terminal(30, 20)
        await pilot.pause()
        assert canvas.render_line(0).cell_length == canvas.size.width


class _Untold(Canvas):
    """Textual sends no Resize to a widget whose place was looked up between its mounting and its first layout."""

    def on_resize(self, event: events.Resize) -> None:
        event.prevent_default()


async def test_a_canvas_that_is_not_told_its_size_is_painted_all_the_same() -> None:
    app = _Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        late = _Untold(lambda width, height: (line(f"{width} by {height}"),))
        await app.screen.mount(late)
        await pilot.pause()
        assert late.render_line(0).text.strip() == "40 by 5"


async def test_each_theme_gives_full_width_rows_and_its_own_look() -> None:
    app = _Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        canvas = app.query_one(Canvas)
        looks = set()
        for theme in THEMES:
            app.theme = theme
            await pilot.pause()
            strip = canvas.render_line(1)
            assert strip.cell_length == canvas.size.width
            looks.add(str(next(iter(strip)).style))
        assert len(looks) == len(THEMES)


async def test_a_control_character_that_slipped_through_is_inert() -> None:
    app = _Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        canvas = app.query_one(Canvas)
        canvas.show((line("evil \x1b]52;c;eA==\x07 text\nnext", ("[red]x[/oops]", "text")),))
        await pilot.pause()
        text = canvas.render_line(0).text
        assert "\x1b" not in text
        assert "\n" not in text
        assert "[red]" in text


async def test_a_terminal_with_nothing_but_ascii_gets_nothing_else() -> None:
    app = _Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        canvas = app.query_one(Canvas)
        canvas.show_ascii_only()
        canvas.show((line("312 µs – 日本 é"),))
        await pilot.pause()
        assert canvas.render_line(0).text.rstrip() == "312 us - ???? ?"
        assert canvas.render_line(0).cell_length == canvas.size.width
