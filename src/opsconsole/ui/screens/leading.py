"""Where what is selected on a screen of panes leads: another screen, a runbook, an error in full, the clipboard."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opsconsole.core.clean import clean_line
from opsconsole.screens.checks import link_params
from opsconsole.screens.definition import Kind
from opsconsole.screens.views import page_of
from opsconsole.ui.widgets.overview import OverviewPane
from opsconsole.ui.widgets.pane import PaneView

if TYPE_CHECKING:
    from opsconsole.ui.screens.dashboard import DashboardView
    from opsconsole.ui.widgets.page_pane import PagePane


def open_selected(view: "DashboardView") -> None:
    """The screen that the selected item leads to; a pane that leads nowhere is zoomed."""
    pane = view.pane
    if isinstance(pane, OverviewPane):
        _open_from_overview(view, pane)
    elif (page := _page_pane(pane)) is not None:
        from opsconsole.ui.screens.page_panes import open_page

        open_page(view.console, page)
    elif pane is not None and pane.pane.drill is not None:
        drill = pane.pane.drill
        view.open_screen(drill.screen, _filled(drill.variables, view.labels()))
    elif pane is not None and pane.pane.kind is Kind.SECTION:
        view.fold(pane)
    elif pane is not None:
        view.do_zoom()


def _page_pane(pane: PaneView | None) -> "PagePane | None":
    if pane is None or page_of(pane.pane.view) is None:
        return None
    from opsconsole.ui.widgets.page_pane import PagePane

    return pane if isinstance(pane, PagePane) else None


def _open_from_overview(view: "DashboardView", pane: OverviewPane) -> None:
    row, area = pane.attention, pane.area
    if area is not None and area.screen:
        view.open_screen(area.screen, {})
    if row is None:
        return
    check = row.check
    if row.next.kind == "screen":
        view.open_screen(row.next.target, row.next.params, check.pane if row.next.target == check.screen else "")
    elif check.drill is not None:
        view.open_screen(check.drill.screen, _filled(check.drill.variables, check.labels))
    else:
        view.open_screen(check.screen, {}, check.pane)


def _filled(variables: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, str]:
    return {name: labels[label] for name, label in variables.items() if label in labels}


def open_runbook(view: "DashboardView") -> None:
    """The runbook for what is selected."""
    from opsconsole.ui.runbook_choice import runbook_choice

    pane = view.pane
    if isinstance(pane, OverviewPane):
        row = pane.attention
        if row is None:
            view.console.tell("select what needs attention first; 9 lists all runbooks")
            return
        runbook_choice(view.console, row.check.runbook, row.check.params, row.check.labels)
    elif pane is not None:
        labels, link = view.labels(), pane.pane.runbook
        runbook_choice(view.console, link.id if link else "", link_params(link, labels), labels)


def open_workbench(view: "DashboardView") -> None:
    """The workbench of the database behind the pane; a pane that asks none leads to the first one."""
    from opsconsole.ui.commands import CommandError

    commander = view.console.console_app.commander
    asked = view.pane.pane.source.partition("/")[2] if view.pane is not None else ""
    try:
        commander.open_workbench(asked if asked in commander.databases() else "")
    except CommandError as error:
        view.console.tell(str(error), "warn")


def open_last_error(view: "DashboardView") -> None:
    """Everything there is to say of why a pane, or a check, is as it is."""
    from opsconsole.ui.screens.problem import check_page, problem_page
    from opsconsole.ui.screens.text import TextView

    pane, now = view.pane, view.console.session.clock()
    page_pane = _page_pane(pane)
    if page_pane is not None:
        view.console.tell(page_pane.reading.failed or "the last reading went well")
    elif isinstance(pane, OverviewPane):
        row = pane.attention
        if row is not None:
            view.console.open_view(TextView(f"Check: {clean_line(row.check.title)}", check_page(row.check, now)))
    elif pane is not None:
        page = problem_page(view.state_of(pane.pane.id), view.feed.queries(pane.pane.id), now)
        view.console.open_view(TextView(f"Error: {clean_line(pane.pane.title)}", page))


def copy_pane(view: "DashboardView") -> None:
    """The pane's text to the terminal's clipboard, or to a file where it is too long for that."""
    from opsconsole.ui import clipboard

    if view.pane is None:
        return
    text = view.pane.text()
    if clipboard.fits(text):
        view.app.copy_to_clipboard(text)
        said = f"{len(text)} characters sent to the terminal's clipboard (tmux: set -g set-clipboard on)"
        view.console.tell(said)
        return
    try:
        view.console.tell(f"saved to {clipboard.save(text)}")
    except OSError as error:
        view.console.tell(f"could not be saved: {error}", "error")
