"""Receivers: who is notified by which route, now or at a given time, and of what."""

from collections.abc import Sequence
from dataclasses import dataclass

from opsconsole.alerts.asking import Alerts
from opsconsole.alerts.model import Alert, AlertState, DeliverySide, Survey
from opsconsole.alerts.moments import moment_of
from opsconsole.alerts.routing import Route, Routing
from opsconsole.core.clean import clean, clean_line
from opsconsole.ui.alerts.telling import moment_text
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("state", "STATE", least=6),
    Column("receiver", "RECEIVER", widest=30, least=12),
    Column("how", "HOW", widest=24, priority=1),
    Column("alerts", "ALERTS", align="right"),
    Column("muted", "MUTED BY", widest=30, priority=2),
    Column("group", "GROUPED BY", widest=24, priority=4),
    Column("again", "AGAIN EVERY", align="right", priority=5),
    Column("where", "IN", widest=16, priority=3),
    Column("route", "ROUTE", grows=True, least=20),
)
_AT = "at "
_OFFERED = (
    ("at +1h", "in an hour"),
    ("at +8h", "in eight hours"),
    ("at +12h", "in half a day"),
    ("at +1d", "tomorrow"),
)
_TOLD = frozenset({AlertState.ACTIVE, AlertState.UNPROCESSED, AlertState.UNDELIVERED, AlertState.SENDING})


@dataclass(frozen=True, slots=True)
class _Told:
    """One route of one Alertmanager, at one time."""

    key: str
    side: DeliverySide
    routing: Routing
    route: Route
    alerts: tuple[Alert, ...]
    """That it takes, and that nothing keeps back."""
    muted: tuple[str, ...]

    @property
    def integrations(self) -> tuple[str, ...]:
        """How people are told."""
        return self.routing.receivers.get(self.route.receiver, ())


class ReceiversPage(Page[Alerts, Survey]):
    """Every route of every Alertmanager."""

    id = "receivers"
    title = "Receivers"
    period = 5.0
    sorts = ("route", "alerts", "name")
    asks_form = "who is notified (at +2h, at 2026-12-24T22:00)"

    async def take(self, source: Alerts, before: Survey | None, order: Order) -> Survey:
        return await source.shared_survey()

    def sheet(self, reading: Survey, order: Order) -> Sheet:
        """One row a route."""
        at = _moment(order.grouping, reading.taken_at)
        found = _told(reading, at)
        if order.sort == "alerts":
            found.sort(key=lambda one: -len(one.alerts))
        elif order.sort == "name":
            found.sort(key=lambda one: one.route.receiver)
        rows = [_row(one, several=len(reading.sides) > 1) for one in found]
        shown = {"alerts": "alerts", "name": "receiver"}.get(order.sort, "")
        return Sheet(_COLUMNS, rows, _summary(found, at, order), shown, order.sort == "alerts", reading.notes)

    def forms(self, reading: Survey) -> Sequence[tuple[str, str]]:
        """Some times to come."""
        return _OFFERED

    def check_form(self, form: str) -> None:
        """Any time."""
        _moment(form, 0.0)

    def detail(self, reading: Survey, key: str) -> Detail | None:
        """The route in full, and every alert that it takes now."""
        one = next((told for told in _told(reading, reading.taken_at) if told.key == key), None)
        if one is None:
            return None
        route = one.route
        facts = (
            ("alertmanager", f"{one.side.name} at {one.side.place}"),
            ("how", ", ".join(one.integrations) or "nobody is told"),
            ("route", " > ".join(route.path) or "the root route"),
            ("continues", "yes: the routes after it are asked, too" if route.goes_on else ""),
            ("grouped by", ", ".join(route.group_by) or "nothing"),
            ("after", f"{route.waits[0]}, more of a group after {route.waits[1]}, again every {route.waits[2]}"),
            ("muted within", ", ".join(route.mutes)),
            ("only within", ", ".join(route.actives)),
            ("muted now by", ", ".join(one.muted)),
        )
        alerts = "\n".join(
            f"{given.name} ({given.state})  " + " ".join(f"{k}={v}" for k, v in sorted(given.labels.items()))
            for given in one.alerts
        )
        return Detail(
            f"Receiver {clean_line(route.receiver, limit=80)}",
            tuple((name, clean_line(value)) for name, value in facts if value),
            ((f"told of {len(one.alerts)} alerts", clean(alerts)),) if alerts else (),
        )


def _moment(form: str, now: float) -> float:
    if not form:
        return now
    return moment_of(form.removeprefix(_AT).strip(), now)


def _told(survey: Survey, at: float) -> list[_Told]:
    found: list[_Told] = []
    for side in survey.sides:
        if side.routing is None:
            continue
        routing = side.routing
        taken: dict[int, list[Alert]] = {}
        for alert in survey.alerts:
            if alert.state in _TOLD:
                for route in routing.routes(alert.sent_labels):
                    taken.setdefault(id(route), []).append(alert)
        for number, route in enumerate(routing.every()):
            alerts = tuple(taken.get(id(route), ()))
            found.append(_Told(f"{side.name} {number}", side, routing, route, alerts, routing.muted_by(route, at)))
    return found


def _summary(found: list[_Told], at: float, order: Order) -> str:
    receivers = {(one.side.name, one.route.receiver) for one in found}
    muted = sum(bool(one.muted) for one in found)
    when = f"as it will be {moment_text(at)}" if order.grouping else "now"
    routes = f"{len(found)} route{'' if len(found) == 1 else 's'}"
    to = f"{len(receivers)} receiver{'' if len(receivers) == 1 else 's'}"
    return f"{routes} to {to}   {muted} muted   {when}; silences are not looked at"


def _row(one: _Told, *, several: bool) -> Row:
    nobody = not one.integrations
    state = Cell("muted", "warn") if one.muted else Cell("nobody", "dim") if nobody else Cell("tells", "ok")
    return Row(
        one.key,
        (
            state,
            cells.words(one.route.receiver, limit=80),
            cells.words(", ".join(dict.fromkeys(one.integrations)) or "nobody", "dim" if nobody else "text", 80),
            cells.count(len(one.alerts), "warn" if one.alerts and (nobody or one.muted) else "text"),
            cells.words(", ".join(one.muted), "warn", 80),
            cells.words(", ".join(one.route.group_by), "dim", 80),
            cells.words(one.route.waits[2], "dim", 20),
            cells.words(one.side.name.rpartition("/")[2] if several else "", "dim", 40),
            cells.words(" > ".join(one.route.path) or "the root route", "dim"),
        ),
    )
