"""How pipelines look, from the DAGs to the log of a try, and while Airflow fails: on an Airflow made by hand."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from opsconsole.config.settings import AirflowSettings
from opsconsole.core.reading import SourceError
from opsconsole.pipelines.model import DagParam, LogLine, Task
from opsconsole.ui.actions import Place, Registry
from opsconsole.ui.app import OpsConsole
from opsconsole.ui.lines import Line
from opsconsole.ui.screens import task_log
from opsconsole.ui.screens.dashboard import DashboardView
from opsconsole.ui.screens.pages_view import PagesView
from opsconsole.ui.screens.pipelines import DagRunView, DagView, PipelinesView
from opsconsole.ui.screens.runbook import RunbookView
from opsconsole.ui.screens.several import SeveralView
from opsconsole.ui.screens.task_log import TaskLogView
from opsconsole.ui.screens.view import View
from opsconsole.ui.table_layout import Row, row_line
from tests.screens.driving import in_time, painted, sees, text_of
from tests.screens.fake_session import NOW
from tests.screens.pipeline_readings import ByHand, Rehearsing, dag, pipelines, run, task
from tests.screens.still import STATES, State, StillSources, still_session

pytestmark = pytest.mark.usefixtures("still_surroundings")

Compare = Callable[..., bool]
SIZES = ((80, 24), (120, 40))
REFUSED = "connection refused at 127.0.0.1"


def app_of(
    folder: Path,
    way: ByHand,
    first_screen: str = "pipeline-status",
    airflow: AirflowSettings | None = None,
    api: Rehearsing | None = None,
) -> OpsConsole:
    """`airflow` is what changes go to; there is none without. `api` is what is asked before them."""
    source = pipelines(way, api)

    async def given() -> object:
        return source

    session = still_session(
        folder, StillSources("live"), first_screen=first_screen, families={"pipelines": given}, airflow=airflow
    )
    return OpsConsole(session)


async def read(app: OpsConsole) -> None:
    """Wait until what is on screen shows what it read, or why it could not."""
    view = app.console_screen.view
    async with in_time("the reading"):
        while view is None or not view.composed:
            await app.animator.wait_for_idle()
            view = app.console_screen.view
    if isinstance(view, DashboardView):
        async with in_time("the panes' readings"):
            while any(pane.reading.sheet is None and not pane.reading.failed for pane in view._readers if pane.watched):
                await painted(app)
    elif isinstance(view, PagesView):
        async with in_time("the page's reading"):
            while view._now.sheet is None and not view._now.failed:
                await painted(app)
    await painted(app)


async def opened_at(pilot: Pilot[int]) -> OpsConsole:
    app = pilot.app
    assert isinstance(app, OpsConsole)
    await pilot.pause()
    async with in_time("the first screen"):
        while app.console_screen.view is None or not app.console_screen.view.composed:
            await pilot.pause()
    await painted(app)
    async with in_time("the first screen's answers"):
        while app.opened.feed.poller.busy:
            await pilot.pause()
    app.opened.watchkeeper.judge()
    app.show_freshness()
    await read(app)
    return app


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_screen(snap_compare: Compare, tmp_path: Path, size: tuple[int, int], state: State) -> None:
    way = ByHand()
    if state == "empty":
        way.listed, way.ran, way.tasked = [], {}, ()
    if state == "error":
        way.failing = REFUSED

    async def before(pilot: Pilot[int]) -> None:
        app = await opened_at(pilot)
        if state == "stale":
            way.failing = REFUSED
            view = app.console_screen.view
            assert isinstance(view, DashboardView)
            source = await app.session.families["pipelines"]()
            source.forget()
            await pilot.press("r")
            async with in_time("the failures"):
                while not all(pane.reading.failed for pane in view._readers if pane.watched):
                    await pilot.pause()
            await painted(app)

    assert snap_compare(app_of(tmp_path, way), run_before=before, terminal_size=size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("what", ["dag", "run", "log", "failures", "dependencies", "trends"])
def test_what_lies_deeper(snap_compare: Compare, tmp_path: Path, what: str, size: tuple[int, int]) -> None:
    way = ByHand()

    async def before(pilot: Pilot[int]) -> None:
        app = await opened_at(pilot)
        views: dict[str, Callable[[], View]] = {
            "dag": lambda: DagView("load_tariffs"),
            "run": lambda: DagRunView("load_tariffs", "scheduled__900"),
            "log": lambda: TaskLogView(way.tasked[1]),
            "failures": lambda: PipelinesView("failures"),
            "dependencies": lambda: PipelinesView("dependencies"),
            "trends": lambda: DagView("load_tariffs"),
        }
        view = views[what]()
        app.console_screen.open_view(view)
        await pilot.pause()
        await read(app)
        if what == "trends" and isinstance(view, DagView):
            view.open_page("trends")
            await read(app)
        if what == "log":
            async with in_time("the log"):
                while "no tariff" not in text_of(app):
                    await pilot.pause()
        await painted(app)

    assert snap_compare(app_of(tmp_path, way), run_before=before, terminal_size=size)


async def test_from_the_failed_dag_to_the_log_and_to_the_retry(tmp_path: Path) -> None:
    way = ByHand()
    async with app_of(tmp_path, way).run_test(size=(120, 40)) as pilot:
        app = await opened_at(pilot)

        wait = partial(sees, pilot)
        await pilot.press("enter")
        await wait("scheduled__900")
        await pilot.press("enter")
        await wait("upstream_failed")
        view = app.console_screen.view
        assert isinstance(view, DagRunView)
        assert view.table.selected_labels["task_id"] == "check", "the cursor is on what failed"
        await pilot.press("enter")
        await wait("ValueError: no tariff")
        assert "\x1b[31m" not in text_of(app)
        await pilot.press("slash", *"starting", "enter")
        await wait("filter starting")
        async with in_time("the filter"):
            while text_of(app).count("ValueError") > 1:  # the cause stays above the log
                await pilot.pause()
        await pilot.press("escape", "left")
        await wait("try 1 of 2")
        await pilot.press("left")
        await wait("there is no try 0")
        await pilot.press("escape", "escape")
        await wait("9 runs   89 % succeeded")
        await pilot.press("x")
        await wait("Retry what failed in scheduled__900")
        await pilot.press("enter")
        async with in_time("the run"):
            while not isinstance(app.console_screen.view, RunbookView):
                await pilot.pause()
        await wait("RUN = scheduled__900")
        await wait("Airflow's dry run clears 2: check, store")


async def test_a_trigger_asks_for_the_parameters_of_the_dag_and_checks_them_before_the_request_is_shown(
    tmp_path: Path,
) -> None:
    way = ByHand()
    way.takes = (
        DagParam("day", None, {"type": "string", "format": "date"}, "the day to load"),
        DagParam("size", 3, {"type": "integer", "maximum": 10}),
    )
    async with app_of(tmp_path, way).run_test(size=(120, 40)) as pilot:
        app = await opened_at(pilot)

        wait = partial(sees, pilot)
        app.commander.open_family("pipelines")
        await wait("every 5.0 s")
        await pilot.press("home", "x", *"trigger", "enter")
        await wait("the day to load")
        await pilot.press(*"2026", "enter")
        await wait('"2026" is no date such as 2026-11-21')
        await pilot.press(*"-11-20", "down", "backspace", *"11", "enter")
        await wait("11 is not at most 10")
        await pilot.press("backspace", "enter")
        async with in_time("the run"):
            while not isinstance(app.console_screen.view, RunbookView):
                await pilot.pause()
        assert app.console_screen.view.form.values["CONF"] == '{"day": "2026-11-20", "size": 1}'


async def test_several_triggers_are_asked_for_in_one_form_and_whom_it_does_not_suit_is_named(tmp_path: Path) -> None:
    way = ByHand()
    way.of_dag = {
        "load_tariffs": (DagParam("size", 3, {"type": "integer", "maximum": 10}), DagParam("day", "", {})),
        "import_weather": (DagParam("size", 50, {"type": "integer"}),),
    }
    way.listed = way.listed[:2]
    api = Rehearsing()
    async with app_of(tmp_path, way, api=api).run_test(size=(120, 40)) as pilot:
        app = await opened_at(pilot)

        wait = partial(sees, pilot)
        app.commander.open_family("pipelines")
        await wait("every 5.0 s")
        await pilot.press("asterisk", "x", *"trigger", "enter")
        await wait("Trigger 2 DAGs")
        assert "each its own default: 3 (load_tariffs) and 50 (import_weather)" in " ".join(text_of(app).split())
        assert "day" not in [param.name for param in app.console_screen.view._form._params]  # type: ignore[union-attr]
        await pilot.press(*"x", "enter")
        await wait('"x" is not a whole number')
        await pilot.press("backspace", *"20", "enter")
        await wait("NOTHING IS SENT TO 1 OF 2")
        await wait("size: 20 is not at most 10")
        await wait("they suit 1 of 2; enter again goes on with these")
        await pilot.press("down", *'{"late": 1}', "enter")  # other values: they are checked anew
        await wait('{"late": 1}')
        await pilot.press("enter")
        async with in_time("the run"):
            while not isinstance(app.console_screen.view, RunbookView):
                await pilot.pause()
        view = app.console_screen.view
        assert (view.form.values["DAG"], view.form.values["CONF"]) == ("import_weather", '{"late": 1, "size": 20}')
        await wait("left out 1: load_tariffs: size: 20")


async def test_without_an_airflow_it_says_so(tmp_path: Path) -> None:
    session = still_session(tmp_path, StillSources("live"), first_screen="pipeline-status")
    async with OpsConsole(session).run_test(size=(120, 40)) as pilot:
        app = await opened_at(pilot)
        assert "no airflow is configured in this environment" in text_of(app)
        await pilot.press("colon", *"pipelines", "enter")
        async with in_time("the refusal"):
            while text_of(app).count("no airflow is configured") < 2:
                await pilot.pause()


async def test_a_list_is_read_again_after_a_change_and_else_when_it_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsconsole.ui.pipelines.dags.DagsPage.period", 3600.0)
    way = ByHand()
    async with app_of(tmp_path, way).run_test(size=(120, 40)) as pilot:
        app = await opened_at(pilot)

        wait = partial(sees, pilot)
        app.commander.open_family("pipelines")
        await wait("every 1h")
        await pilot.press("home", "enter")
        await wait("scheduled__900")
        way.ran["load_tariffs"].insert(0, run("load_tariffs", 30.0, "running"))
        asked = way.asked
        await pilot.press("escape")
        await wait("every 1h")
        assert (way.asked, "2 running" in text_of(app)) == (asked, False), "it is not due, and nothing was changed"
        await pilot.press("enter")
        await wait("scheduled__900")
        app.console_screen.changed_at = app.session.clock()
        await pilot.press("escape")
        await wait("2 running")


async def test_every_key_of_pipelines_and_their_logs_does_something(tmp_path: Path) -> None:
    """Those that they share with other lists move in a list; their own are tried one by one."""
    elsewhere = {Place.DASHBOARD, Place.RUNBOOKS}
    own = {one.id for one in Registry() if one.where & {Place.PIPELINES, Place.LOG} and not one.where & elsewhere}
    assert own == {
        "fix", "mark", "mark-range", "mark-all", "next-page", "previous-page", "sort", "group", "details",
        "previous-try", "next-try", "whole-lines",
    }  # fmt: skip
    way = ByHand()
    async with app_of(tmp_path, way).run_test(size=(120, 40)) as pilot:
        app = await opened_at(pilot)

        async def tried(tries: Sequence[tuple[str, str]]) -> None:
            for key, said in tries:
                await pilot.press(key)
                async with in_time(f"{key}: {said}"):
                    while said not in text_of(app):
                        await pilot.pause()

        async def shown(view: type[View], said: str) -> None:
            async with in_time(said):
                while not (isinstance(app.console_screen.view, view) and said in text_of(app)):
                    await pilot.pause()
            await painted(app)

        app.commander.open_family("pipelines")
        await shown(PipelinesView, "every 5.0 s")
        await tried((
            ("s", "sorted by name"), ("v", "this page has no other form"), ("tab", "WITHIN"),
            ("shift+tab", "LAST RUNS"),
            ("i", "schedule"), ("escape", "LAST RUNS"), ("p", "paused; p goes on"), ("p", "reading again"),
            ("x", "nothing runs before you say so"), ("escape", "LAST RUNS"), ("b", "there is no runbook"),
            ("home", "order held"), ("space", "1 marked"), ("down", "1 marked"), ("M", "3 marked"),
            ("asterisk", "4 marked"), ("escape", "LAST RUNS"),
        ))  # fmt: skip
        app.console_screen.open_view(TaskLogView(way.tasked[1]))
        await shown(TaskLogView, "2 lines")
        await tried((
            ("left", "try 1 of 2"), ("l", "try 2 of 2"), ("right", "there is no try 3"), ("r", "2 lines"),
            ("enter", "Lines of check, try 2"), ("escape", "2 lines"), ("z", "Lines of check, try 2"),
            ("escape", "2 lines"), ("escape", "LAST RUNS"),
        ))  # fmt: skip


async def test_a_line_that_the_edge_cuts_is_read_whole(tmp_path: Path) -> None:
    way = ByHand()
    way.lines = [LogLine(f"first {'word ' * 60}middle{'x' * 200}end"), LogLine("second")]
    async with app_of(tmp_path, way).run_test(size=(80, 24)) as pilot:
        app = await opened_at(pilot)
        app.console_screen.open_view(TaskLogView(way.tasked[1]))
        await sees(pilot, "second")
        assert "middle" not in text_of(app)
        await pilot.press("enter")
        await sees(pilot, "Lines of check, try 2")
        await sees(pilot, "end")
        whole = text_of(app).replace("\n", "").replace(" ", "")
        assert f"middle{'x' * 200}end" in whole
        assert whole.index("end") < whole.index("second")
        asked = way.logs_asked
        await pilot.press("escape")
        await sees(pilot, "check  try 2 of 2   2 lines")
        assert way.logs_asked == asked, "what was read to its end is not read again"


async def test_marked_rows_are_one_list_of_exact_requests_confirmed_once_each_with_its_own_end(tmp_path: Path) -> None:
    """Nobody listens at the API's address: each of them fails by itself, and none holds the others up."""
    nowhere = AirflowSettings(url="http://127.0.0.1:9", timeout=1.0)
    async with app_of(tmp_path, ByHand(), airflow=nowhere).run_test(size=(120, 40)) as pilot:
        app = await opened_at(pilot)

        wait = partial(sees, pilot)
        app.commander.open_family("pipelines")
        await wait("every 5.0 s")
        await pilot.press("M")
        await wait("space marks the first row")
        await pilot.press("slash", *"_", "enter", "asterisk")
        await wait("3 marked")
        await pilot.press("escape")  # first the marks
        await wait("filter _")
        assert "marked" not in text_of(app)
        await pilot.press("home", "space", "end", "M", "x")
        await wait("does not apply to 1 of the 3")
        await pilot.press(*"pause", "enter")
        await wait("run all 2")
        view = app.console_screen.view
        assert isinstance(view, SeveralView)
        await pilot.press("enter")
        await wait("Run all 2?")
        assert text_of(app).count("PATCH /dags/") == 2
        assert '{"is_paused": true}' in text_of(app)
        await pilot.press("n")
        await wait("not confirmed; nothing was run")
        await pilot.press("enter")
        await wait("Run all 2?")
        await pilot.press("y")
        await wait("2 failed")
        await wait("the walk is at its end".capitalize())
        assert text_of(app).count("127.0.0.1:9") >= 2
        assert view.walk.run is not None
        journal = (view.walk.run.folder / "journal.jsonl").read_text()
        assert "2 actions were confirmed together: yes" in journal
        await pilot.press("enter", "enter")
        await wait("LAST RUNS")
        assert "marked" not in text_of(app)


async def test_a_try_without_a_log_is_a_state_with_its_reason_and_not_an_error(tmp_path: Path) -> None:
    way = ByHand()
    app = app_of(tmp_path, way)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened_at(pilot)
        way.lines = [LogLine("No logs found on disk for /logs/a/attempt=2.log", None, "error")]
        view = TaskLogView(way.tasked[1])
        app.console_screen.open_view(view)
        async with in_time("that there is none"):
            while "There is no log of try 2." not in text_of(app):
                await painted(app)
        shown = text_of(app)
        assert "No logs found on disk for /logs/a/attempt=2.log" in shown
        assert "no log" in shown
        assert "ERROR" not in shown.partition("try 2 of 2")[2]
        way.lines = [LogLine("starting", NOW, "info")]
        await pilot.press("r")
        async with in_time("the log"):
            while "starting" not in text_of(app):
                await painted(app)
        assert "There is no log" not in text_of(app)


async def test_a_log_that_does_not_come_says_why_and_where_its_file_is_and_is_left_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_log, "_LONG", 0.0)
    monkeypatch.setattr(task_log, "_TOO_LONG", 0.0)
    way, asked, come, given_up = ByHand(), list[int](), asyncio.Event(), asyncio.Event()

    async def late(one: Task, number: int) -> AsyncIterator[str]:
        asked.append(number)
        try:
            await come.wait()
        except asyncio.CancelledError:
            given_up.set()
            raise
        if come.is_set():
            raise SourceError("airflow", "overloaded", "504: gateway time-out")
        yield "never"

    async with app_of(tmp_path, way).run_test(size=(80, 24)) as pilot:
        app = await opened_at(pilot)
        monkeypatch.setattr(way, "raw_log", late)  # what the page of failures reads has been read
        app.console_screen.open_view(TaskLogView(way.tasked[1]))
        await sees(pilot, "Airflow 3 reads it to")
        assert "/task_id=check/attempt=2.log" in text_of(app)
        await pilot.press("question_mark")
        async with in_time("the help"):
            while isinstance(app.console_screen.view, TaskLogView):
                await pilot.pause()
        await pilot.press("escape")
        await sees(pilot, "b opens the runbook")
        assert asked == [2], "who comes back from the help waits for the same answer"
        come.set()
        await sees(pilot, "ERROR 504: gateway time-out")
        await sees(pilot, "It did not come. r asks again.")
        come.clear()
        await pilot.press("r")
        await sees(pilot, "asking…")
        assert asked == [2, 2]
        await pilot.press("escape")
        async with in_time("that the request is called off"):
            await given_up.wait()


@pytest.mark.parametrize("reads", [False, True], ids=["watching", "reading"])
async def test_who_watches_a_task_goes_with_it_into_its_next_try_and_who_reads_stays(
    reads: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_log, "_PAUSE", 0.01)
    way = ByHand()
    fetch, *others = way.tasked
    first = task("check", 30.0, None, "running", tries=1)
    way.tasked, way.lines = (fetch, first, *others), [LogLine("the first try", NOW, "info")]
    async with app_of(tmp_path, way).run_test(size=(120, 24)) as pilot:
        app = await opened_at(pilot)
        app.console_screen.open_view(TaskLogView(first))
        await sees(pilot, "it goes on")
        if reads:
            await pilot.press("up")
        way.tasked = (fetch, task("check", 30.0, 12.0, "up_for_retry", tries=1), *others)
        await sees(pilot, "its next try waits: up_for_retry")
        way.lines = [LogLine("the other try", NOW, "error")]
        way.tasked = (fetch, task("check", 60.0, None, "running", tries=2), *others)
        if reads:
            await sees(pilot, "try 2 has begun; right goes there")
            assert "check  try 1 of 2" in text_of(app)
            await pilot.press("right")
        await sees(pilot, "check  try 2 of 2   1 lines   it goes on")
        await sees(pilot, "the other try")
        await pilot.press("slash", *"error", "enter")  # by the level that stands there, too
        await sees(pilot, "filter error: 1")


@pytest.mark.parametrize(
    "opened", [partial(DagView, "load_tariffs"), partial(TaskLogView, task("fetch", 5.0, 20.0))], ids=["page", "log"]
)
async def test_who_goes_on_at_once_leaves_no_question_behind(tmp_path: Path, opened: Callable[[], View]) -> None:
    app = app_of(tmp_path, ByHand())
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        async with app.run_test(size=(80, 24)) as pilot:
            await opened_at(pilot)
            view = opened()
            app.console_screen.open_view(view)
            await painted(app)
            view.left()
            view.entered()
            view.left()
            await painted(app)
        del view, app, pilot
        gc.collect()
    assert [text for one in said if "never awaited" in (text := str(one.message))] == []


async def test_of_five_thousand_dags_only_those_in_view_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def counted(row: Row, *given: Any) -> Line:
        drawn.append(row.key)
        return row_line(row, *given)

    for where in ("widgets.page_pane", "widgets.live_table"):
        monkeypatch.setattr(f"opsconsole.ui.{where}.row_line", counted)
    way = ByHand()
    way.listed = [dag(f"dag_{number:04}") for number in range(5000)]
    way.ran = {one.dag_id: [run(one.dag_id, 60.0)] for one in way.listed}
    app = app_of(tmp_path, way)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened_at(pilot)
        assert "dag_0000" in text_of(app)
        assert len(set(drawn)) < 40
        await pilot.press("colon", *"pipelines dags", "enter")
        await read(app)
        view = app.console_screen.view
        assert isinstance(view, PagesView)
        await pilot.press("end")
        await painted(app)
        assert view.table.selected_row is not None
        assert view.table.selected_row.key == "dag_4999"
        assert "dag_4999" in text_of(app)
        drawn.clear()
        way.failing = REFUSED  # what was known stays, grey
        await pilot.press("r")
        async with in_time("the failure"):
            while not view._now.failed:
                await painted(app)
        await painted(app)
        assert 0 < len(set(drawn)) < 40
