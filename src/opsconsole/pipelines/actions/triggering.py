"""Starting runs: `airflow.trigger`, `airflow.backfill`."""

import json
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from opsconsole.actions.action import Action, Outcome, Result, Sink
from opsconsole.config.settings import Environment
from opsconsole.core.clean import clean_line
from opsconsole.pipelines.actions.change import (
    Change,
    Refused,
    action_of,
    judged_end,
    must_run,
    patience_for,
    settings_of,
    told_in,
    waits_for_end,
)
from opsconsole.pipelines.actions.waiting import Patience, hold_on
from opsconsole.pipelines.holding import Hold
from opsconsole.pipelines.model import Run
from opsconsole.pipelines.params import complaints
from opsconsole.pipelines.way import Asking
from opsconsole.pipelines.wire import moment, params_of
from opsconsole.sources.airflow.client import AirflowSource, path

_MOST = 1000
"""Runs of a DAG that are looked through for those of a backfill."""
_NAMED = 6
"""Dates of a backfill that are named before it is sent."""
_REPROCESSED = {
    "none": "runs that are there are left alone",
    "failed": "runs that are there and failed are run again, others left alone",
    "completed": "runs that are there and ended, however, are run again",
}


def trigger(arguments: Mapping[str, str], environment: Environment) -> Action:
    """Start a run of `dag` now, with `conf`; `wait` for it to have started (or ended)."""
    dag, conf = arguments["dag"], conf_of_arguments(arguments)
    work = _Triggering(settings_of(environment), dag, arguments.get("run", ""), conf, waits_for_end(arguments))
    body = {"conf": conf, **({"dag_run_id": work.run_id} if work.run_id else {})}
    return action_of(
        "airflow.trigger",
        f"trigger {dag}",
        f"POST {path('dags', dag, 'dagRuns')}\n{json.dumps(body, ensure_ascii=False)}\n"
        '# with Airflow 3 also "logical_date": null',
        dag,
        work,
        undo="mark the run failed: airflow.mark",
    )


def backfill(arguments: Mapping[str, str], environment: Environment) -> Action:
    """Run `dag` for each of its intervals from `from` to `to` (days, both included)."""
    body = _backfill_body(arguments)
    work = _Backfilling(settings_of(environment), body, waits_for_end(arguments))
    return action_of(
        "airflow.backfill",
        f"backfill {arguments['dag']} from {arguments['from']} to {arguments['to']}",
        f"POST /backfills\n{json.dumps(body, ensure_ascii=False)}\n# {limits_of_backfill(body)}",
        arguments["dag"],
        work,
        undo="cancel the backfill in Airflow; what has run stays",
    )


def _backfill_body(arguments: Mapping[str, str]) -> dict[str, Any]:
    first, last = _day(arguments, "from"), _day(arguments, "to")
    if last < first:
        raise ValueError("to: is before from")
    return {
        "dag_id": arguments["dag"],
        "from_date": f"{first.isoformat()}T00:00:00Z",
        "to_date": f"{last.isoformat()}T23:59:59Z",
        "reprocess_behavior": arguments.get("reprocess") or "none",
        "max_active_runs": int(arguments.get("at_once") or "3"),
        "dag_run_conf": conf_of_arguments(arguments),
    }


def limits_of_backfill(body: Mapping[str, Any]) -> str:
    """How many run at once, and what becomes of runs that are there, in words."""
    most, there = body["max_active_runs"], _REPROCESSED[body["reprocess_behavior"]]
    # airflow.models.dagrun: runs of a backfill are counted by themselves, and not against the DAG's own limit.
    return f"at most {most} at once, beside the DAG's own limit for its other runs; {there}"


@dataclass(slots=True)
class _Triggering(Change):
    """A run that is started by hand."""

    dag: str
    run_id: str
    conf: Mapping[str, Any]
    to_end: bool

    async def change(self, client: AirflowSource, sink: Sink) -> str:
        await must_suit(client, self.dag, self.conf)
        body: dict[str, Any] = {"conf": self.conf}
        if (await client.version()).major >= 3:
            body["logical_date"] = None  # has to be there, and may be null
        if self.run_id:
            body["dag_run_id"] = self.run_id
        answer = await self.send(client, "POST", path("dags", self.dag, "dagRuns"), body, f"trigger {self.dag}")
        self.run_id = clean_line(told_in(answer, "dag_run_id"))
        sink(f"run {self.run_id}\n".encode())
        return f"run {self.run_id}"

    async def effect(self, way: Asking, client: AirflowSource) -> Result | None:
        run = await way.run(self.dag, self.run_id)
        if run is None:
            return Result(Outcome.FAILED, detail=f"there is no run {self.run_id}")
        return _begun(run, self.to_end)

    async def held(self, way: Asking, client: AirflowSource) -> Hold | None:
        run = await way.run(self.dag, self.run_id)
        return None if run is None else await hold_on(way, client, run)

    @property
    def patience(self) -> Patience:
        return patience_for(self.to_end)


@dataclass(slots=True)
class _Backfilling(Change):
    """Runs for a span that has passed. Airflow 3 only: 2 has a backfill in its command line alone."""

    body: Mapping[str, Any]
    to_end: bool
    id: str = field(default="", init=False)
    expected: frozenset[float] = field(default=frozenset(), init=False)
    """The logical dates that it makes runs for."""

    async def change(self, client: AirflowSource, sink: Sink) -> str:
        dag, dates = self.body["dag_id"], await _planned(client, self.body)
        sink("".join(f"would run for {clean_line(one)}\n" for one in dates).encode())
        self.expected = frozenset(found for one in dates if (found := moment(one)) is not None)
        answer = await self.send(client, "POST", "/backfills", self.body, f"backfill {dag}")
        self.id = clean_line(told_in(answer, "id"))
        return f"backfill {self.id} of {len(dates)} runs; {limits_of_backfill(self.body)}"

    async def _mine(self, way: Asking) -> list[Run]:
        runs, _ = await way.runs(self.body["dag_id"], _MOST)
        return [one for one in runs if one.kind == "backfill" and one.logical_at in self.expected]

    async def effect(self, way: Asking, client: AirflowSource) -> Result | None:
        mine = await self._mine(way)
        begun = [one for one in mine if one.started_at is not None]
        if not self.to_end:
            return Result(Outcome.OK, detail=f"{len(begun)} of {len(self.expected)} runs have begun") if begun else None
        if len(mine) < len(self.expected) or not all(one.ended for one in mine):
            return None
        failed = [one.run_id for one in mine if one.state == "failed"]
        if failed:
            return Result(Outcome.FAILED, detail=f"{len(failed)} of {len(mine)} runs failed: {', '.join(failed[:5])}")
        return Result(Outcome.OK, detail=f"all {len(mine)} runs ended: success")

    async def held(self, way: Asking, client: AirflowSource) -> Hold | None:
        left = [one for one in await self._mine(way) if not one.ended]
        if not left:
            return None
        # The one that is furthest: the others wait for it.
        first = next((one for one in left if one.state == "running"), left[-1])
        hold = await hold_on(way, client, first)
        return replace(hold, said=f"{len(left)} of {len(self.expected)} runs are still to end; {hold.said}")

    @property
    def patience(self) -> Patience:
        return patience_for(self.to_end)


async def must_suit(client: AirflowSource, dag_id: str, conf: Mapping[str, Any]) -> None:
    """See that a run with this configuration is one that the DAG takes, and that it will run.

    Raises:
        Refused: the DAG is paused, or a value does not suit its parameters.
        SourceError: as `must_run`.
    """
    await must_run(client, dag_id)
    details = await client.get(path("dags", dag_id, "details"), what=f"see the parameters of {dag_id}")
    if wrong := complaints(params_of(details), conf):
        raise Refused(f"nothing was sent: {'; '.join(map(str, wrong))}")


async def foreseen_backfill(client: AirflowSource, arguments: Mapping[str, str]) -> str:
    """What a backfill would run, by Airflow's own dry run, and within which limits.

    Raises:
        Refused: it would run nothing, or not what is meant; as `must_suit`.
        ValueError: an argument is wrong.
        SourceError: as `must_run`.
    """
    body = _backfill_body(arguments)
    dates = [clean_line(one).removesuffix("T00:00:00Z") for one in await _planned(client, body)]
    named = ", ".join(dates if len(dates) <= _NAMED else [*dates[: _NAMED - 1], "…", dates[-1]])
    return f"Airflow's dry run makes {len(dates)} runs: {named}; {limits_of_backfill(body)}"


def _on_the_host(body: Mapping[str, Any]) -> str:
    """The command of Airflow 2 for the same."""
    rerun = {"none": (), "failed": ("--rerun-failed-tasks",), "completed": ("--reset-dagruns", "--yes")}
    conf = ("--conf", json.dumps(body["dag_run_conf"])) if body["dag_run_conf"] else ()
    days = ("--start-date", body["from_date"][:10], "--end-date", body["to_date"][:10])
    return shlex.join(
        ("airflow", "dags", "backfill", *days, *rerun[body["reprocess_behavior"]], *conf, "--", body["dag_id"])
    )


async def _planned(client: AirflowSource, body: Mapping[str, Any]) -> list[str]:
    """The logical dates that the backfill would make runs for."""
    if (await client.version()).major < 3:
        raise Refused(f"Airflow 2 has no backfill in its API; on its host: {_on_the_host(body)}")
    dag = body["dag_id"]
    await must_suit(client, dag, body["dag_run_conf"])
    plan = await client.send("POST", "/backfills/dry_run", body, what=f"plan a backfill of {dag}")
    dates = [str(one.get("logical_date")) for one in told_in(plan, "backfills") if isinstance(one, dict)]
    if not dates:
        raise Refused(f"there is nothing to run in that span; {_REPROCESSED[body['reprocess_behavior']]} (reprocess)")
    if len(dates) > _MOST:
        raise Refused(f"it makes {len(dates):,} runs, and at most {_MOST:,} can be watched: take a shorter span")
    return dates


def _begun(run: Run, to_end: bool) -> Result | None:
    if run.ended:
        return judged_end(run)
    if to_end or run.state != "running":
        return None
    return Result(Outcome.OK, detail=f"{run.run_id} is running")


def conf_of_arguments(arguments: Mapping[str, str]) -> dict[str, Any]:
    """The configuration that the argument `conf` is.

    Raises:
        ValueError: it is no JSON object.
    """
    try:
        conf = json.loads(arguments.get("conf") or "{}")
    except (ValueError, RecursionError):
        conf = None
    if not isinstance(conf, dict):
        raise ValueError('conf: expected a JSON object such as {"day": "2026-11-21"}')
    return conf


def _day(arguments: Mapping[str, str], name: str) -> date:
    try:
        day = date.fromisoformat(arguments[name])
    except ValueError:
        raise ValueError(f"{name}: {arguments[name]!r} is no day; expected for example 2026-11-21") from None
    if day > datetime.fromtimestamp(time.time(), UTC).date():
        raise ValueError(f"{name}: {day} is in the future")
    return day
