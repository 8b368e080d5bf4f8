"""Silences: what each keeps back now, who made it and why, and which end soon or match nothing."""

from opsconsole.alerts.asking import Alerts
from opsconsole.alerts.keeping import mine
from opsconsole.alerts.matching import all_hold
from opsconsole.alerts.model import Alert, AlertState, Silence, Survey
from opsconsole.core.clean import clean, clean_line
from opsconsole.ui.alerts import marks
from opsconsole.ui.alerts.choosing import silence_choices
from opsconsole.ui.alerts.telling import moment_text
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Choice, Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("state", "STATE", least=8),
    Column("ends", "ENDS", align="right"),
    Column("alerts", "ALERTS", align="right"),
    Column("by", "BY", widest=16, priority=1),
    Column("age", "MADE", align="right", priority=3),
    Column("where", "IN", widest=20, priority=4),
    Column("comment", "COMMENT", widest=44, least=12, priority=2),
    Column("matchers", "MATCHERS", grows=True, least=24),
)
_SOON = 15 * 60.0
_EXPIRED = "with expired ones"
_KEPT = 24 * 3600.0
"""Seconds for which expired ones are listed."""


class SilencesPage(Page[Alerts, Survey]):
    """Those of all Alertmanagers."""

    id = "silences"
    title = "Silences"
    period = 5.0
    sorts = ("ends", "alerts", "who")
    groupings = (_EXPIRED,)

    async def take(self, source: Alerts, before: Survey | None, order: Order) -> Survey:
        return await source.shared_survey()

    def sheet(self, reading: Survey, order: Order) -> Sheet:
        """One row a silence, what ends next first."""
        now = reading.taken_at
        held = _held(reading)
        found = [one for one in reading.silences.values() if one.state != "expired"]
        if order.grouping == _EXPIRED:
            gone = [one for one in reading.silences.values() if one.state == "expired"]
            found += [one for one in gone if now - (one.ends_at or 0.0) <= _KEPT]
        match order.sort:
            case "alerts":
                found.sort(key=lambda one: -len(held.get(one.id, ())))
            case "who":
                found.sort(key=lambda one: (one.created_by, one.ends_at or 0.0))
            case _:
                found.sort(key=lambda one: (one.state == "expired", one.ends_at or float("inf")))
        places: dict[str, list[str]] = {one.id: [] for one in found}
        for side in reading.sides:
            for silence in side.silences:
                if silence.id in places:
                    places[silence.id].append(side.name.rpartition("/")[2])
        rows = [_row(one, held.get(one.id, []), places[one.id], reading) for one in found]
        shown = {"ends": "ends", "alerts": "alerts", "who": "by"}[order.sort]
        summary = _summary(found, held, now, reading.keeps)
        return Sheet(_COLUMNS, rows, summary, shown, order.sort == "alerts", reading.notes)

    def detail(self, reading: Survey, key: str) -> Detail | None:
        """The silence in full, and every alert that it keeps back."""
        one = reading.silences.get(key)
        if one is None:
            return None
        facts = (
            ("state", one.state),
            ("from", moment_text(one.starts_at)),
            ("until", moment_text(one.ends_at)),
            ("by", one.created_by),
            ("comment", one.comment),
            ("prolonged", _kept(one, reading)),
            ("id", one.id),
        )
        held = _held(reading).get(key, [])
        would = [] if held else _fitting(one, reading)
        parts = [("matchers", "\n".join(map(str, one.matchers)))]
        if held:
            parts.append((f"keeps back {_many(held)}", "\n".join(_line(given) for given in held)))
        elif would:
            parts.append((f"fits {_many(would)} of now", "\n".join(_line(given) for given in would)))
        return Detail(
            "Acknowledgement" if one.acknowledges else "Silence",
            tuple((name, clean_line(value)) for name, value in facts if value),
            tuple((name, clean(text)) for name, text in parts),
        )

    def choices(self, reading: Survey, key: str) -> list[Choice]:
        """Longer, otherwise, or no more."""
        one = reading.silences.get(key)
        return silence_choices(one, reading) if one is not None else []


def _many(alerts: list[Alert]) -> str:
    return f"{len(alerts)} alert{'' if len(alerts) == 1 else 's'}"


def _kept(silence: Silence, survey: Survey) -> str:
    """By whom, while its alert fires."""
    if not silence.acknowledges or silence.state != "active":
        return ""
    if mine(silence, survey.keeps):
        return "by this console, while it is open and the alert fires; ended when that is over"
    return "not by this console: whoever made it, or a program that knows ACK!, may do that"


def _held(survey: Survey) -> dict[str, list[Alert]]:
    """Silence -> the alerts that Alertmanager says it keeps back."""
    held: dict[str, list[Alert]] = {}
    for alert in survey.alerts:
        for identity in alert.silenced_by:
            held.setdefault(identity, []).append(alert)
    return held


def _fitting(silence: Silence, survey: Survey) -> list[Alert]:
    return [one for one in survey.alerts if all_hold(silence.matchers, one.sent_labels)]


def _soon(silence: Silence, held: list[Alert], now: float, keeps: str) -> bool:
    """Whether its alerts will be told again soon: of what `keeps` (this console's operator) acknowledged, it is
    prolonged before that."""
    lasts = mine(silence, keeps) or silence.ends_at is None
    return bool(held) and not lasts and 0 <= (silence.ends_at or 0.0) - now <= _SOON


def _summary(found: list[Silence], held: dict[str, list[Alert]], now: float, keeps: str) -> str:
    live = [one for one in found if one.state == "active"]
    acks = sum(one.acknowledges for one in live)
    idle = sum(not held.get(one.id) for one in live)
    soon = sum(_soon(one, held.get(one.id, []), now, keeps) for one in live)
    waiting = sum(one.state == "pending" for one in found)
    words = [f"{len(live)} active", f"{acks} of them acknowledgements" if acks else ""]
    words += [f"{waiting} not begun" if waiting else "", f"{soon} end soon" if soon else ""]
    words.append(f"{idle} match nothing" if idle else "")
    if any(mine(one, keeps) for one in live):
        words.append("yours are prolonged while they fire and this console is open")
    return "   ".join(word for word in words if word)


def _row(one: Silence, held: list[Alert], places: list[str], survey: Survey) -> Row:
    now, over = survey.taken_at, one.state == "expired"
    matters = not mine(one, survey.keeps) and any(given.state is AlertState.SUPPRESSED for given in held)
    state = "ack" if one.acknowledges and not over else one.state
    nothing = one.state == "active" and not held
    return Row(
        one.id,
        (
            Cell(state, "dim" if over else "accent" if one.acknowledges else "text"),
            marks.until(one.ends_at, now, matters=matters),
            Cell("nothing", "warn") if nothing else cells.count(len(held)),
            cells.words(one.created_by, "dim" if over else "text", 60),
            cells.ago(one.starts_at, now) if one.starts_at is not None and one.starts_at <= now else Cell(""),
            cells.words(", ".join(places), "dim", 60),
            cells.words(one.comment, "dim" if over else "text", 200),
            cells.words(", ".join(map(str, one.matchers)), "dim"),
        ),
    )


def _line(alert: Alert) -> str:
    labels = " ".join(f"{name}={value}" for name, value in sorted(alert.labels.items()) if name != "alertname")
    return f"{alert.name} ({alert.state}) {labels}"
