"""A session whose sources answer from a table, whose clock stands still, and whose runs are real."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from opsconsole.actions.guard import Context
from opsconsole.config.settings import AirflowSettings, AlertmanagerSettings, Environment, Mode, Role
from opsconsole.core.reading import Answer, Query, SourceError
from opsconsole.core.secret import Secret
from opsconsole.core.state import State
from opsconsole.core.threshold import Threshold
from opsconsole.core.values import Sample, Value, Vector
from opsconsole.runbooks.client import RunClient
from opsconsole.runbooks.library import Library
from opsconsole.runbooks.model import Runbook
from opsconsole.runbooks.order import Order
from opsconsole.runbooks.starting import carried_here, packed
from opsconsole.screens.definition import Drill, Kind, Pane, RunbookLink, Screen, Target, Variable
from opsconsole.ui.session import Session

NOW = 1795269731.0
"""2026-11-21 14:02:11 UTC."""

Answers = Callable[[Query], Value]


def vector(*samples: tuple[Mapping[str, str], float]) -> Vector:
    """One sample per (labels, value)."""
    return Vector(tuple(Sample(dict(labels), value, NOW) for labels, value in samples))


UP = vector(({"job": "energy-service", "instance": "app-2"}, 0.0), ({"job": "api", "instance": "app-1"}, 1.0))

HEALTH = Screen(
    "system-health",
    "System health",
    (
        Pane(
            "up",
            "Services",
            Kind.STATUS,
            targets=(Target("up", "{{job}} {{instance}}"),),
            thresholds=(Threshold(State.CRIT, below=1.0),),
            mappings=((0.0, "down"), (1.0, "up")),
            span=2,
            area="services",
            drill=Drill("resources", {"job": "job"}),
            runbook=RunbookLink("restart", {"SERVICE": "job"}),
        ),
        Pane("p95", "API p95", Kind.STAT, targets=(Target("p95"),), unit="s", span=2),
        Pane("broken", "Broken", Kind.STAT, broken="unknown kind", span=4),
    ),
    order=2,
)
RESOURCES = Screen(
    "resources",
    "Resources",
    (Pane("cpu", "CPU", Kind.BARS, targets=(Target('cpu{job=~"$job"}', "{{job}}"),), unit="percent", span=4),),
    variables=(Variable("job", values=("api", "energy-service"), multi=True),),
    order=3,
)
OVERVIEW = Screen(
    "overview",
    "Overview",
    (
        Pane("attention", "Needs attention", Kind.VIEW, view="overview.attention"),
        Pane(
            "areas",
            "Areas",
            Kind.VIEW,
            view="overview.areas",
            options={"areas": [{"id": "services", "title": "Services", "screen": "system-health"}]},
        ),
    ),
    columns=1,
    order=1,
)

RUNBOOK = """\
---
runbook: 1
id: restart
title: Service restart
owner: platform
alerts: [ServiceDown]
params:
  SERVICE: {type: string, required: true, pattern: "[a-z-]{1,40}", help: "which one", from_label: job}
---
## Look
What is running now.
```sh {"name":"look","risk":"read","timeout":"10s"}
echo "looking at $SERVICE"
```
## Restart
```sh {"name":"restart","risk":"destructive","confirm":"type:SERVICE","timeout":"10s","excludeFromRunAll":"true"}
echo "restarted $SERVICE"
```
- [ ] Tell the others
"""


def standard(query: Query) -> Value:
    """Answers for the screens above."""
    match query.text.partition("{")[0]:
        case "up":
            return UP
        case "p95":
            return vector(({}, 0.312))
        case "cpu":
            return vector(({"job": "api"}, 12.0), ({"job": "energy-service"}, 40.0))
    raise SourceError(query.source, "bad-query", f"no such metric: {query.text}")


def context(**changes: Any) -> Context:
    """Alice, an operator, in production."""
    known: dict[str, Any] = {
        "actor": "alice",
        "host": "bastion-1",
        "environment": "production",
        "mode": Mode.GUARDED,
        "role": Role.OPERATOR,
    }
    return Context(**{**known, **changes})


def fake_session(
    folder: Path,
    *,
    screens: Sequence[Screen] = (OVERVIEW, HEALTH, RESOURCES),
    answers: Answers = standard,
    runbook: str = RUNBOOK,
    airflow: AirflowSettings | None = None,
    alertmanager: AlertmanagerSettings | None = None,
    **changes: Any,
) -> Session:
    """A session that keeps its files in `folder`."""
    books = folder / "runbooks"
    books.mkdir(exist_ok=True)
    (books / "restart.md").write_text(runbook)
    who = context()
    environment = Environment("production", folder, books, airflow=airflow, alertmanager=alertmanager)

    async def read(query: Query) -> Answer:
        return Answer(answers(query), NOW, 0.001)

    async def start(book: Runbook, values: Mapping[str, str]) -> RunClient:
        path, source = packed(book)
        journal = Secret(f"sqlite:{folder / 'journal.db'}")
        return await carried_here(Order(environment, who, journal, path=path, source=source, values=values))

    async def attach(path: Path) -> RunClient:
        return await RunClient.attach(path)

    known: dict[str, Any] = {
        "context": who,
        "load_screens": lambda: (screens, ()),
        "read": read,
        "library": lambda: Library(books),
        "start_run": start,
        "attach_run": attach,
        "banner": "red",
        "environments": ("production", "staging"),
        "clock": lambda: NOW,
        "theme": "dark",
    }
    return Session(**{**known, **changes})
