"""A list in which rows can be marked, for one action on all of them."""

from opsconsole.ui.screens.list_view import ListView


class MarkingList(ListView):
    """Marks stay while the list is read again and sorted anew; `esc` takes them back first of all."""

    @property
    def chosen(self) -> tuple[str, ...]:
        """The keys of the rows that a key acts on: those that are marked, else that under the cursor."""
        row = self.table.selected_row
        return self.table.marked or ((row.key,) if row is not None else ())

    def do_mark(self) -> None:
        """Mark the row, or no longer, and go on to the next."""
        self.table.toggle_mark()

    def do_mark_range(self) -> None:
        """Mark what lies between the last mark and the cursor."""
        if not self.table.mark_range():
            self.console.tell(f"{self.console.registry.key('mark')} marks the first row; then go to the last one")

    def do_mark_all(self) -> None:
        """Mark all that the filter shows, or none of it."""
        self.table.mark_shown()

    def do_back(self) -> None:
        """Marks go first, then the row is let go of, then the filter, then the view."""
        if self.table.marked:
            self.table.unmark()
        else:
            super().do_back()
