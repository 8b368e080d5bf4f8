"""A pane whose drawing may fail without taking the console with it."""

from opsconsole.core.clean import clean_line
from opsconsole.core.state import State
from opsconsole.ui.lines import Lines, Span, clip_line, line, state_role
from opsconsole.ui.widgets.pane import PaneView


class GuardedPane(PaneView):
    """Shows ERROR and the reason where drawing its state fails; the next state is tried again."""

    _logged = ""

    def paint(self, width: int, height: int) -> Lines:
        """The pane, or why it cannot be drawn."""
        try:
            return super().paint(width, height)
        except Exception as error:
            return self._broken(error, width)[:height]

    def _broken(self, error: Exception, width: int) -> Lines:
        reason = f"{type(error).__name__}: {error}"
        if reason != self._logged:
            from opsconsole.ui import crash

            self._logged = reason
            crash.write_log(error)
        title = line(
            Span(clean_line(self.pane.title), "title"), "  ", Span(f"! {State.ERROR}", state_role(State.ERROR))
        )
        why = line(Span(f"cannot be drawn: {clean_line(reason)}", "error"))
        return (clip_line(title, width), clip_line(why, width))
