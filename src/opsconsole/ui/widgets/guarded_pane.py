"""Panes whose drawing may fail without taking the console with it."""

from opsconsole.core.clean import clean_line
from opsconsole.core.state import State
from opsconsole.ui.lines import Lines, Span, clip_line, line, state_role
from opsconsole.ui.widgets.overview import OverviewPane
from opsconsole.ui.widgets.pane import PaneView


class GuardedPane(PaneView):
    """Shows ERROR and the reason where drawing its state fails; the next state is tried again."""

    def paint(self, width: int, height: int) -> Lines:
        """The pane, or why it cannot be drawn."""
        try:
            return super().paint(width, height)
        except Exception as error:
            return broken(self, error, width)[:height]


class GuardedOverviewPane(OverviewPane):
    """The same for the overview's panes."""

    def paint(self, width: int, height: int) -> Lines:
        """The pane, or why it cannot be drawn."""
        try:
            return super().paint(width, height)
        except Exception as error:
            return broken(self, error, width)[:height]


_logged: set[str] = set()


def broken(view: PaneView, error: Exception, width: int) -> Lines:
    """What stands in the place of a pane that cannot be drawn; each reason is logged once."""
    reason = f"{type(error).__name__}: {error}"
    if reason not in _logged and len(_logged) < 100:
        from opsconsole.ui import crash

        _logged.add(reason)
        crash.write_log(error)
    title = line(Span(clean_line(view.pane.title), "title"), "  ", Span(f"! {State.ERROR}", state_role(State.ERROR)))
    why = line(Span(f"cannot be drawn: {clean_line(reason)}", "error"))
    return (clip_line(title, width), clip_line(why, width))
