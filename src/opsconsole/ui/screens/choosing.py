"""What a screen of panes asks: a time range, a variable's value, a filter."""

from typing import TYPE_CHECKING

from opsconsole.screens.timerange import parse_range, span_text
from opsconsole.ui.commands import ranking
from opsconsole.ui.dialogs.prompt import Ask, Choice

if TYPE_CHECKING:
    from opsconsole.ui.screens.dashboard import DashboardView

_SPANS = (900.0, 3600.0, 10800.0, 21600.0, 43200.0, 86400.0, 604800.0, 2592000.0)


def ask_time_range(view: "DashboardView") -> None:
    """A range from the list, or as it is typed."""
    spans = [(span_text(span), "") for span in _SPANS]

    def choices(text: str) -> list[Choice]:
        return [Choice(name) for name in ranking(text, spans)] if not text or text[0].isdigit() else []

    def accept(text: str) -> str | None:
        try:
            view.set_range(parse_range(text, view.console.session.clock()))
        except ValueError as error:
            return str(error)
        return None

    hint = f"now {view.feed.time.text()}; type 6h, 14:00 to 15:30, 2026-11-20 08:00 to -2h (UTC)"
    view.console.ask(Ask("range", accept, choices, picks=True, hint=hint))


def ask_variable(view: "DashboardView") -> None:
    """Which variable, where there are several, and then its value."""
    variables = view.definition.variables
    if not variables:
        view.console.tell("this screen has no variables")
        return
    if len(variables) == 1:
        _ask_value(view, variables[0].name)
        return
    titles = {variable.name: variable.title for variable in variables}

    def choices(text: str) -> list[Choice]:
        return [Choice(name, titles[name]) for name in ranking(text, list(titles.items()))]

    def accept(name: str) -> str | None:
        if name not in titles:
            return f"no variable {name!r}"
        view.call_next(_ask_value, view, name)
        return None

    view.console.ask(Ask("variable", accept, choices, picks=True))


def _ask_value(view: "DashboardView", name: str) -> None:
    known = [(option, "") for option in view.options(name)]

    def choices(text: str) -> list[Choice]:
        return [Choice(option) for option in ranking(text, known)]

    def accept(value: str) -> str | None:
        view.set_variable(name, [part.strip() for part in value.split(",") if part.strip()])
        return None

    view.console.ask(Ask(name, accept, choices, picks=True))


def ask_filter(view: "DashboardView") -> None:
    """What to show, followed while it is typed; leaving it brings back what was."""
    before, console = view.filter, view.console

    def accept(text: str) -> str | None:
        try:
            view.set_filter(text)
        except ValueError as error:
            return str(error)
        return None

    def changed(text: str) -> None:
        wrong = accept(text)
        if wrong:
            console.tell(wrong, "warn")

    history = console.history("/")
    console.ask(Ask("/", accept, initial=before, changed=changed, cancelled=lambda: changed(before), history=history))
