"""How states of runs and tasks, and bars on the axis of time, are drawn in a cell."""

from functools import cache, lru_cache
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import age_text, duration_text
from opsconsole.core.state import State
from opsconsole.pipelines.model import Told, Way
from opsconsole.pipelines.timing import Bar
from opsconsole.ui.lines import Role, Span, merged, state_role
from opsconsole.ui.table_layout import Cell

_MARKS: dict[str, tuple[str, Role]] = {
    "success": ("●", "ok"),
    "failed": ("✗", "crit"),
    "running": ("▶", "accent"),
    "queued": ("○", "dim"),
}
_ROLES: dict[str, Role] = {
    "success": "ok",
    "failed": "crit",
    "upstream_failed": "warn",
    "running": "accent",
    "restarting": "accent",
    "deferred": "accent",
    "up_for_retry": "warn",
    "up_for_reschedule": "dim",
    "skipped": "dim",
    "removed": "dim",
    "queued": "dim",
    "scheduled": "dim",
}
AXES = (36, 20, 12)
"""Cells of the axis of time: the widest for which there is room."""


@lru_cache(10_000)
def strip(states: tuple[str, ...]) -> Cell:
    """The states of the latest runs, the newest right: ● succeeded, ✗ failed, ▶ goes on, ○ waits."""
    marks = [_MARKS.get(state, ("?", "dim")) for state in states]
    return Cell("".join(mark for mark, _ in marks), spans=tuple(merged([Span(mark, role) for mark, role in marks])))


def run_state(state: str) -> Cell:
    """The state of a run or a task, in words."""
    return Cell(clean_line(state or "none", limit=40), _ROLES.get(state, "text"))


@cache
def judged(state: State) -> Cell:
    """A state of ours."""
    return Cell(state.value, state_role(state))


def scale(wall: float, axis: int) -> str:
    """The title of an axis of time of `axis` cells, on which `wall` seconds are: from 0 to their end."""
    end = duration_text(wall)
    line = "─" * (axis - len(end) - 3)
    return f"0 {line} {end}" if line else end[:axis]


def bar(one: Bar, wall: float, axis: int) -> Cell:
    """A task on an axis of time of `axis` cells, `wall` seconds long: dots while it waited, blocks while it ran.

    What decided when the run ended is bright, the rest is not; what failed is red.
    """
    if one.start is None or one.end is None or wall <= 0:
        return Cell("")
    per_second = axis / wall
    start = min(axis - 1, round(one.start * per_second))
    end = min(axis, max(round(one.end * per_second), start + 1))
    waited = min(start, max(0, round(one.queued * per_second))) if one.queued is not None else start
    role: Role = "crit" if one.task.state == "failed" else "accent" if one.critical else "dim"
    spans = (Span(" " * waited), Span("·" * (start - waited), "dim"), Span("█" * (end - start), role))
    return Cell("".join(span.text for span in spans), spans=tuple(span for span in spans if span.text))


def length(seconds: float | None, longest: float, role: Role, cells: int = 20) -> Cell:
    """A duration as a bar against the longest one."""
    if seconds is None or longest <= 0:
        return Cell("")
    return Cell("█" * max(1, round(seconds / longest * cells)), role)


def moment(then: float | None, now: float) -> Cell:
    """How long ago, or in how long."""
    if then is None:
        return Cell("")
    return Cell(f"in {age_text(then - now)}" if then > now else age_text(now - then))


def coming(then: float | None, now: float) -> Cell:
    """In how long what is still to come is due; `5m ago`: it was, and did not come."""
    due = moment(then, now)
    return due if then is None or then > now else Cell(f"{due.text} ago")


def notes_of(told: Told[Any], more: str = "") -> tuple[str, ...]:
    """What has to be known of where a reading comes from; `more` where it is not all."""
    return (*told.origin.notes, *((more,) if told.cut and more else ()))


def origin(told: Told[Any]) -> str:
    """Airflow's version, the way, and how far its clock is off ours."""
    if told.origin.way is Way.METRICS:
        return f"from metrics ({told.origin.version})"
    way = "" if told.origin.way is Way.API else ", from its metadata database"
    clock = ""
    if told.ahead:
        clock = f", its clock {duration_text(abs(told.ahead))} {'ahead' if told.ahead > 0 else 'behind'}"
    return f"Airflow {told.origin.version}{way}{clock}"
