"""Measurements of one program on a terminal. Times are medians over runs; ratios compare runs taken in turn."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.terminal import Terminal


@dataclass(frozen=True)
class Program:
    """What to start, how to see that it is up, and how to leave it."""

    argv: Sequence[str]
    ready: str
    """A regular expression that the screen matches once live values are there."""
    env: Mapping[str, str] = field(default_factory=dict)
    columns: int = 120
    lines: int = 40

    def open(self) -> Terminal:
        """Start it."""
        return Terminal(self.argv, columns=self.columns, lines=self.lines, env=self.env, record=False)


@dataclass(frozen=True)
class Start:
    """Seconds from starting the process."""

    first_paint: float
    live: float


def _painted(terminal: Terminal) -> bool:
    return any(line.strip() for line in terminal.screen.display)


def start(program: Program) -> Start:
    """Time one start, to the first non-blank cell and to live values."""
    with program.open() as terminal:
        terminal.wait_until(lambda: _painted(terminal), 15.0, "first paint")
        painted = time.monotonic() - terminal.started
        terminal.wait_for(program.ready, 20.0)
        return Start(painted, time.monotonic() - terminal.started)


def in_turn(first: Program, second: Program, runs: int) -> tuple[list[Start], list[Start]]:
    """Starts of two programs, A B A B …, so that a drifting machine touches both alike. One warm-up each."""
    start(first), start(second)
    pairs = [(start(first), start(second)) for _ in range(runs)]
    return [a for a, _ in pairs], [b for _, b in pairs]


@dataclass(frozen=True)
class Steady:
    """What a program costs while nobody touches it."""

    bytes_per_second: float
    cpu_percent: float
    """Of one core."""
    rss: float
    """MiB."""


def steady(
    program: Program, *, warm_up: float, window: float, keys: Sequence[str] = (),
    begun: Callable[[], object] = lambda: None,
) -> Steady:  # fmt: skip
    """Watch a live program for `window` seconds; `begun` is called when it has warmed up."""
    with program.open() as terminal:
        terminal.wait_for(program.ready, 20.0)
        for key in keys:
            terminal.press(key)
            terminal.settle()
        terminal.watch(warm_up)
        begun()
        before = terminal.usage()
        written = terminal.watch(window)
        after = terminal.usage()
        return Steady(written / window, (after.cpu - before.cpu) / window * 100, after.rss)


def key_latencies(
    terminal: Terminal, keys: Sequence[str], count: int, answered: Callable[[Terminal], object], *, pause: float
) -> list[float]:
    """Seconds from each of `count` key presses (taking turns) until `answered` gives another value than before.

    The pause between keys moves the presses through the refresh cycle, so that some fall into the busiest moment.
    """
    latencies = []
    for turn in range(count):
        terminal.watch(pause + pause * (turn % 7) / 7)
        before = answered(terminal)

        def moved(before: object = before) -> bool:
            return answered(terminal) != before

        pressed = time.monotonic()
        terminal.press(keys[turn % len(keys)])
        terminal.wait_until(moved, 5.0, f"an answer to {keys[turn % len(keys)]}")
        latencies.append(time.monotonic() - pressed)
    return latencies


def highlights(terminal: Terminal) -> int:
    """What is set off by background, reverse video or underline: moves with a cursor, not with changing values."""
    buffer = terminal.screen.buffer
    return hash(
        tuple(
            (row, column, cell.bg, cell.reverse, cell.underscore)
            for row in range(1, terminal.lines - 1)
            for column, cell in buffer[row].items()
            if cell.underscore or cell.reverse or cell.bg != "default"
        )
    )


def p95(values: Sequence[float]) -> float:
    """The 95th percentile (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)
