"""A view that is one table: moving in it, filtering it, letting go of what is selected."""

from opsconsole.ui.dialogs.prompt import Ask
from opsconsole.ui.screens.view import View
from opsconsole.ui.widgets.live_table import LiveTable


class ListView(View):
    """What every list answers to."""

    table: LiveTable
    _filter = ""

    @property
    def filter_text(self) -> str:
        """What the list is filtered by; empty: nothing."""
        return self._filter

    @filter_text.setter
    def filter_text(self, text: str) -> None:
        self._filter = text

    def apply_filter(self, text: str) -> None:
        """Show only what `text` lets pass.

        Raises:
            ValueError: it is no filter; the one before stays.
        """
        self.table.set_filter(text)
        self.filter_text = text

    def do_filter(self) -> None:
        """Show only what matches, while it is typed."""
        before = self.filter_text

        def changed(text: str) -> None:
            try:
                self.apply_filter(text)
            except ValueError as error:
                self.console.tell(str(error), "warn")

        def accept(text: str) -> str | None:
            try:
                self.apply_filter(text)
            except ValueError as error:
                return str(error)
            return None

        console = self.console
        console.ask(
            Ask(
                "/",
                accept,
                initial=before,
                changed=changed,
                cancelled=lambda: changed(before),
                history=console.history("/"),
            )
        )

    def do_up(self) -> None:
        self.table.action_move(-1)

    def do_down(self) -> None:
        self.table.action_move(1)

    def do_page_up(self) -> None:
        self.table.action_page(-1)

    def do_page_down(self) -> None:
        self.table.action_page(1)

    def do_top(self) -> None:
        self.table.action_top()

    def do_bottom(self) -> None:
        self.table.action_bottom()

    def do_back(self) -> None:
        """Let go of the row, or of the filter, else the view before."""
        if self.table.picked:
            self.table.release()
        elif self.filter_text:
            self.apply_filter("")
        else:
            self.console.do_back()
