"""SLAs counted by hand: one of each state, seen at one moment."""

from opsconsole.config.slas import Maintenance, Promql, Sla
from opsconsole.sla.asking import Survey
from opsconsole.sla.periods import Period, current
from opsconsole.sla.shares import ranked
from opsconsole.sla.slices import Slice
from opsconsole.sla.standing import Counted, Standing, standing, unread, worst_first
from opsconsole.sla.violations import Violation
from tests.screens.fake_session import NOW

HOUR, DAY = 3600.0, 86400.0
HOSTILE = "\x1b[31m\u202eevil[/]"
"""A title that wants to be more than a title."""


def sla(name: str, title: str, objective: float = 0.995, **given: object) -> Sla:
    kind = {"kind": "availability", "promql": Promql(value="up"), "runbook": "service-restart-procedures"}
    return Sla(name, title=title, objective=objective, owner="ops", **{**kind, **given})  # type: ignore[arg-type]


def hours(bad: dict[int, float], total: float = 60.0, days: int = 30) -> tuple[Slice, ...]:
    """`total` in each hour until now; `bad`: hours ago -> how much of it was bad."""
    end = NOW // HOUR * HOUR
    return tuple(
        Slice(end - ago * HOUR, end - (ago - 1) * HOUR, bad.get(ago, 0.0), total) for ago in range(days * 24, -1, -1)
    )


SHARES = ranked([({"job": "api", "route": "/users"}, 135.0), ({"job": "api", "route": HOSTILE}, 45.0)])


def _standing(one: Sla, bad: dict[int, float], **more: object) -> Standing:
    told = Counted(hours(bad), **more)  # type: ignore[arg-type]
    return standing(one, told, current(one.window, one.zone, NOW), NOW)


class ByHand:
    """What the pages ask, answered from readings made by hand."""

    def __init__(self) -> None:
        self.standings = worst_first(self._made())
        self.notes: tuple[str, ...] = ()

    async def survey(self, patience: float | None = None) -> Survey:
        """Every one of them, at once."""
        return Survey(NOW, tuple(self.standings), self.notes)

    async def told(self, patience: float) -> Survey:
        """The same: whose what was bad is stands in it already."""
        return await self.survey(patience)

    def _made(self) -> list[Standing]:
        pause = Maintenance("disks", "bigger disks", NOW - 50 * HOUR, NOW - 49 * HOUR)
        dag = sla("loads", "Loads within 2 h", 0.95, kind="pipeline", dag="load_*", target=7200.0, promql=None)
        failed = Violation(NOW - 3 * DAY, NOW - 3 * DAY + HOUR, 1, 1, 0.04, 1.0, "load_tariffs")
        return [
            _standing(sla("kept", "Services are up"), {200: 30.0}),
            # Nine hours at a third: 180 of the 216 minutes that may be bad.
            _standing(sla("approaching", "API requests succeed"), dict.fromkeys(range(300, 309), 20.0), shares=SHARES),
            _standing(sla("spent", HOSTILE, maintenance=(pause,)), dict.fromkeys(range(100, 110), 60.0)),
            _standing(sla("burning", "API p95 < 500 ms", 0.95, kind="latency", target=0.5), {0: 55.0, 1: 55.0}),
            _standing(dag, {}, violations=(failed,), pending=2, notes=("of 3 DAGs only the latest runs are known",)),
            unread(sla("dead", "Data fresher than 24 h"), _rolling(), NOW, "prometheus: connection refused"),
            unread(sla("waiting", "Queries < 1 s"), _rolling(), NOW),
        ]


def _rolling() -> Period:
    return current("30d", "UTC", NOW)
