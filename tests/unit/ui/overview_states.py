"""Overviews to render, as of the moment of `pane_states`."""

from collections.abc import Mapping

from opsconsole.core.state import State
from opsconsole.screens.checks import Check
from opsconsole.screens.overview import AreaState, AttentionRow, Next, Overview
from tests.unit.ui.pane_states import NOW

TITLES: Mapping[str, str] = {
    "dag-failure-recovery": "DAG failure recovery",
    "service-restart-procedures": "Service restart",
    "database-maintenance": "Database maintenance",
}


def _row(state: State, area: str, subject: str, text: str, since: float, age: float, step: Next) -> AttentionRow:
    check = Check(f"{area}/{subject}", subject, "overview", area, state, labels={"subject": subject})
    return AttentionRow(state, area, subject, text, since, age, step, check)


def _trend(*values: float) -> tuple[tuple[float, float], ...]:
    return tuple((NOW - 3600 + (place + 0.5) * 3600 / len(values), value) for place, value in enumerate(values))


_ROWS = (
    _row(
        State.CRIT,
        "pipelines",
        "ingest_meter_readings",
        "failed, try 3 of 3",
        720,
        4,
        Next("runbook", "dag-failure-recovery"),
    ),
    _row(
        State.CRIT,
        "services",
        "energy-service app-2",
        "down (connection refused)",
        190,
        2,
        Next("runbook", "service-restart-procedures"),
    ),
    _row(State.WARN, "sla", "API p95 < 500 ms", "18 % of budget left, 9 h", 21700, 11, Next("screen", "sla")),
    _row(
        State.WARN,
        "database",
        "app",
        "3 sessions blocked by pid 8123 (idle in tx)",
        125,
        2,
        Next("runbook", "database-maintenance"),
    ),
    _row(State.STALE, "cdn", "fastly", "no answer for 4m", 245, 245, Next("error", "")),
)
_CALM = _trend(*[1.0] * 27)

TROUBLED = Overview(
    attention=_ROWS,
    areas=(
        AreaState(
            "services",
            "Services",
            "system-health",
            State.CRIT,
            "13 of 14 up",
            _trend(*[0.0] * 25, 0.3, 1),
            "14 of 14",
            14,
            2,
        ),
        AreaState(
            "pipelines",
            "Pipelines",
            "pipelines",
            State.CRIT,
            "1 failed  4 running  61 ok today",
            _trend(*[0.0] * 21, 1, 0, 0, 0, 0, 0),
            "0 failed",
            9,
            4,
        ),
        AreaState(
            "errors", "Errors", "errors", State.OK, "0.4 /s  p95 312 ms", _trend(*[0.3, 0.4, 0.35] * 9), "0.3 /s", 3, 2
        ),
        AreaState(
            "database",
            "Database",
            "database-overview",
            State.WARN,
            "212 tps  cache 99.1 %",
            _trend(*[212, 220, 230] * 9),
            "230 tps",
            6,
            2,
        ),
        AreaState("cdn", "CDN", "cdn", State.STALE, "hit rate 94 %", (), "95 %", 1, 245),
        AreaState("quality", "Quality", "quality", State.UNKNOWN),
    ),
    counts={State.CRIT: 2, State.WARN: 2, State.STALE: 1, State.OK: 46},
    checks=tuple(row.check for row in _ROWS),
)
CALM = Overview(
    areas=(AreaState("services", "Services", "system-health", State.OK, "14 of 14 up", _CALM, "14 of 14", 14, 2),),
    counts={State.OK: 46},
    checks=tuple(Check(f"c{index}", "", "overview", "services", State.OK) for index in range(46)),
)
