"""A pane as a widget: selection, chart cursor, filter; and what it writes."""

from collections.abc import Mapping

from textual.app import App, ComposeResult

from opsconsole.screens.definition import Kind, Pane
from opsconsole.screens.overview import AREAS_VIEW, ATTENTION_VIEW
from opsconsole.ui.lines import text_of
from opsconsole.ui.pane_grid import PaneGrid
from opsconsole.ui.widgets.overview import OverviewPane
from opsconsole.ui.widgets.pane import PaneView
from tests.unit.ui.overview_states import CALM, TROUBLED
from tests.unit.ui.pane_states import NOW, PANES, error, live, of_value, stale, vector


class _Stage(App[None]):
    CSS = "PaneView { width: 60; height: 8; }"

    def __init__(self, *views: PaneView) -> None:
        super().__init__()
        self._views = views
        self.now = NOW
        self.chosen: list[Mapping[str, str]] = []

    def compose(self) -> ComposeResult:
        yield from self._views

    def on_pane_view_selected(self, message: PaneView.Selected) -> None:
        self.chosen.append(message.labels)


def view(kind: Kind, clock_app: list[_Stage] | None = None) -> PaneView:
    return PaneView(PANES[kind], clock=lambda: clock_app[0].now if clock_app else NOW)


async def test_before_the_first_answer_it_says_what_it_waits_for() -> None:
    pane = view(Kind.STAT)
    async with _Stage(pane).run_test(size=(80, 24)):
        assert "waiting for prometheus" in pane.text()


async def test_without_a_cursor_the_worst_is_selected() -> None:
    pane = view(Kind.STATUS)
    async with _Stage(pane).run_test(size=(80, 24)) as pilot:
        pane.blur()
        await pilot.pause()
        pane.show_state(live(Kind.STATUS))
        assert pane.selected_labels == {"job": "energy-service app-2"}


async def test_the_cursor_stays_on_its_item_while_values_change() -> None:
    pane = view(Kind.STATUS)
    stage = _Stage(pane)
    async with stage.run_test(size=(80, 24)) as pilot:
        pane.focus()
        await pilot.pause()
        pane.show_state(live(Kind.STATUS))
        assert pane.move(2)
        assert pane.selected_labels == {"job": "keycloak auth-1"}
        pane.show_state(of_value(PANES[Kind.STATUS], vector({"keycloak auth-1": 1, "nginx edge-1": 0})))
        assert pane.selected_labels == {"job": "keycloak auth-1"}
        assert "keycloak auth-1" in text_of(pane.lines[3:4])
        assert pane.choose()
        await pilot.pause()
        assert stage.chosen == [{"job": "keycloak auth-1"}]
        assert pane.release()
        assert not pane.release()
        assert pane.selected_labels == {"job": "nginx edge-1"}


async def test_the_end_of_the_list_lets_the_key_go_on_to_the_neighbour() -> None:
    pane = view(Kind.STATUS)
    async with _Stage(pane).run_test(size=(80, 24)):
        assert not pane.move(1)
        pane.show_state(live(Kind.STATUS))
        assert pane.to_bottom()
        assert not pane.move(1)
        assert not pane.sideways(-1)


async def test_a_chart_reads_out_where_the_cursor_is() -> None:
    pane = view(Kind.TIMESERIES)
    async with _Stage(pane).run_test(size=(80, 24)):
        pane.show_state(live(Kind.TIMESERIES))
        assert not pane.sideways(1)
        assert pane.sideways(-1)
        assert "22:0" in text_of(pane.lines[-1:])
        assert pane.sideways(-5)
        assert "21:5" in text_of(pane.lines[-1:])
        assert pane.sideways(10)
        assert "UTC" not in text_of(pane.lines[-1:])
        assert not pane.move(1)


async def test_equal_states_and_passing_seconds_write_nothing() -> None:
    apps: list[_Stage] = []
    panes = [view(kind, apps) for kind in (Kind.STATUS, Kind.TIMESERIES, Kind.TABLE)]
    apps.append(_Stage(*panes))
    async with apps[0].run_test(size=(80, 40)) as pilot:
        for pane in panes:
            pane.show_state(live(pane.pane.kind))
        await pilot.pause()
        apps[0].now += 1
        for pane in panes:
            assert pane.tick() == 0
            assert pane.show_state(live(pane.pane.kind)) == 0


async def test_one_changed_value_writes_one_line() -> None:
    pane = view(Kind.BARS)
    numbers = {"/a": 0.3, "/b": 0.2, "/c": 0.1}
    async with _Stage(pane).run_test(size=(80, 24)):
        pane.show_state(of_value(PANES[Kind.BARS], vector(numbers)))
        assert pane.show_state(of_value(PANES[Kind.BARS], vector({**numbers, "/b": 0.21}))) == 1


async def test_the_focus_costs_two_lines_at_most() -> None:
    pane, other = view(Kind.STATUS), view(Kind.STAT)
    async with _Stage(pane, other).run_test(size=(80, 24)) as pilot:
        other.focus()
        await pilot.pause()
        pane.show_state(live(Kind.STATUS))
        before = pane.lines
        pane.focus()
        await pilot.pause()
        changed = [old != new for old, new in zip(before, pane.lines, strict=True)]
        assert changed == [True, True, False, False, False, False]


async def test_a_filter_leaves_what_matches_and_says_so() -> None:
    pane = view(Kind.STATUS)
    async with _Stage(pane).run_test(size=(80, 24)):
        pane.show_state(live(Kind.STATUS))
        pane.set_filter("!energy")
        assert "3 of 5  filter !energy" in pane.text().splitlines()[0]
        assert "energy-service" not in pane.text().split("\n", 1)[1]
        pane.show_state(error(Kind.STATUS))
        pane.show_state(stale(Kind.STATUS))
        pane.set_filter("")
        assert "energy-service" in pane.text()


async def test_the_overview_moves_like_any_pane() -> None:
    attention = OverviewPane(Pane("attention", "Needs attention", Kind.VIEW, view=ATTENTION_VIEW), clock=lambda: NOW)
    areas = OverviewPane(Pane("areas", "Areas", Kind.VIEW, view=AREAS_VIEW), clock=lambda: NOW)
    async with _Stage(attention, areas).run_test(size=(80, 24)) as pilot:
        attention.show_overview(TROUBLED)
        areas.show_overview(TROUBLED)
        areas.focus()
        await pilot.pause()
        assert attention.attention is not None
        assert attention.attention.subject == "ingest_meter_readings"
        assert attention.move(1)
        assert attention.selected_labels == {"subject": "energy-service app-2"}
        assert areas.to_bottom()
        assert areas.area is not None
        assert areas.area.id == "quality"
        assert attention.show_overview(TROUBLED) == 0
        attention.release()
        attention.show_overview(CALM)
        assert not attention.selected_labels
        assert "all is well" in attention.text()


SECTIONS = (
    Pane("a", "A", Kind.SECTION),
    Pane("one", "One", Kind.TEXT, text="1"),
    Pane("b", "B", Kind.SECTION, folded=True),
    Pane("two", "Two", Kind.TEXT, text="2"),
    Pane("three", "Three", Kind.TEXT, text="3"),
)


class _Sections(App[None]):
    def compose(self) -> ComposeResult:
        self.seen: list[int] = []
        self.grid = PaneGrid([PaneView(pane) for pane in SECTIONS], 2, lambda: self.seen.append(1))
        yield self.grid


async def test_a_folded_section_hides_what_is_below_it_until_it_is_opened() -> None:
    stage = _Sections()
    async with stage.run_test(size=(80, 24)) as pilot:
        views = {one.pane.id: one for one in stage.grid.query(PaneView)}
        await pilot.pause()
        assert stage.grid.visible_panes() == ["a", "one", "b"]
        assert views["b"].text().startswith("▸ B")
        stage.grid.fold(views["b"])
        stage.grid.fold(views["a"])
        await pilot.pause()
        assert stage.grid.visible_panes() == ["a", "b", "two", "three"]
        assert [views[one].text()[:3] for one in "ab"] == ["▸ A", "▾ B"]
        # A zoom shows one pane only, and gives back what was open.
        stage.grid.zoom(views["two"])
        assert [one for one, view in views.items() if view.display] == ["two"]
        stage.grid.zoom(None)
        assert [one for one, view in views.items() if view.display] == ["a", "b", "two", "three"]
        stage.grid.reveal(views["one"])
        assert views["one"].display
