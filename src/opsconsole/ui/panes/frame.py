"""What all panes have in common: the title line, and what stands there instead of values that are not there.

Calm when all is well: a title, nothing else. Otherwise the title says the state, the age of what is shown, why
nothing newer is there, and what to do next.
"""

from collections.abc import Callable, Sequence

from opsconsole.core.duration import age_text, duration_text
from opsconsole.core.state import State
from opsconsole.screens.definition import Kind
from opsconsole.screens.evaluation import PaneState
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import (
    Line,
    Lines,
    Span,
    clip_line,
    in_role,
    line,
    line_width,
    spread,
    state_role,
    truncate,
    width_of,
    wrapped,
)
from opsconsole.ui.panes.looking import Body, Looking, page_of, shown_items

_AGE_STEP = 5
"""Seconds in which young ages and countdowns advance: each step is written to the terminal."""

_LISTS = frozenset({Kind.STATUS, Kind.TABLE, Kind.BARS})

Places = Callable[[PaneState, int, int, Looking], int]
"""From state, width, height and looking to the number of items that are in view at once."""


def framed(
    state: PaneState,
    width: int,
    height: int,
    glyphs: Glyphs,
    now: float,
    looking: Looking,
    body: Body,
    places: Places | None = None,
) -> Lines:
    """A pane in at most `height` lines of at most `width` cells: its title, and `body` or why there is none."""
    if width <= 0 or height <= 0:
        return ()
    rest = height - 1
    extent = ""
    if places is not None and rest > 0 and _has_values(state):
        extent = _extent(state, places(state, width, _room(state, rest), looking), glyphs, looking)
    title = title_line(state, width, glyphs, now, looking, extent)
    if rest == 0:
        return (title,)
    if not _has_values(state):
        return (title, *_reason(state, width, rest, now))
    lines = tuple(_drawn(state, width, rest, glyphs, now, looking, body))
    return (title, *(clip_line(one, width, glyphs.ellipsis) for one in lines[:rest]))


def _drawn(
    state: PaneState, width: int, rest: int, glyphs: Glyphs, now: float, looking: Looking, body: Body
) -> Sequence[Line]:
    if state.state is not State.STALE:
        return body(state, width, rest, glyphs, now, looking)
    # The last good values stay, without any colour that could be taken for news; below, why there is nothing newer.
    why = trouble(state, width, now)
    room = _room(state, rest)
    greyed = [
        one if any(span.role == "cursor" for span in one) else in_role(one, "dim")
        for one in body(state, width, room, glyphs, now, looking)
    ]
    if room == rest:
        return greyed
    greyed += [()] * (room - len(greyed))
    return [*greyed[:room], (Span(truncate(why, width, glyphs.ellipsis), "stale"),)]


def _room(state: PaneState, rest: int) -> int:
    """Lines for values: a stale pane gives its last one to the reason."""
    return rest - 1 if state.state is State.STALE and state.error and rest > 2 else rest


def _extent(state: PaneState, places: int, glyphs: Glyphs, looking: Looking) -> str:
    """Which part of a list is in view, where it is not all of it."""
    items = shown_items(state, looking)
    if len(items) <= places or places <= 0:
        return ""
    first, page = page_of(items, looking.key, places)
    return f"{first + 1}{glyphs.minus}{first + len(page)} of {len(items)}"


def title_line(state: PaneState, width: int, glyphs: Glyphs, now: float, looking: Looking, extent: str = "") -> Line:
    """Title, state (unless all is well), age (unless fresh), counts; at the right end the next useful action."""
    title = state.pane.title or state.pane.id
    badge: Line = ()
    if state.state is not State.OK and not state.waiting:
        badge = line("  ", Span(glyphs.badge(state.state), state_role(state.state)))
    notes = [f"  {note}" for note in _notes(state, now, looking, extent)]
    # The state is what must be read; the title gives way first, notes are left out one by one before that.
    while notes and len(title) + line_width(badge) + sum(map(len, notes)) > width:
        notes.pop()
    name = truncate(title, max(4, width - line_width(badge)), glyphs.ellipsis)
    left = line(
        Span(name, "title-focus" if looking.focused else "title"), *badge, *(Span(note, "dim") for note in notes)
    )
    action: Line = ()
    if looking.runbook and state.state not in (State.OK, State.UNKNOWN):
        action = line(Span("b", "key"), Span(f" {looking.runbook}", "dim"))
    if action and line_width(left) + line_width(action) + 3 <= width:
        return spread(left, action, width, glyphs.ellipsis)
    return clip_line(left, width, glyphs.ellipsis)


def _notes(state: PaneState, now: float, looking: Looking, extent: str) -> list[str]:
    notes = []
    age = _age(state, now)
    if state.state is State.STALE and age is not None:
        notes.append(f"{_young(age)} old")
    if state.pane.kind in _LISTS:
        notes += _counts(state, looking, extent)
    elif extent:
        notes.append(extent)
    if looking.filter:
        notes.append(f"filter {looking.filter}")
    if state.warnings:
        notes.append("1 warning" if len(state.warnings) == 1 else f"{len(state.warnings)} warnings")
    return notes


def _counts(state: PaneState, looking: Looking, extent: str) -> list[str]:
    total = len(state.table.rows) if state.table is not None else len(state.cells)
    if not total:
        return []
    notes = []
    if looking.items is not None and looking.filter:
        notes.append(f"{len(shown_items(state, looking))} of {total:,}")
    elif state.truncated:
        notes.append(f"first {total:,}" if state.truncated < 0 else f"{total:,} of {total + state.truncated:,}")
    elif state.pane.kind is Kind.STATUS and state.state is not State.STALE:
        good = sum(cell.state is State.OK for cell in state.cells)
        notes.append(f"{good} of {total} OK" if good < total else f"{total} OK")
    elif not extent:
        notes.append(f"{total:,}")
    return [*notes, extent] if extent else notes


def _has_values(state: PaneState) -> bool:
    if state.state is State.ERROR:
        return False
    if state.pane.kind in (Kind.TEXT, Kind.VIEW, Kind.SECTION):
        return True
    return bool(state.cells) or (state.table is not None and bool(state.table.rows))


def _reason(state: PaneState, width: int, rest: int, now: float) -> Lines:
    """Why there is nothing to see."""
    if state.waiting:
        return ((Span(truncate(f"waiting for {state.source}", width), "dim"),),)
    if state.state is State.ERROR:
        reason = wrapped(state.error or "no reason was given", width)
        tail = wrapped("; ".join(_retry(state, now)), width) if state.error and not state.pane.broken else []
        if state.pane.broken and state.pane.line and f":{state.pane.line}" not in state.pane.broken:
            tail = wrapped(f"at line {state.pane.line} of the screen's file; the rest of the screen works", width)
        reason = reason[: max(1, rest - len(tail))]
        lines = [(Span(text, "text"),) for text in reason] + [(Span(text, "dim"),) for text in tail]
        return tuple(lines[:rest])
    text = "nothing, and that is good" if state.state is State.OK else "no data: the query answered with nothing"
    lines = [(Span(part, "dim"),) for part in wrapped(text, width)]
    if state.state is State.STALE and state.error:
        lines += [(Span(part, "stale"),) for part in wrapped("; ".join([state.error, *_retry(state, now)]), width)]
    return tuple(lines[:rest])


def trouble(state: PaneState, width: int, now: float) -> str:
    """Why there is nothing newer, as much of it as fits: `connection refused; failing for 40 s; retrying in 5 s`."""
    if not state.error:
        return ""
    parts = [state.error, *_retry(state, now)]
    while len(parts) > 1 and width_of("; ".join(parts)) > width:
        del parts[1]
    return "; ".join(parts)


def _retry(state: PaneState, now: float) -> list[str]:
    parts = []
    if state.failing_since is not None and now - state.failing_since >= _AGE_STEP:
        parts.append(f"failing for {_seconds(_stepped(now - state.failing_since))}")
    if state.retry_at is not None:
        wait = state.retry_at - now
        left = -_stepped(-wait)  # rounded up
        parts.append(f"retrying in {_seconds(left)}" if wait > 0 else "retrying now")
    return parts


def _age(state: PaneState, now: float) -> float | None:
    return state.age if state.taken_at is None else max(0.0, now - state.taken_at)


def _young(age: float) -> str:
    """The age of what is stale, which is never nothing: `<5s`, `15s`, `4m`."""
    return age_text(_stepped(age)) if age >= _AGE_STEP else f"<{_AGE_STEP}s"


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else duration_text(seconds)


def _stepped(seconds: float) -> float:
    """Seconds in steps below a minute, so that a screen of ages does not write to the terminal each second."""
    return seconds if seconds >= 60 else seconds // _AGE_STEP * _AGE_STEP
