"""Panes that are pages: what each reads, and where it leads."""

from typing import TYPE_CHECKING, Any

from opsconsole.core.reading import SourceError
from opsconsole.screens.definition import Pane
from opsconsole.screens.variables import is_sql
from opsconsole.screens.views import PIPELINES, page_of
from opsconsole.ui.commands import CommandError
from opsconsole.ui.pages.page import PageSpec
from opsconsole.ui.widgets.page_pane import PagePane

if TYPE_CHECKING:
    from opsconsole.ui.console import Console


def page_pane(console: "Console", pane: Pane) -> PagePane:
    """The pane for a view that is a page."""
    found = page_of(pane.view)
    assert found is not None, "asked of views that are pages"
    family, page = found
    session, app = console.session, console.console_app

    async def source() -> Any:
        if family == PIPELINES:
            if session.pipelines is None:
                raise SourceError("airflow", "unknown-source", "no airflow is configured in this environment")
            return await session.pipelines()
        return session.database(_database_of(console, pane))

    return PagePane(
        pane, _spec(family, page), _once(source), report=app.report, paused=lambda: app.opened.feed.poller.paused,
        glyphs=session.glyphs, clock=session.clock,
    )  # fmt: skip


def open_page(console: "Console", view: PagePane) -> None:
    """Where a pane that is a page leads: to the runs of the DAG under the cursor, else to the page in full."""
    found = page_of(view.pane.view)
    assert found is not None, "made by page_pane"
    family, page = found
    commander, item = console.console_app.commander, view.selected_item
    if family == PIPELINES and page == "dags" and item is not None:
        from opsconsole.ui.screens.pipelines import DagView

        console.open_view(DagView(item.key))
    elif family == PIPELINES:
        commander.open_pipelines(page)
    else:
        try:
            commander.open_workbench(_database_of(console, view.pane).partition("/")[2], page)
        except CommandError as error:
            console.tell(str(error), "warn")


def _database_of(console: "Console", pane: Pane) -> str:
    """The pane's database, else the environment's first, as a source's name."""
    return (
        pane.source if is_sql(pane.source) else f"postgres/{next(iter(console.console_app.commander.databases()), '')}"
    )


def _spec(family: str, page: str) -> PageSpec:
    from opsconsole.ui.pipelines.pages import PAGES as PIPELINE_PAGES
    from opsconsole.ui.workbench.pages import PAGES as DATABASE_PAGES

    return next(one for one in (PIPELINE_PAGES if family == PIPELINES else DATABASE_PAGES) if one.id == page)


def _once(make: Any) -> Any:
    """What `make` gave the first time: a source remembers what it knows of its server."""
    made: list[Any] = []

    async def given() -> Any:
        if not made:
            made.append(await make())
        return made[0]

    return given
