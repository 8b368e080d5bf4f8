"""How the workbench looks, and what it does while its database fails: on readings made by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from opsconsole.core.reading import SourceError
from opsconsole.database.finding import Coverage
from opsconsole.database.instance import between
from opsconsole.database.statement_usage import since_reset
from opsconsole.ui import opened
from opsconsole.ui.app import OpsConsole
from opsconsole.ui.pages.page import Page
from opsconsole.ui.screens.runbook import RunbookView
from opsconsole.ui.screens.workbench import WorkbenchView
from opsconsole.ui.workbench.connections import ConnectionsPage
from opsconsole.ui.workbench.findings import FindingsPage, FindingsReading
from opsconsole.ui.workbench.locks import LocksPage
from opsconsole.ui.workbench.progress import ProgressPage
from opsconsole.ui.workbench.queries import QueriesPage, QueriesReading
from opsconsole.ui.workbench.replication import ReplicationPage
from opsconsole.ui.workbench.server import ServerPage, ServerReading
from opsconsole.ui.workbench.sessions import SessionsPage
from opsconsole.ui.workbench.tables import TablesPage, TablesReading
from tests.screens import workbench_readings as made
from tests.screens.driving import in_time, painted, text_of
from tests.screens.still import StillSources, still_session

Compare = Callable[..., bool]
SIZES = ((80, 24), (120, 40))
READINGS: dict[type[Page[Any, Any]], Any] = {
    SessionsPage: made.ACTIVITY,
    LocksPage: made.BLOCKING,
    QueriesPage: QueriesReading(made.SNAPSHOT, since_reset(made.SNAPSHOT), None),
    TablesPage: TablesReading(made.TABLES, {"1": 7.0e9}),
    ConnectionsPage: made.CONNECTIONS,
    ProgressPage: made.PROGRESS,
    ReplicationPage: made.REPLICATION,
    ServerPage: ServerReading(made.LATER, between(made.INSTANCE, made.LATER)),
    FindingsPage: FindingsReading(made.FINDINGS, Coverage()),
}


class Answers:
    """What the pages read: what was made by hand, or why there is nothing."""

    def __init__(self) -> None:
        self.failing = ""
        self.taken = 0

    def of(self, kind: type[Page[Any, Any]]) -> Callable[..., Awaitable[Any]]:
        async def take(page: Page[Any, Any], *_: Any) -> Any:
            await asyncio.sleep(0)
            self.taken += 1
            if self.failing:
                raise SourceError("postgres/app", "unreachable", self.failing)
            if isinstance(page, QueriesPage):
                page._texts.update(made.TEXTS)
            return READINGS[kind]

        return take


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Answers:
    """All pages answer by hand."""
    found = Answers()
    for kind in READINGS:
        monkeypatch.setattr(kind, "take", found.of(kind))
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(opened, "_LIBRARY_DELAY", 0.0)
    return found


def app_of(folder: Path) -> OpsConsole:
    return OpsConsole(still_session(folder, StillSources("live")))


async def opened_at(pilot: Pilot[int], page: str) -> WorkbenchView:
    """The page, once it shows what it read."""
    app = pilot.app
    assert isinstance(app, OpsConsole)
    await pilot.pause()
    async with in_time("the first screen"):
        while app.console_screen.view is None or not app.console_screen.view.composed:
            await pilot.pause()
    app.commander.open_workbench("app", page)
    view = app.console_screen.view
    assert isinstance(view, WorkbenchView)
    async with in_time("the page's reading"):
        while not view.composed or (view._now.sheet is None and not view._now.failed):
            await pilot.pause()
    await painted(app)
    async with in_time("the first screen's answers"):
        while app.opened.feed.poller.busy:
            await pilot.pause()
    app.opened.watchkeeper.judge()
    await painted(app)
    return view


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
@pytest.mark.parametrize("page", [kind.id for kind in READINGS])
def test_a_page(snap_compare: Compare, tmp_path: Path, answers: Answers, page: str, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[int]) -> None:
        await opened_at(pilot, page)

    assert snap_compare(app_of(tmp_path), run_before=before, terminal_size=size)


def test_a_page_whose_database_has_gone(snap_compare: Compare, tmp_path: Path, answers: Answers) -> None:
    async def before(pilot: Pilot[int]) -> None:
        view = await opened_at(pilot, "locks")
        answers.failing = "connection refused at 127.0.0.1"
        await pilot.press("r")
        async with in_time("the failure"):
            while not view._now.failed:
                await pilot.pause()
        await painted(view.console.console_app)

    assert snap_compare(app_of(tmp_path), run_before=before, terminal_size=(120, 40))


async def test_a_database_that_never_answered_says_so_and_keys_work(tmp_path: Path, answers: Answers) -> None:
    answers.failing = "no route to [/oops] host"
    async with app_of(tmp_path).run_test(size=(120, 40)) as pilot:
        view = await opened_at(pilot, "sessions")
        assert "ERROR  no route to [/oops] host; trying again" in text_of(view.console.console_app)
        for key in ("enter", "x", "s", "v", "down", "/", "escape"):
            await pilot.press(key)
        answers.failing = ""
        await pilot.press("r")
        async with in_time("the reading"):
            while view._now.failed or view._now.sheet is None:
                await pilot.pause()
        await painted(view.console.console_app)
        assert "5 sessions   3 active" in text_of(view.console.console_app)


async def test_a_fault_of_a_page_is_said_and_reading_goes_on(
    tmp_path: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("it broke")

    monkeypatch.setattr(SessionsPage, "sheet", broken)
    async with app_of(tmp_path).run_test(size=(120, 40)) as pilot:
        view = await opened_at(pilot, "sessions")
        assert "ERROR  failed unexpectedly: ZeroDivisionError; trying again" in text_of(view.console.console_app)
        assert len(list((tmp_path / "state" / "logs").iterdir())) == 1
        monkeypatch.undo()


async def test_only_what_is_looked_at_is_read(tmp_path: Path, answers: Answers) -> None:
    async with app_of(tmp_path).run_test(size=(120, 40)) as pilot:
        view = await opened_at(pilot, "sessions")
        await pilot.press("?")
        await painted(view.console.console_app)
        assert not [worker for worker in pilot.app.workers if worker.group == "workbench" and worker.is_running]
        await pilot.press("escape")
        taken = answers.taken
        async with in_time("another reading"):
            while answers.taken == taken:
                await pilot.pause()


async def test_a_repair_is_a_run_that_wants_the_name_typed(tmp_path: Path, answers: Answers) -> None:
    async with app_of(tmp_path).run_test(size=(120, 40)) as pilot:
        view = await opened_at(pilot, "sessions")
        await pilot.press("x")
        await painted(view.console.console_app)
        assert "terminate  End session 8123 (etl airflow-task)" in text_of(view.console.console_app)
        await pilot.press("enter")
        app = view.console.console_app
        async with in_time("the run"):
            while not isinstance(app.console_screen.view, RunbookView) or not app.console_screen.view.composed:
                await pilot.pause()
        await painted(app)
        shown = text_of(app)
        assert "DESTRUCTIVE" in shown
        assert "Why: it is idle in transaction, in its transaction for 12m 34s" in shown
        await pilot.press("escape")
        await painted(app)
        assert app.console_screen.views[-1] is view


async def test_sorting_and_grouping_are_shown_at_once(tmp_path: Path, answers: Answers) -> None:
    async with app_of(tmp_path).run_test(size=(120, 40)) as pilot:
        view = await opened_at(pilot, "sessions")
        await pilot.press("s", "s", "s")
        assert view._now.sheet is not None
        assert [row.key.split()[0] for row in view._now.sheet.rows] == ["8123", "8124", "8125", "8130", "8140"]
        await pilot.press("v")
        await painted(view.console.console_app)
        assert "SESSIONS ▾" in text_of(view.console.console_app)
        await pilot.press(*["v"] * 5)
        await painted(view.console.console_app)
        assert "STATEMENT" in text_of(view.console.console_app)
