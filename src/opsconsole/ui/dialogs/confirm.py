"""Yes or no."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from opsconsole.ui.dialogs.prompt import Ask

if TYPE_CHECKING:
    from opsconsole.ui.console import Console


def confirm(console: "Console", question: str, then: Callable[[], None]) -> None:
    """Ask `question`; `then` happens after `y` and enter, nothing after anything else."""

    def accept(answer: str) -> str | None:
        if answer.strip().lower() in ("y", "yes"):
            console.call_next(then)
            return None
        if answer.strip().lower() in ("n", "no", ""):
            return None
        return "y or n"

    console.ask(Ask("y/n", accept, hint=question))
