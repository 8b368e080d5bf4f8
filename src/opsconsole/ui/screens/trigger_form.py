"""What runs of DAGs are to be given, before they are shown as requests."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult

from opsconsole.core.clean import clean_line
from opsconsole.ui.actions import Place
from opsconsole.ui.lines import Line, Lines, Span, fit_line, line
from opsconsole.ui.pipelines.typed_params import TypedParams
from opsconsole.ui.screens.param_form import ParamForm
from opsconsole.ui.screens.view import View
from opsconsole.ui.widgets.canvas import Canvas

Then = Callable[[Mapping[str, str], Mapping[str, str]], None]
_MISFITS = 6
"""Lines for those that it does not suit."""


class TriggerFormView(View):
    """A field for each parameter that all the DAGs have, and one for JSON; `enter` checks them for each DAG.

    Where they suit some of several DAGs only, the others are named first, and a second `enter` goes on without them.
    """

    place: ClassVar[Place] = Place.RUN

    DEFAULT_CSS = "TriggerFormView Canvas { width: 100%; height: 1fr; }"

    def __init__(self, asked: TypedParams, now: float, then: Then) -> None:
        """`then` is called with DAG id -> its configuration as JSON (empty where it is that of the defaults), and
        DAG id -> why nothing is sent to it."""
        super().__init__()
        self._dags = [*asked.of, *asked.unread]
        one = clean_line(self._dags[0], limit=60)
        self.title = f"Trigger {one}" if len(self._dags) == 1 else f"Trigger {len(self._dags)} DAGs"
        self._asked = asked
        self._form = ParamForm(asked.params, {}, {}, now, judge=lambda param, text: asked.judged(param.name, text))
        self._then = then
        self._misfits: Mapping[str, str] = dict(asked.unread)
        self._said: tuple[Mapping[str, str], Mapping[str, str]] | None = None
        """The values of which it was said whom they do not suit."""
        self._canvas = Canvas(self._paint)

    def compose(self) -> ComposeResult:
        yield self._canvas

    def entered(self) -> None:
        """Keys come here directly."""
        self.console.set_focus(None)

    def hints(self) -> list[tuple[str, str]]:
        """Go on, or leave it."""
        fit = len(self._dags) - len(self._misfits)
        word = f"go on with the {fit} that fit" if self._said is not None else "check and go on"
        return [("run-step", word), ("back", "leave it")]

    def take_key(self, event: events.Key) -> bool:
        """Everything that is typed goes into the form."""
        if event.key == "escape":
            self.console.do_back()
            return True
        if event.key.startswith("ctrl+") and event.key not in ("ctrl+w", "ctrl+u", "ctrl+k", "ctrl+e", "ctrl+h"):
            return False
        if self._form.press(event):
            self._check()
        self._canvas.repaint()
        return True

    def take_paste(self, text: str) -> bool:
        """Into the field that is being typed into."""
        self._form.paste(text)
        self._canvas.repaint()
        return True

    def _check(self) -> None:
        """Go on with those that the values suit, once it was said whom they do not."""
        typed = dict(self._form.values)
        confs = self._asked.confs(typed)
        self._misfits = self._asked.misfits(confs)
        sent = {dag: conf.text for dag, conf in confs.items() if not conf.wrong}
        now = (typed, self._misfits)
        if sent and (not self._misfits or self._said == now):
            self._then(sent, self._misfits)
            return
        self._said = now if sent else None
        if sent:
            self.console.tell(f"they suit {len(sent)} of {len(self._dags)}; enter again goes on with these", "warn")
        else:
            self.console.tell("; ".join(dict.fromkeys(self._misfits.values())), "error")
        self.console.refresh_frame()

    def _paint(self, width: int, height: int) -> Lines:
        safe = "nothing is sent before you have seen it and said so"
        head = [line(Span(f" {self.title}", "title"), Span(f"   {safe}", "dim")), (), *self._misfit_lines(width)]
        return (*head, *self._form.lines(width, height - len(head)))

    def _misfit_lines(self, width: int) -> list[Line]:
        if not self._misfits or len(self._dags) == 1:
            return []
        listed = list(self._misfits.items())
        shown = listed if len(listed) <= _MISFITS else listed[: _MISFITS - 1]
        found = [line(Span(f" NOTHING IS SENT TO {len(listed)} OF {len(self._dags)}", "heading"))]
        for dag, why in shown:
            found.append(fit_line(line(Span(f"   {clean_line(dag, limit=40)}  ", "strong"), Span(why, "warn")), width))
        if len(shown) < len(listed):
            found.append(line(Span(f"   and {len(listed) - len(shown)} more", "dim")))
        return [*found, ()]
