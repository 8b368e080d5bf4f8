"""What a run of a DAG is to be given, before it is shown as a request."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult

from opsconsole.core.clean import clean_line
from opsconsole.pipelines.model import DagParam
from opsconsole.ui.actions import Place
from opsconsole.ui.lines import Lines, Span, line
from opsconsole.ui.pipelines.typed_params import conf_typed, form_params, judged
from opsconsole.ui.screens.param_form import ParamForm
from opsconsole.ui.screens.view import View
from opsconsole.ui.widgets.canvas import Canvas


class TriggerFormView(View):
    """A field for each parameter of the DAG; `enter` checks them all, and goes on where nothing is wrong."""

    place: ClassVar[Place] = Place.RUN

    DEFAULT_CSS = "TriggerFormView Canvas { width: 100%; height: 1fr; }"

    def __init__(self, dag_id: str, params: Sequence[DagParam], now: float, then: Callable[[str], None]) -> None:
        """`then` is called with the configuration as JSON, empty where it is that of the defaults."""
        super().__init__()
        self.title = f"Trigger {clean_line(dag_id, limit=60)}"
        self._params = tuple(params)
        self._form = ParamForm(
            form_params(params), {}, {}, now, judge=lambda param, text: judged(self._params, param.name, text)
        )
        self._then = then
        self._canvas = Canvas(self._paint)

    def compose(self) -> ComposeResult:
        yield self._canvas

    def entered(self) -> None:
        """Keys come here directly."""
        self.console.set_focus(None)

    def hints(self) -> list[tuple[str, str]]:
        """Go on, or leave it."""
        return [("run-step", "check and go on"), ("back", "leave it")]

    def take_key(self, event: events.Key) -> bool:
        """Everything that is typed goes into the form."""
        if event.key == "escape":
            self.console.do_back()
            return True
        if event.key.startswith("ctrl+") and event.key not in ("ctrl+w", "ctrl+u", "ctrl+k", "ctrl+e", "ctrl+h"):
            return False
        if self._form.press(event):
            conf = conf_typed(self._params, self._form.values)
            if not conf.wrong:  # otherwise the form has said what is wrong with which
                self._then(conf.text)
                return True
            self.console.tell("; ".join(map(str, conf.wrong)), "error")
        self._canvas.repaint()
        return True

    def take_paste(self, text: str) -> bool:
        """Into the field that is being typed into."""
        self._form.paste(text)
        self._canvas.repaint()
        return True

    def _paint(self, width: int, height: int) -> Lines:
        said = line(
            Span(f" {self.title}", "title"), Span("   nothing is sent before you have seen it and said so", "dim")
        )
        return (said, (), *self._form.lines(width, height - 2))
