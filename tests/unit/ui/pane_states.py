"""States of panes to render: made with the real evaluation, as of a fixed moment."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from opsconsole.core.reading import Answer, Reading
from opsconsole.core.state import State
from opsconsole.core.threshold import Threshold
from opsconsole.core.values import Matrix, Sample, Series, Table, Text, Value, Vector
from opsconsole.screens.definition import Column, Kind, Pane, Target
from opsconsole.screens.evaluation import PaneState, evaluate_pane

NOW = 1_795_298_531.0
"""2026-11-21 22:02:11 UTC."""

WARN_CRIT = (Threshold(State.WARN, above=0.4), Threshold(State.CRIT, above=0.5))
HOSTS = ("energy-service app-1", "energy-service app-2", "keycloak auth-1", "nginx edge-1", "profile-service app-3")


def vector(numbers: Mapping[str, float], label: str = "job") -> Vector:
    return Vector(tuple(Sample({label: name}, number, NOW) for name, number in numbers.items()))


def course(name: str, low: float, high: float, *, label: str = "job", hole: bool = False, steps: int = 240) -> Series:
    """One hour of a wave between `low` and `high`, a point each 15 seconds."""
    middle, reach = (low + high) / 2, (high - low) / 2
    points = []
    for step in range(steps + 1):
        value = middle + reach * math.sin(step / 24)
        lost = hole and 100 < step < 150
        points.append((NOW - 3600 + step * 3600 / steps, math.nan if lost else value))
    return Series({label: name}, tuple(points))


PANES: dict[Kind, Pane] = {
    Kind.STATUS: Pane(
        "up", "Services", Kind.STATUS, targets=(Target("up", "{{job}}"),), thresholds=(Threshold(State.CRIT, below=1),)
    ),
    Kind.STAT: Pane(
        "backlog",
        "Rows waiting",
        Kind.STAT,
        targets=(Target("backlog", ""),),
        thresholds=(Threshold(State.WARN, above=1000),),
    ),
    Kind.GAUGE: Pane(
        "disk",
        "Disk used",
        Kind.GAUGE,
        targets=(Target("disk", "{{job}}"),),
        unit="percentunit",
        thresholds=(Threshold(State.WARN, above=0.8), Threshold(State.CRIT, above=0.9)),
    ),
    Kind.BARS: Pane(
        "slow", "Slowest endpoints", Kind.BARS, targets=(Target("p95", "{{job}}"),), unit="s", thresholds=WARN_CRIT
    ),
    Kind.TIMESERIES: Pane(
        "p95", "API p95", Kind.TIMESERIES, targets=(Target("p95", "{{job}}"),), unit="s", thresholds=WARN_CRIT
    ),
    Kind.TABLE: Pane(
        "sessions",
        "Sessions",
        Kind.TABLE,
        source="postgres/app",
        targets=(Target("select 1"),),
        columns=(
            Column("pid", "PID", unit="none"),
            Column("state", "STATE"),
            Column("seconds", "TX", unit="s", thresholds=(Threshold(State.WARN, above=60),)),
            Column("usename", "USER"),
            Column("query", "QUERY"),
        ),
    ),
    Kind.TIMELINE: Pane(
        "history",
        "Availability",
        Kind.TIMELINE,
        targets=(Target("up", "{{job}}"),),
        thresholds=(Threshold(State.CRIT, below=0.4), Threshold(State.WARN, below=0.7)),
    ),
    Kind.HEATMAP: Pane("spread", "Latency spread", Kind.HEATMAP, targets=(Target("buckets"),), unit="s"),
    Kind.TEXT: Pane(
        "hello",
        "On call",
        Kind.TEXT,
        text="# Data platform\nPage #data-ops first; the runbooks are under 9.\n[red]not markup[/oops]",
    ),
}

VALUES: dict[Kind, Value | None] = {
    Kind.STATUS: vector(dict(zip(HOSTS, (1, 0, 1, 1, 1), strict=True))),
    Kind.STAT: Matrix((course("queue", 900, 1234),)),
    Kind.GAUGE: vector({"/": 0.41, "/var/lib/postgresql": 0.93, "/var/log": 0.82}),
    Kind.BARS: vector({"/api/readings": 0.612, "/api/profile": 0.21, "/api/tariffs": 0.044, "/health": 0.001}),
    Kind.TIMESERIES: Matrix((course("energy-service", 0.2, 0.46), course("profile-service", 0.1, 0.2, hole=True))),
    Kind.TABLE: Table(
        ("pid", "state", "seconds", "usename", "query"),
        (
            (8123, "idle in tx", 252.0, "etl", "update readings set status = 'ok' where meter_id = $1"),
            (8140, "active", 182.5, "api", "update readings set status = 'ok' where id = $1"),
            (8177, "active", 0.31, "api", "select 1"),
        ),
    ),
    Kind.TIMELINE: Matrix((course("energy-service", 0.3, 1.0), course("profile-service", 0.9, 1.0, hole=True))),
    Kind.HEATMAP: Matrix(
        tuple(
            course(bound, 10 * place, 30 * place, label="le")
            for place, bound in enumerate(("0.1", "0.25", "0.5", "+Inf"), 1)
        )
    ),
    Kind.TEXT: None,
}


def live(kind: Kind) -> PaneState:
    """All is answered."""
    return of_value(PANES[kind], VALUES[kind])


def of_value(pane: Pane, value: Value | None) -> PaneState:
    """The state of a pane whose only query was answered with `value`."""
    return evaluate_pane(pane, _readings(pane, value), NOW)


def stale(kind: Kind) -> PaneState:
    """It was answered four minutes ago, and fails since."""
    readings = [
        replace(reading, taken_at=NOW - 245).failed(
            "prometheus: connection refused at 127.0.0.1:9090", now=NOW - 240, took=0.01, retry_at=NOW + 7
        )
        for reading in _readings(PANES[kind], VALUES[kind])
    ]
    return evaluate_pane(PANES[kind], readings, NOW)


def error(kind: Kind) -> PaneState:
    """It never worked."""
    reading = Reading("prometheus").failed(
        "prometheus: connection refused at 127.0.0.1:9090", now=NOW - 40, took=0.01, retry_at=NOW + 5
    )
    return evaluate_pane(PANES[kind], [reading] * len(PANES[kind].targets), NOW)


def empty(kind: Kind) -> PaneState:
    """Answered, with nothing."""
    nothing = Table((), ()) if kind is Kind.TABLE else Vector(())
    return of_value(PANES[kind], nothing)


def waiting(kind: Kind) -> PaneState:
    """Not answered yet."""
    return evaluate_pane(PANES[kind], [None] * len(PANES[kind].targets), NOW)


def broken(kind: Kind) -> PaneState:
    """The screen's file is wrong there."""
    pane = replace(PANES[kind], broken="unknown unit 'secs'; did you mean 's'?", line=14)
    return evaluate_pane(pane, [None] * len(pane.targets), NOW)


def _readings(pane: Pane, value: Value | None) -> Sequence[Reading]:
    if value is None:
        return ()
    return [Reading(pane.source).succeeded(Answer(value, NOW, 0.02))]


TEXT_VALUE = Text("hello", NOW)
