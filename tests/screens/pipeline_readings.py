"""An Airflow made by hand, asked like a real one."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeVar

from opsconsole.config.slas import Sla
from opsconsole.core.reading import SourceError
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.model import (
    Asset,
    BrokenFile,
    Component,
    Dag,
    DagParam,
    Lineage,
    LogLine,
    Pool,
    Queued,
    Run,
    Structure,
    Survey,
    Task,
    Try,
)
from opsconsole.pipelines.opening import Pipelines
from opsconsole.sources.airflow.client import Page, Version
from tests.screens.fake_session import NOW

T = TypeVar("T")

HOSTILE = "odd [/dag] \u202e☃"


def dag(dag_id: str, *, paused: bool = False, schedule: str = "@hourly", **more: object) -> Dag:
    next_run_at = more.pop("next_run_at", NOW + 600.0)
    return Dag(dag_id, dag_id, paused, schedule, next_run_at, **more)  # type: ignore[arg-type]


def run(dag_id: str, ago: float, state: str = "success", took: float = 60.0, **more: object) -> Run:
    began = NOW - ago
    ended = began + took if state in ("success", "failed") else None
    return Run(dag_id, f"scheduled__{ago:.0f}", state, "scheduled", began, began, began, began, ended, **more)  # type: ignore[arg-type]


def hourly(dag_id: str) -> list[Run]:
    return [run(dag_id, 3600.0 * ago) for ago in range(1, 9)]


def task(name: str, start: float | None, took: float | None, state: str = "success", **more: object) -> Task:
    """`start` is in seconds since the run began, 900 s ago."""
    began = None if start is None else NOW - 900.0 + start
    ended = None if began is None or took is None else began + took
    given = {"queued_at": None if began is None else began - 4.0, "started_at": began, "ended_at": ended} | more
    return Task("load_tariffs", "scheduled__900", name, -1, state, given.pop("tries", 1), 1, "PythonOperator", **given)  # type: ignore[arg-type]


class ByHand:
    """Answers as `pipelines.way.Asking` does; with `failing` not at all."""

    def __init__(self) -> None:
        self.failing = ""
        self.asked = 0
        self.logs_asked = 0
        self.skew = 0.0
        self.since: list[float] = []
        """What failures were asked for."""
        self.listed = [dag("load_tariffs"), dag("import_weather"), dag(HOSTILE), dag("export_billing", paused=True)]
        self.ran = {
            "load_tariffs": [
                run("load_tariffs", 900.0, "failed"),
                *(run("load_tariffs", 3600.0 * n) for n in range(1, 9)),
            ],
            "import_weather": [
                run("import_weather", 400.0, "running"),
                *(run("import_weather", 3600.0 * n) for n in range(1, 9)),
            ],
            HOSTILE: [run(HOSTILE, 60.0)],
        }
        self.tasked: tuple[Task, ...] = (
            task("fetch", 5.0, 20.0),
            task("check", 30.0, 12.0, "failed", tries=2),
            task("notify", 6.0, 3.0, "skipped"),
            task("store", None, None, "upstream_failed", tries=0),
        )
        self.tied = Lineage(
            (
                Asset("lake/raw", "s3://lake/raw", (("import_weather", "store"),), ("load_tariffs",), NOW - 300.0),
                Asset("lake/tariffs", "s3://lake/tariffs", (), ("load_tariffs",)),
                Asset("lake/clean", "s3://lake/clean", (("load_tariffs", "store"),), ("export_billing",), NOW - 900.0),
            ),
            (Queued("load_tariffs", "s3://lake/raw", NOW - 300.0),),
        )
        self.takes: tuple[DagParam, ...] = ()
        self.of_dag: dict[str, tuple[DagParam, ...]] = {}
        """DAG id -> its parameters, where they are others than `takes`."""
        self.components: tuple[Component, ...] = (
            Component("scheduler", True, NOW - 2.0, "airflow-1"),
            Component("triggerer", False, NOW - 300.0),
        )
        self.lines = [LogLine("starting", NOW, "info"), LogLine("ValueError: no tariff \x1b[31m42", NOW, "error")]

    def _answer(self) -> None:
        self.asked += 1
        if self.failing:
            raise SourceError("airflow", "unreachable", self.failing)

    async def version(self) -> str:
        return "3.3.2"

    async def ahead(self) -> float:
        return self.skew

    async def survey(self, per_dag: int) -> tuple[Survey, bool]:
        self._answer()
        return Survey(tuple(self.listed), {dag_id: tuple(runs[:per_dag]) for dag_id, runs in self.ran.items()}), False

    async def runs(self, dag_id: str, most: int) -> tuple[tuple[Run, ...], bool]:
        self._answer()
        return tuple(self.ran.get(dag_id, ())[:most]), False

    async def run(self, dag_id: str, run_id: str) -> Run | None:
        self._answer()
        return next((one for one in self.ran.get(dag_id, ()) if one.run_id == run_id), None)

    async def tasks(self, dag_id: str, run_id: str) -> tuple[Task, ...]:
        return self.tasked if dag_id == "load_tariffs" else ()

    async def dag_tasks(self, dag_id: str, since: float, most: int) -> tuple[tuple[Task, ...], bool]:
        return await self.tasks(dag_id, ""), False

    async def failures(self, since: float, most: int) -> tuple[tuple[Task, ...], bool]:
        self._answer()
        self.since.append(since)
        return tuple(one for one in self.tasked if one.state == "failed"), False

    async def tries(self, task: Task) -> tuple[Try, ...]:
        return ()

    async def structure(self, dag_id: str) -> Structure:
        return {"fetch": ("check", "notify"), "check": ("store",)}

    async def params(self, dag_id: str) -> tuple[DagParam, ...]:
        self._answer()
        return self.of_dag.get(dag_id, self.takes)

    async def lineage(self) -> tuple[Lineage, bool]:
        self._answer()
        return self.tied, False

    async def raw_log(self, task: Task, number: int) -> AsyncIterator[str]:
        self.logs_asked += 1
        self._answer()
        for place in range(len(self.lines)):
            yield str(place)

    def read_line(self, raw: str) -> LogLine:
        return self.lines[int(raw)]

    async def pools(self) -> tuple[Pool, ...]:
        self._answer()
        return Pool("default_pool", 16, 3, 0, 0), Pool("database", 2, 2, 5, 0, "for the warehouse", 3)

    async def broken_files(self) -> tuple[BrokenFile, ...]:
        self._answer()
        return (BrokenFile("dags/broken.py", NOW - 7200.0, "Traceback:\n  line 3\nImportError: no module x"),)

    async def health(self) -> tuple[Component, ...]:
        self._answer()
        return self.components


class Rehearsing:
    """The API as it is asked before a change: what is there, and what a dry run would clear."""

    def __init__(self) -> None:
        self.clears = ["check", "store"]
        self.tasks = ["fetch", "check", "notify", "store"]
        """Those of every run."""
        self.asked: list[Mapping[str, Any]] = []
        self.params: dict[str, Any] = {}
        """DAG id -> its parameters, as version 2 of the API has them."""
        self.paused: set[str] = set()
        self.stale: set[str] = set()
        """Ids of those that are in no file any more."""
        self.dates = ["2026-02-03T00:00:00Z", "2026-02-04T00:00:00Z"]
        """What a backfill would run."""
        self.major = 3

    async def version(self) -> Version:
        return Version(self.major, f"{self.major}.3.2")

    async def get(self, where: str, params: object = (), *, what: str = "") -> Any:
        _, kind, name, *rest = where.split("/")
        if kind == "dags" and not rest:
            return {"dag_id": name, "is_paused": name in self.paused, "is_stale": name in self.stale}
        if rest == ["details"]:
            return {"params": self.params.get(name, {})}
        return {"dag_run_id": where.rpartition("/")[2], "state": "failed"}

    async def pages(
        self, where: str, key: str, make: Callable[[Mapping[str, Any]], T], params: object = (), *, most: int, what: str
    ) -> Page[T]:
        assert key == "task_instances"
        run_id = where.split("/")[4]
        return Page(tuple(make({"task_id": one, "dag_run_id": run_id}) for one in self.tasks), len(self.tasks))

    async def send(self, method: str, where: str, body: Any, *, what: str) -> Any:
        if where == "/backfills/dry_run":
            return {"backfills": [{"logical_date": one} for one in self.dates]}
        assert body["dry_run"] is True, "nothing is changed before somebody said yes"
        self.asked.append(body)
        return {"task_instances": [{"task_id": name, "map_index": -1} for name in self.clears]}


def pipelines(way: ByHand, api: Rehearsing | None = None) -> Pipelines:
    """What a screen is made of, with `way` for the API when it is read, and `api` when it is asked about changes."""
    airflow = Airflow(None, None, clock=lambda: NOW)
    airflow._source = api or Rehearsing()  # type: ignore[assignment]
    airflow._api, airflow._major = way, 3
    sla = Sla("loads", "pipeline", "*", 7200.0, title="loads end within two hours", owner="data-platform")
    return Pipelines(airflow, (sla,))
