"""The lines around every screen: header, tabs, key hints and freshness. Pure functions of what they are given.

Where there is no room for everything, what an operator can do without goes first: the name of the program, then
who is at the keyboard, then words that numbers and colours say too. Environment and states never go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from opsconsole.core.state import State
from opsconsole.ui.lines import Line, Span, fit_line, line, line_width, spread, state_role, truncate
from opsconsole.ui.theme import banner_role

_COUNTED = (State.CRIT, State.ERROR, State.WARN, State.STALE, State.UNKNOWN, State.OK)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is where, and what is allowed."""

    environment: str
    banner: str
    mode: str
    actor: str
    host: str


@dataclass(frozen=True, slots=True)
class Freshness:
    """How much of what is on the screen can be believed, and what looking costs."""

    answering: int = 0
    sources: int = 0
    paused: bool = False
    database_share: float | None = None
    """Seconds of database time per second that the console's own queries take."""
    terminal_rate: float | None = None
    """Bytes per second written to the terminal."""


def header(who: Identity, counts: Mapping[State, int], width: int, run: str = "") -> Line:
    """Environment, mode, operator, the run that goes on, and counts by state. The clock is painted beside it."""
    banner = Span(f" {who.environment.upper()} ", banner_role(who.banner))
    operator = Span(f"{who.actor} @ {who.host}", "dim")
    mode = Span(who.mode, "warn" if who.mode == "open" else "dim")
    right = line(*count_line(counts), "  ")
    brand = Span("opsconsole", "dim")
    choices: tuple[Line, ...] = (
        line(" ", brand, "   ", banner, "  ", mode, "      ", operator),
        line(" ", banner, "  ", mode, "   ", operator),
        line(" ", banner, " ", mode, "  ", Span(truncate(who.actor, 12), "dim")),
        line(" ", banner, " ", mode),
    )
    going = (line(Span(truncate(run, 40), "accent"), "   ", *right),) if run else ()
    for shown in (*going, right):
        for left in choices:
            if line_width(left) + line_width(shown) + 3 <= width:
                return spread(left, shown, width)
    return spread(line(banner), right, width)


def count_line(counts: Mapping[State, int]) -> Line:
    """`2 CRIT  3 WARN  1 STALE  46 OK`; zero is only said of everything."""
    spans: list[Span] = []
    for state in _COUNTED:
        if counts.get(state, 0):
            spans += [Span("  " if spans else ""), Span(f"{counts[state]} {state}", state_role(state))]
    return line(*spans) if spans else line(Span("connecting…", "dim"))


def clock(now: float) -> Line:
    """The time in UTC, because that is what logs and colleagues in other places use."""
    return line(Span(f" {datetime.fromtimestamp(now, UTC):%H:%M:%S} UTC ", "dim"))


def tabs(titles: Sequence[tuple[str, str]], current: str, right: Line, width: int) -> Line:
    """`1 Overview  2 Health …`: (key, title) pairs; the title `current` stands out, and is the last to be shortened."""
    room = width - (line_width(right) + 2 if right else 0)
    for longest in (40, 14, 9, 6, 0):
        shown = _tab_line(titles, current, longest)
        if line_width(shown) <= room or longest == 0:
            return spread(shown, right, width)
    return fit_line((), width)


def _tab_line(titles: Sequence[tuple[str, str]], current: str, longest: int) -> Line:
    spans: list[Span] = [Span(" ")]
    for key, title in titles:
        here = title == current
        text = title if here else truncate(title, longest)
        label = f"{key} {text}".rstrip() if key else text
        spans += [Span(label, "title-focus" if here else "dim"), Span("  ")]
    return line(*spans[:-1])


def hints(keys: Sequence[tuple[str, str]], width: int, always: tuple[str, str] | None = None) -> Line:
    """`enter open   b runbook …`: as many (key, word) pairs as there is room for, whole ones only.

    `always` is one of them for which there is room before all others: the key that leads to the rest.
    """
    spans: list[Span] = [Span(" ")]
    room = width - 1 - (_hint_size(always) if always in keys else 0)
    full = False
    for pair in keys:
        size = 0 if pair == always else _hint_size(pair)
        full = full or size > room
        if full and pair != always:
            continue
        room -= size
        spans += [Span(pair[0], "key"), Span(f" {pair[1]}   ", "dim")]
    return fit_line(line(*spans), width)


def _hint_size(pair: tuple[str, str] | None) -> int:
    return len(pair[0]) + len(pair[1]) + 4 if pair is not None else 0


def freshness(fresh: Freshness, width: int) -> Line:
    """`sources 6 of 7   cost 0.2 % db  1.1 kB/s`, as much of it as fits."""
    parts: list[Span] = []
    if fresh.paused:
        parts.append(Span("PAUSED", "warn"))
    if fresh.sources:
        all_there = fresh.answering == fresh.sources
        parts.append(Span(f"sources {fresh.answering} of {fresh.sources}", "dim" if all_there else "warn"))
    cost = " ".join(_cost(fresh))
    if cost:
        parts.append(Span(f"cost {cost}", "dim"))
    while parts and sum(len(part.text) + 3 for part in parts) > width:
        parts.pop()
    spans = [span for part in parts for span in (Span("   "), part)]
    return line(Span(" " * max(0, width - sum(len(span.text) for span in spans) - 1)), *spans, Span(" "))


def _cost(fresh: Freshness) -> list[str]:
    cost = []
    if fresh.database_share is not None:
        cost.append(f"{fresh.database_share * 100:.1f} % db ")
    if fresh.terminal_rate is not None:
        cost.append(f"{fresh.terminal_rate / 1000:.1f} kB/s")
    return cost
