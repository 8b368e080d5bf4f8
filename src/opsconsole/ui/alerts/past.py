"""History: what fired within a day or a week, from when to when, and how long it took to get right again."""

from collections.abc import Sequence
from dataclasses import dataclass

from opsconsole.alerts import wording
from opsconsole.alerts.asking import Alerts
from opsconsole.alerts.episodes import Episode, History, key_of, mean_time_to_repair
from opsconsole.alerts.model import Survey
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import age_text, duration_text
from opsconsole.ui.alerts import marks
from opsconsole.ui.alerts.telling import moment_text
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("state", "STATE", least=8),
    Column("severity", "SEVERITY", widest=10, priority=2),
    Column("alert", "ALERT", widest=36, least=14),
    Column("fired", "FIRED", align="right"),
    Column("lasted", "LASTED", align="right"),
    Column("times", "TIMES", align="right", priority=3),
    Column("labels", "LABELS", grows=True, least=20),
)
_BY_ALERT = (
    Column("alert", "ALERT", widest=44, least=14),
    Column("severity", "SEVERITY", widest=10, priority=2),
    Column("episodes", "EPISODES", align="right"),
    Column("open", "OPEN", align="right", priority=3),
    Column("mttr", "MTTR", align="right"),
    Column("lasted", "IN ALL", align="right"),
    Column("longest", "LONGEST", align="right", priority=2),
    Column("last", "LAST", align="right"),
    Column("rest", "", grows=True),
)
_DAY = 86_400.0
_BY, _WEEK, _WEEK_BY = "by alert", "last 7 days", "last 7 days by alert"
_ALERT = "alert "


@dataclass(frozen=True, slots=True)
class PastReading:
    """What fired, as it was known at a time."""

    history: History
    survey: Survey
    window: float


class HistoryPage(Page[Alerts, PastReading]):
    """Episodes."""

    id = "history"
    title = "History"
    period = 60.0
    sorts = ("newest", "longest", "name")
    groupings = (_BY, _WEEK, _WEEK_BY)

    async def take(self, source: Alerts, before: PastReading | None, order: Order) -> PastReading:
        window = 7 * _DAY if order.grouping.startswith(_WEEK) else _DAY
        survey = await source.shared_survey()
        return PastReading(await source.history(window, survey), survey, window)

    def sheet(self, reading: PastReading, order: Order) -> Sheet:
        """One row an episode, or an alert with all of its."""
        found = list(reading.history.episodes)
        now = reading.history.end
        if order.grouping in (_BY, _WEEK_BY):
            rows = _by_alert(found, now, order.sort)
            shown = {"longest": "lasted", "name": "alert"}.get(order.sort, "episodes")
            return Sheet(_BY_ALERT, rows, _summary(reading), shown, order.sort != "name", _notes(reading))
        match order.sort:
            case "longest":
                found.sort(key=lambda one: -one.seconds(now))
            case "name":
                found.sort(key=lambda one: (one.name, -one.fired_at))
        shown = {"longest": "lasted", "name": "alert"}.get(order.sort, "fired")
        rows = [_row(one, now) for one in found]
        return Sheet(_COLUMNS, rows, _summary(reading), shown, order.sort == "longest", _notes(reading))

    def detail(self, reading: PastReading, key: str) -> Detail | None:
        """All episodes of the alert of that row."""
        found = _of(reading.history.episodes, key)
        if not found:
            return None
        now, latest = reading.history.end, found[0]
        mean = mean_time_to_repair(found)
        longest = max(found, key=lambda one: one.seconds(now))
        facts = (
            ("episodes", f"{len(found)} within {duration_text(reading.window)}"),
            ("mean time to repair", duration_text(mean) if mean is not None else "none has ended"),
            ("longest", f"{duration_text(longest.seconds(now))}, from {moment_text(longest.fired_at)}"),
            ("exact to", duration_text(reading.history.step)),
        )
        labels = "\n".join(f"{name}={value}" for name, value in sorted(latest.labels.items()))
        listed = "\n".join(episode_line(one, now) for one in found[:200])
        parts = (("episodes", listed), *((("labels", clean(labels)),) if not key.startswith(_ALERT) else ()))
        return Detail(clean_line(latest.name, limit=120), facts, parts)


def episode_line(one: Episode, now: float) -> str:
    """`2026-11-29 12:00:00 UTC   4m 10s   began 3 times`."""
    lasted = duration_text(one.seconds(now))
    again = f"   began {one.times} times" if one.times > 1 else ""
    return f"{moment_text(one.fired_at)}   {lasted}{' and goes on' if one.ended_at is None else ''}{again}"


def _of(episodes: Sequence[Episode], key: str) -> list[Episode]:
    if key.startswith(_ALERT):
        return [one for one in episodes if one.name == key.removeprefix(_ALERT)]
    chosen = next((one for one in episodes if _key(one) == key), None)
    same = key_of(chosen.labels) if chosen is not None else None
    return [one for one in episodes if key_of(one.labels) == same]


def _key(one: Episode) -> str:
    return f"{one.fired_at:.0f} {wording.labels_text(one.labels, ())}"


def _summary(reading: PastReading) -> str:
    history = reading.history
    closed = history.closed
    mean = mean_time_to_repair(closed)
    repaired = f"mean time to repair {duration_text(mean)} of {len(closed):,} that ended   " if mean is not None else ""
    span = "7 days" if reading.window > _DAY else "day"
    going = len(history.episodes) - len(closed)
    exact = f"exact to {duration_text(history.step)}"
    count = f"{len(history.episodes):,} episode{'' if len(history.episodes) == 1 else 's'}"
    return f"{count} in the last {span}   {going} still firing   {repaired}{exact}"


def _notes(reading: PastReading) -> tuple[str, ...]:
    return (*reading.survey.notes, *reading.history.notes)


def _row(one: Episode, now: float) -> Row:
    severity = one.labels.get("severity", "")
    firing = one.ended_at is None
    role = marks.severity_role(severity) if firing else "dim"
    return Row(
        _key(one),
        (
            Cell("firing" if firing else "resolved", role),
            Cell(severity, marks.severity_role(severity) if firing else "text"),
            cells.words(one.name, limit=120),
            cells.ago(one.fired_at, now),
            cells.lasting(one.seconds(now)),
            Cell(f"×{one.times}", "warn") if one.times > 1 else Cell(""),
            cells.words(wording.labels_text(one.labels), "dim"),
        ),
        one.labels,
    )


def _by_alert(found: Sequence[Episode], now: float, sort: str) -> list[Row]:
    named: dict[str, list[Episode]] = {}
    for one in found:
        named.setdefault(one.name, []).append(one)
    ordered = sorted(named.items(), key=lambda item: (-len(item[1]), item[0]))
    if sort == "name":
        ordered.sort(key=lambda item: item[0])
    elif sort == "longest":
        ordered.sort(key=lambda item: -sum(one.seconds(now) for one in item[1]))
    return [_alert_row(name, given, now) for name, given in ordered]


def _alert_row(name: str, found: Sequence[Episode], now: float) -> Row:
    severity = found[0].labels.get("severity", "")
    going = sum(one.ended_at is None for one in found)
    return Row(
        f"{_ALERT}{name}",
        (
            cells.words(name, limit=120),
            Cell(severity, marks.severity_role(severity) if going else "text"),
            cells.count(len(found)),
            Cell(str(going), "warn") if going else Cell(""),
            cells.lasting(mean_time_to_repair(found)),
            cells.lasting(sum(one.seconds(now) for one in found)),
            cells.lasting(max(one.seconds(now) for one in found)),
            Cell(age_text(max(0.0, now - found[0].fired_at))),
            Cell(""),
        ),
        {"alertname": name},
    )
