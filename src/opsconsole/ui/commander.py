"""Carries out the `:` line, and knows what there is to complete it from."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from opsconsole.core.clean import clean_line
from opsconsole.core.problem import ContentError
from opsconsole.screens.timerange import parse_range
from opsconsole.ui.commands import Command, CommandError, Completion, completions, parse, ranking
from opsconsole.ui.dialogs.prompt import Ask, Choice
from opsconsole.ui.families import FAMILIES
from opsconsole.ui.theme import THEMES

if TYPE_CHECKING:
    from opsconsole.runbooks.model import Runbook
    from opsconsole.ui.app import OpsConsole
    from opsconsole.ui.screens.dashboard import DashboardView


class Commander:
    """The `:` line's world (see `commands.World`) and its effects."""

    def __init__(self, app: "OpsConsole") -> None:
        self._app = app

    # The world

    def screens(self) -> Sequence[tuple[str, str]]:
        """(id, title) of every screen."""
        return [(screen.id, screen.title) for screen in self._app.session.screens]

    def environments(self) -> Sequence[str]:
        """Every environment of the configuration."""
        return self._app.session.environments

    def runbooks(self) -> Sequence[tuple[str, str]]:
        """(id, title) of every runbook."""
        return [(book.id, book.title) for book in self._app.library.all()]

    def parameters(self, runbook: str) -> Sequence[str]:
        """The parameters of a runbook."""
        book = self._app.library.get(runbook)
        return [param.name for param in book.params] if book is not None else []

    def variables(self) -> Sequence[str]:
        """The variables of the screen in view."""
        dashboard = self._dashboard()
        return [variable.name for variable in dashboard.definition.variables] if dashboard is not None else []

    def values(self, variable: str) -> Sequence[str]:
        """What a variable can be set to."""
        dashboard = self._dashboard()
        return dashboard.options(variable) if dashboard is not None else []

    def themes(self) -> Sequence[str]:
        """Every theme."""
        return THEMES

    def pages(self) -> Sequence[tuple[str, str]]:
        """(id, title) of every page of the workbench."""
        from opsconsole.ui.workbench.pages import PAGES

        return [(spec.id, spec.title) for spec in PAGES]

    def family_pages(self, family: str) -> Sequence[tuple[str, str]]:
        """(id, title) of every page of a family."""
        return [(spec.id, spec.title) for spec in FAMILIES[family].specs()]

    def databases(self) -> Sequence[str]:
        """Every database of the environment."""
        known = (name.partition("/") for name in self._app.session.sources)
        return [name for kind, _, name in known if kind == "postgres" and name]

    def _dashboard(self) -> "DashboardView | None":
        from opsconsole.ui.screens.dashboard import DashboardView

        view = self._app.console_screen.view
        return view if isinstance(view, DashboardView) else None

    # The line

    def ask(self, initial: str = "") -> None:
        """Ask for a command."""
        console = self._app.console_screen

        def choices(text: str) -> list[Choice]:
            return [Choice(one.line, one.title) for one in self._completions(text)]

        hint = "tab completes   enter does it   esc leaves"
        console.ask(Ask(":", self.carry_out, choices, initial, hint=hint, history=console.history(":")))

    def _completions(self, text: str) -> list[Completion]:
        try:
            return completions(text, self)
        except ContentError:
            return []

    def carry_out(self, line: str) -> str | None:
        """Do what `line` says; what is wrong with it, or None."""
        if not line.strip():
            return None
        try:
            self._do(parse(line, self))
        except (CommandError, ContentError, ValueError) as error:
            return str(error).splitlines()[0]
        return None

    def _do(self, command: Command) -> None:
        app, console = self._app, self._app.console_screen
        match command.name:
            case "screen":
                app.open_root(dict(self.screens())[command.argument])
            case "env":
                app.enter(command.argument)
            case "theme":
                app.set_theme(command.argument)
            case "rb":
                self._open_runbook(command)
            case "db":
                database = dict(command.params).get("database", "")
                self.open_workbench(database, command.argument)
            case family if family in FAMILIES:
                self.open_family(family, command.argument)
            case "baseline":
                self._keep_baseline(command.argument)
            case "note":
                self._note(command.argument)
            case "quit":
                console.call_next(app.leave)
            case "help":
                console.call_next(console.do_help)
            case _:
                self._do_on_dashboard(command)

    def _do_on_dashboard(self, command: Command) -> None:
        dashboard = self._dashboard()
        if dashboard is None:
            raise CommandError(f":{command.name} is about a screen; go to one with 1 to 9 first")
        match command.name:
            case "set":
                ((name, value),) = command.params
                dashboard.set_variable(name, [part.strip() for part in value.split(",") if part.strip()])
            case "range":
                dashboard.set_range(parse_range(command.argument, self._app.session.clock()))
            case "filter":
                dashboard.set_filter(command.argument)
            case "pause":
                dashboard.do_pause()
            case "refresh":
                dashboard.do_refresh()

    def open_workbench(self, database: str = "", page: str = "") -> None:
        """The workbench of a database, of the first one where none is named; the one on screen turns to the page.

        Raises:
            CommandError: there is no database.
        """
        from opsconsole.ui.screens.workbench import WorkbenchView

        console, known = self._app.console_screen, self.databases()
        if not known:
            raise CommandError("no database is configured in this environment")
        view = console.view
        source = f"postgres/{database}" if database else ""
        if isinstance(view, WorkbenchView) and source in ("", view.source):
            if page:
                view.open_page(page)
            return
        if isinstance(view, WorkbenchView):
            console.close_view()
        console.open_view(WorkbenchView(source or f"postgres/{known[0]}", page))

    def open_family(self, name: str, page: str = "") -> None:
        """The pages of a family; those on screen turn to the page.

        Raises:
            CommandError: the environment has no source for it.
        """
        console, family = self._app.console_screen, FAMILIES[name]
        if name not in self._app.session.families:
            raise CommandError(family.absent)
        shown = family.view_class()
        if isinstance(console.view, shown):
            if page:
                console.view.open_page(page)
            return
        console.open_view(shown.opened_at(page))

    # Runbooks

    def _open_runbook(self, command: Command) -> None:
        if not command.argument:
            from opsconsole.ui.app import RUNBOOKS_TITLE

            self._app.open_root(RUNBOOKS_TITLE)
            return
        self.open_runbook(command.argument, dict(command.params))

    def open_runbook(self, runbook: str, params: Mapping[str, str], labels: Mapping[str, str] | None = None) -> None:
        """Put a runbook on screen, its parameters filled in as far as they are given, or named by `labels`.

        Raises:
            CommandError: there is no such runbook.
        """
        from opsconsole.ui.screens.runbook import RunbookView

        book = self._app.library.get(runbook)
        if book is None:
            raise CommandError(f"there is no runbook {runbook!r}")
        going = self._app.unfinished(book)
        if going is not None:
            self._app.console_screen.open_view(going)
            return
        view = RunbookView(book, params, labels or {}, self._app.session.clock())
        self._app.console_screen.open_view(view)

    def choose_runbook(self, books: "Sequence[Runbook]", labels: Mapping[str, str]) -> None:
        """Let the operator choose among several."""
        titles = {book.id: book.title for book in books}

        def choices(text: str) -> list[Choice]:
            return [Choice(name, titles[name]) for name in ranking(text, list(titles.items()))]

        def accept(name: str) -> str | None:
            if name not in titles:
                return "no such runbook"
            self._app.console_screen.call_next(self.open_runbook, name, {}, labels)
            return None

        self._app.console_screen.ask(Ask("runbook", accept, choices, picks=True))

    # Notes

    def ask_note(self) -> None:
        """Ask for a note to the timeline."""

        def accept(text: str) -> str | None:
            try:
                self._note(text)
            except CommandError as error:
                return str(error)
            return None

        self._app.console_screen.ask(Ask("note", accept, hint="kept in the journal with your name and the time"))

    def _keep_baseline(self, name: str) -> None:
        from opsconsole.ui.screens.workbench import WorkbenchView

        view = self._app.console_screen.view
        if not isinstance(view, WorkbenchView):
            raise CommandError("a baseline is of a database: :db queries goes there")
        if not name:
            raise CommandError("a baseline needs a name: baseline NAME")
        view.keep_baseline(name)

    def _note(self, text: str) -> None:
        if not text.strip():
            raise CommandError("a note without text")
        view = self._app.console_screen.view
        if view is not None and view.take_note(text.strip()):
            return
        if self._app.session.note is None:
            raise CommandError("there is no journal to write notes to")
        self._app.run_worker(self._written(self._app.session.note, text.strip()), group="note", exit_on_error=False)

    async def _written(self, write: Callable[[str], None], text: str) -> None:
        """Write off the loop: the journal may be on another machine."""
        try:
            await asyncio.to_thread(write, text)
        except Exception as error:
            # Whatever the journal's trouble is, a note that was not kept must be said, and is no reason to end.
            self._app.console_screen.tell(f"the note was not kept: {clean_line(error)}", "error")
        else:
            self._app.console_screen.tell("noted in the journal")
