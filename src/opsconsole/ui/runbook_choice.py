"""From what is selected to the runbook for it: one opens, of several one is chosen, none is said."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opsconsole.core.problem import ContentError

if TYPE_CHECKING:
    from opsconsole.screens.definition import Pane
    from opsconsole.ui.console import Console


def prefilled(pane: "Pane | None", runbook: str, labels: Mapping[str, str]) -> dict[str, str]:
    """Parameter values that a pane's link takes from labels; the runbook's own `from_label` come on top later."""
    if pane is None or pane.runbook is None or pane.runbook.id != runbook:
        return {}
    return {param: labels[label] for param, label in pane.runbook.params.items() if label in labels}


def runbook_choice(console: "Console", pane: "Pane | None", labels: Mapping[str, str], link: str = "") -> None:
    """Open the runbook for `labels` and for what `pane` (or `link`) names."""
    link = link or (pane.runbook.id if pane is not None and pane.runbook is not None else "")
    try:
        books = console.session.library().matching(labels=labels, link=link)
    except (ContentError, OSError) as error:
        console.tell(f"runbooks: {error}", "error")
        return
    commander = console.console_app.commander
    if not books:
        what = f"there is no runbook {link!r}" if link else "no runbook names this"
        console.tell(f"{what}; 9 lists all")
    elif len(books) == 1 or books[0].id == link:
        commander.open_runbook(books[0].id, prefilled(pane, books[0].id, labels), labels)
    else:
        commander.choose_runbook(books, {book.id: prefilled(pane, book.id, labels) for book in books}, labels)
