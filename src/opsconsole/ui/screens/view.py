"""What every view between header and key line has in common."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.widget import Widget

from opsconsole.ui.actions import Place

if TYPE_CHECKING:
    from opsconsole.runbooks.model import Runbook
    from opsconsole.screens.overview import Overview
    from opsconsole.ui.console import Console


class View(Widget):
    """One body of the console. Actions of the registry reach it as `do_ID`."""

    DEFAULT_CSS = """
    View { width: 100%; height: 1fr; }
    """

    place: ClassVar[Place]

    title: str = ""
    """For tabs and crumbs; clean."""
    composed = False
    """Whether it has its widgets by now."""

    @property
    def console(self) -> "Console":
        """The screen around this view."""
        return cast("Console", self.screen)

    def on_mount(self) -> None:
        """Everything in it is composed: begin after it was painted for the first time."""
        self.composed = True
        self.call_after_refresh(self.console.arrived, self)

    def entered(self) -> None:
        """It has come into sight: start what costs something."""

    def left(self) -> None:
        """It is out of sight: stop what costs something."""

    def closed(self) -> None:
        """It will not come back."""

    @property
    def kept(self) -> bool:
        """Whether it has to stay when something else is looked at: something goes on in it."""
        return False

    def matches(self, book: "Runbook") -> bool:
        """Whether this is the unfinished walk of a runbook."""
        return False

    def shows_run(self, run: str) -> bool:
        """Whether this is the view of the run with that id."""
        return False

    def show_overview(self, overview: "Overview") -> None:
        """The checks of all screens have been judged again."""

    def take_note(self, text: str) -> bool:
        """Whether the view keeps a note itself, with the run it shows."""
        return False

    def busy(self) -> str | None:
        """What is under way here that leaving the program would stop; None for nothing."""
        return None

    async def conclude(self) -> None:
        """The program is ending: stop what runs, and have it recorded."""

    def take_key(self, event: events.Key) -> bool:
        """Whether the view takes a key for itself, before the registry is asked: something is being typed."""
        return False

    def take_paste(self, text: str) -> bool:
        """Whether the view takes pasted text."""
        return False

    def hints(self) -> list[tuple[str, str]]:
        """(action id, word) for the key line, most useful first."""
        return [(action.id, action.hint) for action in self.console.registry.at(self.place) if action.hint]

    def subtitle(self) -> str:
        """What stands at the right end of the tabs line."""
        return ""

    def do_page_on(self) -> None:
        """One page down, by the space bar; nothing where there are no pages."""
        page_down = getattr(self, "do_page_down", None)
        if page_down is not None:
            page_down()

    def tick(self, now: float) -> None:
        """A second has passed; ages and elapsed times may have changed."""
