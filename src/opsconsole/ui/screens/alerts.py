"""Alerts: all of them, silences, history, receivers, whether alerting works; and one alert, with why it fires."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from opsconsole.alerts.asking import Alerts
from opsconsole.alerts.explaining import Explanation
from opsconsole.alerts.filtering import parse_filter
from opsconsole.alerts.model import Alert, Survey
from opsconsole.core.clean import clean_line
from opsconsole.runbooks.repair import Repair, runbook_for, runbook_for_all, values_of, values_of_all
from opsconsole.ui.actions import Place
from opsconsole.ui.alerts.active import ActivePage
from opsconsole.ui.alerts.choosing import alert_choices, new_silences
from opsconsole.ui.alerts.leading import Lead, leads
from opsconsole.ui.alerts.pages import PAGES
from opsconsole.ui.alerts.reason import reason_page
from opsconsole.ui.alerts.renewing import renewable
from opsconsole.ui.commands import CommandError, ranking
from opsconsole.ui.dialogs.prompt import Ask, Choice
from opsconsole.ui.lines import Lines, Span, line
from opsconsole.ui.pages.offers import Offer, offers
from opsconsole.ui.pages.page import Choice as Doable
from opsconsole.ui.screens.pages_view import FamilyView
from opsconsole.ui.screens.text import TextView
from opsconsole.ui.screens.view import View
from opsconsole.ui.working import go_on, pause

_PERIOD = 10.0
"""Seconds between two looks at why an alert fires."""
_ACK = "acknowledge"
_NOTHING = "there is nothing here to acknowledge that you have not acknowledged already; x prolongs or ends that"
_NO_ALERT = frozenset({"acknowledge", "runbook", "follow"})
_NO_CHANGE = frozenset({"acknowledge", "silence", "fix", "mark"})
_IDLE = {
    "alerts": frozenset({"silence"}), "silences": _NO_ALERT, "history": _NO_CHANGE,
    "receivers": _NO_ALERT | _NO_CHANGE, "watch": _NO_ALERT | _NO_CHANGE,
}  # fmt: skip
"""Page -> what is not worth a hint on it: there is nothing to do that with, or no room."""


class AlertsView(FamilyView):
    """Pages of the environment's alerts."""

    place: ClassVar[Place] = Place.ALERTS
    family: ClassVar[str] = "alerts"

    def __init__(self, page: str = "") -> None:
        """`page` is the id of the page to begin with."""
        super().__init__("Alerts", PAGES, page)

    @classmethod
    def opened_at(cls, page: str) -> "AlertsView":
        """All pages of alerts."""
        return cls(page)

    @classmethod
    def behind(cls, page: str, key: str) -> View | None:
        """An alert leads to why it fires."""
        return AlertView(key) if page == "alerts" else None

    def do_open(self) -> None:
        """From a group to its alerts, from an alert to why it fires; else all there is to say."""
        row, page, reading = self.table.selected_row, self._now.page, self._now.reading
        if row is None:
            return
        if isinstance(page, ActivePage) and reading is not None:
            group = page.group(reading, row.key, self._now.order)
            if group is not None:
                self._reorder(lambda shown: replace(shown.order, grouping=""))
                before = self.filter_text
                self.apply_filter(f"{before} {group.filter}".strip() if page.speaks(before) else group.filter)
            else:
                self.console.open_view(AlertView(row.key))
            return
        self.show_detail()

    def hints(self) -> list[tuple[str, str]]:
        """What can be done on this page: most of it is about alerts."""
        idle = _IDLE.get(self._spec.id, frozenset())
        return [(action, word) for action, word in super().hints() if action not in idle]

    async def _completed(self, repairs: Sequence[Repair]) -> tuple[Sequence[Repair], str]:
        """The repairs; those that change a silence can be begun anew, where somebody else changed it meanwhile."""
        if len(repairs) > 1 and any("seen" in one.arguments and "matchers" in one.arguments for one in repairs):
            raise ValueError("what a silence says is edited one at a time; several can be prolonged, or ended")
        source = await self._asked()
        return [renewable(one, source) for one in repairs], ""

    def do_acknowledge(self) -> None:
        """Say that somebody is on it: on all that are marked, else on the row."""
        shown, keys = self._now, self.chosen
        found = offers(shown.page, shown.reading, keys) if shown.reading is not None else []
        repairs = tuple(repair for one in found if one.label.startswith(_ACK) for repair in one.repairs)
        if not repairs:
            self.console.tell(_NOTHING)
            return
        work = self._fix(Offer(_ACK, repairs, len(repairs)))
        self.run_worker(work, group="fix", exclusive=True, exit_on_error=False)

    def do_silence(self) -> None:
        """Ask which alerts a new silence is to keep back, and say with every key which of now that would be."""
        survey = self._now.reading
        if not isinstance(survey, Survey):
            # Nothing is waited for: what is typed meanwhile would be keys of the list.
            self.console.tell("a new silence begins on the pages alerts and silences, once they are read")
            return

        def foresee(text: str) -> str:
            try:
                return next((one.why for one in new_silences(text, survey)), "")
            except ValueError as error:
                return str(error)

        def accept(text: str) -> str | None:
            try:
                repairs = new_silences(text, survey)
            except ValueError as error:
                return str(error)
            if not repairs:
                return "no Alertmanager is configured in this environment"
            self.console.call_next(open_repairs, self, repairs, f"Silence {text}")
            return None

        history = self.console.history("silence")
        self.console.ask(Ask("silence", accept, initial=self._filtered(), foresee=foresee, history=history))

    def _filtered(self) -> str:
        """The labels that the page is filtered by, as matchers: what one looks at is often what is meant."""
        order = self._now.order
        terms = parse_filter(order.filter) if self._spec.id == "alerts" and order.filter else ()
        return ", ".join(str(one.matcher) for one in terms if one.matcher is not None and not one.field)

    def do_runbook(self) -> None:
        """The runbook for the alert, filled in."""
        row, page, reading = self.table.selected_row, self._now.page, self._now.reading
        if row is None:
            self.console.tell("select an alert first; 9 lists all runbooks")
            return
        alert = page.alert(reading, row.key) if isinstance(page, ActivePage) and reading is not None else None
        open_runbook(self, row.labels, alert)

    def do_follow(self) -> None:
        """To what the alert is about."""
        row = self.table.selected_row
        if row is not None:
            follow(self, row.labels)


class AlertView(TextView):
    """One alert: why it fires, and all that is known of it."""

    place: ClassVar[Place] = Place.ALERT

    def __init__(self, key: str) -> None:
        """`key` is that of the alert."""
        super().__init__("Alert", self._page)
        self.key = key
        self._survey: Survey | None = None
        self._alert: Alert | None = None
        self._explained: Explanation | None = None
        self._gone = False
        self._source: Alerts | None = None
        self._wake = asyncio.Event()

    def hints(self) -> list[tuple[str, str]]:
        """What can be done about it."""
        return [(action.id, action.hint) for action in self.console.registry.at(self.place) if action.hint]

    def subtitle(self) -> str:
        """Whether it is over."""
        return "it does not fire any more" if self._gone else ""

    def entered(self) -> None:
        """Look, from now on."""
        go_on(self, self._reading, "alert")

    def left(self) -> None:
        """Ask nothing while nobody looks."""
        self.workers.cancel_group(self, "alert")

    async def _reading(self) -> None:
        source: Alerts = await self.console.session.families[AlertsView.family]()
        self._source = source
        while True:
            await self._read(source)
            await pause(_PERIOD, self._wake)
            self._wake.clear()

    async def _read(self, source: Alerts) -> None:
        survey = await source.shared_survey()
        found = next((one for one in survey.alerts if self._is(one)), None)
        self._survey, self._gone = survey, found is None
        self._alert = found or self._alert
        if self._alert is not None:
            self.title = clean_line(self._alert.name, limit=60)
            self._scroller.repaint()
            self._explained = await source.explain(self._alert, survey)
        self.console.refresh_frame()
        self._scroller.repaint()

    def _is(self, one: Alert) -> bool:
        """Whether it is the alert; by its labels, where a Prometheus that said its own only now changed the key."""
        return one.key == self.key or (self._alert is not None and one.labels == self._alert.labels)

    def _page(self, width: int) -> Lines:
        if self._survey is None:
            return (line(Span(" asking…", "dim")),)
        if self._alert is None:
            return (line(Span(" it does not fire any more", "dim")),)
        return reason_page(self._alert, self._survey, self._explained, self.console.session.glyphs, width)

    def do_refresh(self) -> None:
        """Ask again now."""
        self._wake.set()

    def do_acknowledge(self) -> None:
        """Say that somebody is on it."""
        acknowledge(self, self._choices())

    def do_fix(self) -> None:
        """Choose what is to be done about it."""
        offered = {one.label: one.repair for one in self._choices()}
        if not offered:
            self.console.tell("nothing that the console does would change that")
            return

        def choices(text: str) -> list[Choice]:
            return [Choice(name, offered[name].title) for name in ranking(text, [(one, "") for one in offered])]

        def accept(name: str) -> str | None:
            if name not in offered:
                return f"one of: {', '.join(offered)}"
            repair = offered[name] if self._source is None else renewable(offered[name], self._source)
            self.console.call_next(open_repairs, self, [repair], "")
            return None

        self.console.ask(Ask("fix", accept, choices, picks=True, hint="enter shows it; nothing runs before you say so"))

    def do_runbook(self) -> None:
        """The runbook for it, filled in."""
        open_runbook(self, self._alert.labels if self._alert is not None else {}, self._alert)

    def do_follow(self) -> None:
        """To what it is about."""
        follow(self, self._alert.labels if self._alert is not None else {})

    def _choices(self) -> list[Doable]:
        if self._alert is None or self._survey is None or self._gone:
            return []
        return alert_choices(self._alert, self._survey)


def acknowledge(view: View, choices: list[Doable]) -> None:
    """All of `choices` that are acknowledgements: one for each Alertmanager that has to be told."""
    found = [one.repair for one in choices if one.label.startswith(_ACK)]
    if found:
        open_repairs(view, found, found[0].title)
    else:
        view.console.tell(_NOTHING)


def open_repairs(view: View, repairs: Sequence[Repair], title: str) -> None:
    """Show what is to be done, as a run with a step for each."""
    from opsconsole.ui.screens.runbook import RunbookView
    from opsconsole.ui.screens.several import SeveralView

    now = view.console.session.clock()
    try:
        if len(repairs) == 1:
            one = repairs[0]
            view.console.open_view(RunbookView(runbook_for(one), values_of(one), {}, now, repair=one))
        else:
            book = runbook_for_all(repairs, title)
            view.console.open_view(SeveralView(book, values_of_all(repairs), now, lambda: None))
    except ValueError as error:
        view.console.tell(clean_line(error), "error")


def open_runbook(view: View, labels: Mapping[str, str], alert: Alert | None) -> None:
    """The runbook that the alert names in its annotations, or that names the alert."""
    from opsconsole.ui.runbook_choice import runbook_choice

    named = alert.annotations.get("runbook", "") if alert is not None else ""
    known = view.console.console_app.library.get(named) if named else None
    runbook_choice(view.console, known.id if known is not None else "", {}, labels)


def follow(view: View, labels: Mapping[str, str]) -> None:
    """Go where an alert with `labels` leads; of several places one is chosen."""
    app = view.console.console_app
    checks = app.opened.watchkeeper.latest.checks
    found = leads(labels, view.console.session.families, app.commander.databases(), checks)
    offered = {one.words: one for one in found}
    if not found:
        view.console.tell("its labels name no DAG, no table and no pane")
    elif len(offered) == 1:
        _go(view, found[0])
    else:

        def choices(text: str) -> list[Choice]:
            return [Choice(name) for name in ranking(text, [(one, "") for one in offered])]

        def accept(name: str) -> str | None:
            if name not in offered:
                return "no such place"
            view.console.call_next(_go, view, offered[name])
            return None

        view.console.ask(Ask("go to", accept, choices, picks=True))


def _go(view: View, lead: Lead) -> None:
    console = view.console
    match lead.kind:
        case "dag":
            from opsconsole.ui.screens.pipelines import DagView

            console.open_view(DagView(lead.target))
        case "database":
            try:
                console.console_app.commander.open_workbench(lead.about, lead.target)
            except CommandError as error:
                console.tell(str(error), "warn")
        case _:
            from opsconsole.ui.screens.dashboard import DashboardView

            screen = next((one for one in console.session.screens if one.id == lead.target), None)
            if screen is not None:
                console.open_view(DashboardView(screen, {}, first_pane=lead.about))
