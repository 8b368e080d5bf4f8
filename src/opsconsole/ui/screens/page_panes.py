"""Panes that are pages: what each reads, and where it leads."""

from typing import TYPE_CHECKING, Any

from opsconsole.core.reading import SourceError
from opsconsole.screens.definition import Pane
from opsconsole.screens.variables import is_sql
from opsconsole.screens.views import DATABASE, page_of
from opsconsole.ui.commands import CommandError
from opsconsole.ui.families import FAMILIES
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
        if family == DATABASE:
            return session.database(_database_of(console, pane))
        if family not in session.families:
            raise SourceError(family, "unknown-source", FAMILIES[family].absent)
        return await session.families[family]()

    return PagePane(
        pane, _spec(family, page), _once(source), report=app.report, paused=lambda: app.opened.feed.poller.paused,
        glyphs=session.glyphs, clock=session.clock, changed_at=lambda: console.changed_at,
    )  # fmt: skip


def open_page(console: "Console", view: PagePane) -> None:
    """Where a pane that is a page leads: where its row does (a DAG: to its runs), else to the page in full."""
    found = page_of(view.pane.view)
    assert found is not None, "made by page_pane"
    family, page = found
    commander, item = console.console_app.commander, view.selected_item
    try:
        if family == DATABASE:
            commander.open_workbench(_database_of(console, view.pane).partition("/")[2], page)
            return
        further = FAMILIES[family].view_class().behind(page, item.key) if item is not None else None
        if further is not None and family in console.session.families:
            console.open_view(further)
        else:
            commander.open_family(family, page)
    except CommandError as error:
        console.tell(str(error), "warn")


def _database_of(console: "Console", pane: Pane) -> str:
    """The pane's database, else the environment's first, as a source's name."""
    return (
        pane.source if is_sql(pane.source) else f"postgres/{next(iter(console.console_app.commander.databases()), '')}"
    )


def _spec(family: str, page: str) -> PageSpec:
    from opsconsole.ui.workbench.pages import PAGES as DATABASE_PAGES

    return next(one for one in (DATABASE_PAGES if family == DATABASE else FAMILIES[family].specs()) if one.id == page)


def _once(make: Any) -> Any:
    """What `make` gave the first time: a source remembers what it knows of its server."""
    made: list[Any] = []

    async def given() -> Any:
        if not made:
            made.append(await make())
        return made[0]

    return given
