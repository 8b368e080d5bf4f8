"""From what is selected to the runbook for it: one opens, of several one is chosen, none is said."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opsconsole.core.problem import ContentError

if TYPE_CHECKING:
    from opsconsole.ui.console import Console


def runbook_choice(console: "Console", link: str, params: Mapping[str, str], labels: Mapping[str, str]) -> None:
    """Open the runbook that `link` names, `params` filled in, or else one that says it is for `labels`.

    The runbook's own `from_label` parameters are filled from `labels` on top.
    """
    try:
        books = console.console_app.library.matching(labels=labels, link=link)
    except (ContentError, OSError) as error:
        console.tell(f"runbooks: {error}", "error")
        return
    commander = console.console_app.commander
    if not books:
        what = f"there is no runbook {link!r}" if link else "no runbook names this"
        console.tell(f"{what}; 9 lists all")
    elif len(books) == 1 or books[0].id == link:
        commander.open_runbook(books[0].id, params if books[0].id == link else {}, labels)
    else:
        commander.choose_runbook(books, labels)
