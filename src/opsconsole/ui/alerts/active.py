"""Alerts: all that Prometheus and the Alertmanagers have, what needs somebody first; one by one, or in groups."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from opsconsole.alerts import wording
from opsconsole.alerts.asking import Alerts
from opsconsole.alerts.filtering import kept, parse_filter
from opsconsole.alerts.model import Alert, AlertState, Survey
from opsconsole.alerts.needing import Need, need, needs
from opsconsole.alerts.severity import rank
from opsconsole.alerts.watchdog import watch
from opsconsole.core.duration import age_text
from opsconsole.core.state import State
from opsconsole.ui.alerts import grouping, marks
from opsconsole.ui.alerts.choosing import alert_choices, group_choices
from opsconsole.ui.alerts.grouping import Group, grouped
from opsconsole.ui.alerts.telling import alert_detail
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Choice, Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("state", "STATE", least=12),
    Column("severity", "SEVERITY", widest=10, priority=1),
    Column("alert", "ALERT", widest=36, least=14),
    Column("age", "AGE", align="right"),
    Column("why", "WHY", widest=44, priority=3),
    Column("tells", "NOTIFIES", widest=34, priority=4),
    Column("labels", "LABELS", grows=True, least=20),
)
_GROUPED = (
    Column("state", "STATE", least=11),
    Column("severity", "SEVERITY", widest=10, priority=1),
    Column("count", "ALERTS", align="right"),
    Column("told", "ACTIVE", align="right", priority=2),
    Column("age", "OLDEST", align="right"),
    Column("newest", "NEWEST", align="right", priority=3),
    Column("group", "GROUP", grows=True, least=20),
)
_OWN_LANGUAGE = re.compile(r"[\s,]*(@|[a-zA-Z_][a-zA-Z0-9_]*\s*(=|!=|!~|<|>))")


class _About(NamedTuple):
    """What the row of an alert says that the alert alone does not."""

    age: str
    why: str
    flaps: int
    state: str


_CALM = frozenset({AlertState.SUPPRESSED, AlertState.PENDING})
GROUP = "group "
"""What the keys of rows that are groups begin with."""


class ActivePage(Page[Alerts, Survey]):
    """Every alert once."""

    id = "alerts"
    title = "Alerts"
    period = 5.0
    sorts = ("trouble", "newest", "oldest", "name")
    asks_form = "group"

    def __init__(self) -> None:
        self._rows: dict[str, tuple[Alert, _About, Row]] = {}

    async def take(self, source: Alerts, before: Survey | None, order: Order) -> Survey:
        return await source.shared_survey()

    def sheet(self, reading: Survey, order: Order) -> Sheet:
        """One row an alert, or a group of them."""
        found: Sequence[Alert] = reading.alerts
        if order.filter:
            found = kept(found, parse_filter(order.filter), reading.taken_at)
        found = _sorted(found, order.sort)
        summary = _summary(reading)
        if order.filter:
            summary = f"{len(found):,} of {len(reading.alerts):,} shown   {summary}"
        if order.grouping:
            groups = grouped(found, order.grouping)
            rows = [_group_row(one, reading) for one in groups]
            return Sheet(_GROUPED, rows, f"{len(groups):,} groups   {summary}", notes=reading.notes)
        shown = {"newest": "age", "oldest": "age", "name": "alert"}.get(order.sort, "")
        rows = self._listed(found, reading)
        return Sheet(_COLUMNS, rows, summary, shown, order.sort == "oldest", reading.notes)

    def forms(self, reading: Survey) -> list[tuple[str, str]]:
        """Route groups, and each label."""
        return grouping.forms(reading)

    def check_form(self, form: str) -> None:
        """By any label."""
        grouping.label_of(form)

    def speaks(self, text: str) -> bool:
        """`alertname=~"Api.*" @state=active`; a word alone is looked for in the rows."""
        if not _OWN_LANGUAGE.match(text):
            return False
        parse_filter(text)
        return True

    def alert(self, reading: Survey, key: str) -> Alert | None:
        """The alert of that row."""
        return next((one for one in reading.alerts if key_of(one) == key), None)

    def group(self, reading: Survey, key: str, order: Order) -> Group | None:
        """The group of that row."""
        if not key.startswith(GROUP) or not order.grouping:
            return None
        found: Sequence[Alert] = reading.alerts
        if order.filter:
            found = kept(found, parse_filter(order.filter), reading.taken_at)
        return next((one for one in grouped(found, order.grouping) if key == f"{GROUP}{one.filter}"), None)

    def detail(self, reading: Survey, key: str) -> Detail | None:
        """All that the survey knows of it."""
        one = self.alert(reading, key)
        return alert_detail(one, reading) if one is not None else None

    def choices(self, reading: Survey, key: str) -> list[Choice]:
        """Acknowledge, silence, end a silence."""
        if key.startswith(GROUP):
            terms = parse_filter(key.removeprefix(GROUP))
            # A label that all of them lack is part of what they have in common: without it others would be kept back.
            given = {one.matcher.name: one.matcher.value for one in terms if not one.field and one.matcher is not None}
            return group_choices(given, kept(reading.alerts, terms, reading.taken_at), reading)
        one = self.alert(reading, key)
        return alert_choices(one, reading) if one is not None else []

    def _listed(self, found: Sequence[Alert], survey: Survey) -> list[Row]:
        """Rows; those of alerts about which nothing changed are the same as before."""
        known, now = self._rows, survey.taken_at
        names = wording.names_of(survey)
        rows: dict[str, tuple[Alert, _About, Row]] = {}
        for one in found:
            old = wording.age(one, now)
            flaps = survey.flapping.of(one.labels) if survey.flapping.times else 0
            quiet = one.seen and not (one.silenced_by or one.inhibited_by or one.missing_in or one.quiet_in)
            why = "" if quiet else wording.why_text(one, survey.silences, names, now)
            about = _About("" if old is None else age_text(old), why, flaps, _state_word(one, survey))
            key = key_of(one)
            before = known.get(key)
            same = before is not None and before[0] is one and before[1] == about
            rows[key] = before if same and before is not None else (one, about, _row(key, one, about))
        if len(rows) < len(known):  # a filter hides the others: what is known of those that are still there stays
            rest = (key_of(one) for one in survey.alerts)
            self._rows = {key: known[key] for key in rest if key in known} | rows
        else:
            self._rows = rows
        return [row for *_, row in rows.values()]


def key_of(alert: Alert) -> str:
    """What tells its row from others."""
    return alert.key


def _sorted(found: Sequence[Alert], sort: str) -> Sequence[Alert]:
    match sort:
        case "newest":
            return sorted(found, key=lambda one: -(one.started_at or 0.0))
        case "oldest":
            return sorted(found, key=lambda one: one.started_at or float("inf"))
        case "name":
            return sorted(found, key=lambda one: (one.name, rank(one.severity)))
    return found


def _summary(survey: Survey) -> str:
    found = needs(survey)
    lost = sum(one.state is AlertState.UNDELIVERED for one in survey.alerts)
    words = [f"{found[Need.OPEN]:,} open" + (f", {lost:,} of them undelivered" if lost else "")]
    words += [f"{found[one]:,} {one.value}" for one in _TAKEN if found[one]]
    if survey.flapping.times:
        words.append(f"{len(survey.flapping.times)} flapping")
    state = watch(survey).state
    said = f"dead-man's switch {state.value}"
    # What is last is cut off on a narrow terminal, and this must not be.
    return "   ".join([said, *words] if state is State.CRIT else [*words, said])


_TAKEN = (Need.ACKNOWLEDGED, Need.SILENCED, Need.INHIBITED, Need.PENDING)


def _state_word(alert: Alert, survey: Survey) -> str:
    """Its state; of what is kept back, why: on a narrow terminal there is room for nothing else."""
    return need(alert, survey).value if alert.state is AlertState.SUPPRESSED else alert.state.value


def _row(key: str, alert: Alert, about: _About) -> Row:
    old, why, flaps, state = about
    flapping = f"began {flaps + 1} times within the hour" if flaps else ""
    quiet = alert.state in _CALM
    return Row(
        key,
        (
            Cell(state, marks.state_role_of(alert)),
            marks.severity(alert),
            cells.words(alert.name, "dim" if quiet else "text", 120),
            Cell(old),
            cells.words("; ".join(part for part in (why, flapping) if part), "warn" if flaps else "dim"),
            cells.words(wording.notified_text(alert.notifies), "dim", 200),
            cells.words(wording.labels_text(alert.labels), "dim"),
        ),
        alert.labels,
    )


def _group_row(group: Group, survey: Survey) -> Row:
    worst = min(
        group.alerts, key=lambda one: (one.state in (AlertState.SUPPRESSED, AlertState.PENDING), rank(one.severity))
    )
    ages = [old for one in group.alerts if (old := wording.age(one, survey.taken_at)) is not None]
    told = sum(one.state is AlertState.ACTIVE for one in group.alerts)
    return Row(
        f"{GROUP}{group.filter}",
        (
            marks.alert_state(group.alerts[0]),
            marks.severity(worst),
            cells.count(len(group.alerts)),
            cells.count(told),
            Cell(age_text(max(ages)) if ages else ""),
            Cell(age_text(min(ages)) if ages else ""),
            cells.words(group.name),
        ),
        group.matchers,
    )
