"""Asking the Airflow that a verb of `pipeline` is about, and printing where the answer came from."""

import argparse
import asyncio
import operator
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from opsconsole.config.settings import Environment
    from opsconsole.pipelines.asking import Airflow
    from opsconsole.pipelines.model import RunDetail, Told
    from opsconsole.pipelines.opening import Pipelines
    from opsconsole.sources.registry import Sources

S = TypeVar("S")
T = TypeVar("T")


def add_common(parser: argparse.ArgumentParser) -> None:
    """The arguments that every verb takes."""
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print it")


def ask(args: argparse.Namespace, read: "Callable[[Airflow], Awaitable[T]]") -> T:
    """What `read` makes of the Airflow of the environment that `args` name. Connects for that, and hangs up.

    Raises:
        UsageError: none is configured.
        SourceError: it does not answer.
    """
    from opsconsole.pipelines.opening import open_airflow

    return _ask(args, open_airflow, read)


def ask_pipelines(args: argparse.Namespace, read: "Callable[[Pipelines], Awaitable[T]]") -> T:
    """The same with what is beside it: metrics, for when it does not answer, and what was promised."""
    from opsconsole.pipelines.opening import open_pipelines

    return _ask(args, open_pipelines, read)


def _ask(
    args: argparse.Namespace,
    opened_by: "Callable[[Environment, Sources], S]",
    read: "Callable[[S], Awaitable[T]]",
) -> T:
    from opsconsole.cli.wiring import UsageError, environment_of, open_sources

    environment = environment_of(args)
    sources = open_sources(environment)

    async def asked() -> T:
        try:
            try:
                opened = opened_by(environment, sources)
            except ValueError as error:
                raise UsageError(str(error)) from None
            return await read(opened)
        finally:
            await sources.close()

    return asyncio.run(asked())


async def of_dag(
    airflow: "Airflow", dag_id: str, asked: "Awaitable[Told[T]]", empty: "Callable[[T], bool]" = operator.not_
) -> "Told[T]":
    """What was asked about a DAG; `empty` says whether that is nothing at all.

    Raises:
        UsageError: there is none of that id; which one may be meant.
        SourceError: Airflow does not answer.
    """
    from opsconsole.sources.airflow.client import AirflowError

    try:
        told = await asked
    except AirflowError as error:
        if error.status == 404:
            await must_be(airflow, dag_id)
        raise
    if empty(told.value):  # the metadata database has just nothing of one that is not there
        await must_be(airflow, dag_id)
    return told


async def must_be(airflow: "Airflow", dag_id: str) -> None:
    """See that there is a DAG of that id.

    Raises:
        UsageError: there is none; which one may be meant.
        SourceError: Airflow does not answer.
    """
    from opsconsole.cli.wiring import UsageError
    from opsconsole.pipelines.choosing import known_dags, unknown_dag

    missing = unknown_dag(dag_id, await known_dags(airflow))
    if missing:
        raise UsageError(missing if missing.endswith("?") else f"{missing}; opsconsole pipeline list shows them")


async def chosen_run(airflow: "Airflow", dag_id: str, run_id: str) -> "Told[RunDetail]":
    """The run of that id with its tasks; without one, the newest.

    Raises:
        UsageError: there is none.
        SourceError: Airflow does not answer.
    """
    from opsconsole.cli.wiring import UsageError
    from opsconsole.pipelines.model import Told

    if not run_id:
        newest = (await of_dag(airflow, dag_id, airflow.runs(dag_id, 1))).value
        if not newest:
            raise UsageError(f"DAG {dag_id} has not run yet; opsconsole pipeline trigger {dag_id} runs it")
        run_id = newest[0].run_id
    told = await of_dag(airflow, dag_id, airflow.run(dag_id, run_id))
    if told.value is None:
        raise UsageError(f"DAG {dag_id} has no run {run_id}; opsconsole pipeline runs {dag_id} lists them")
    return Told(told.value, told.taken_at, told.origin, told.cut, told.ahead)


def print_told(kind: str, told: "Told[Any]", value: Any) -> None:
    """`{"taken_at", "way", "version", KIND: value, "cut", "clock_ahead", "notes"}` on stdout."""
    from opsconsole.cli.db.printing import fields_of
    from opsconsole.cli.output import print_json, rfc3339

    print_json(
        {
            "taken_at": rfc3339(told.taken_at),
            "way": told.origin.way,
            "version": told.origin.version,
            kind: fields_of(value),
            "cut": told.cut,
            "clock_ahead": round(told.ahead, 3),
            "notes": list(told.origin.notes),
        }
    )


def narrate_origin(told: "Told[Any]", more: str = "") -> None:
    """What has to be known about where a table comes from, on stderr; `more` where it is not all."""
    from opsconsole.cli.output import narrate

    for note in told.origin.notes:
        narrate(f"note: {note}")
    if told.ahead:
        from opsconsole.core.duration import duration_text

        off = f"{duration_text(abs(told.ahead))} {'ahead of' if told.ahead > 0 else 'behind'}"
        narrate(f"note: Airflow's clock is {off} this machine's; what goes on is reckoned by Airflow's")
    if told.cut and more:
        narrate(f"note: {more}")


def seconds(value: float | None) -> str | None:
    """A duration for people."""
    from opsconsole.core.duration import duration_text

    return None if value is None else duration_text(value)


def percent(value: float | None) -> str | None:
    """A share for people."""
    return None if value is None else f"{value:.0%}".replace("%", " %")


def ago(then: float | None, now: float) -> str | None:
    """How long ago; `in 5m` of what is to come."""
    from opsconsole.core.duration import age_text

    if then is None:
        return None
    return f"in {age_text(then - now)}" if then > now else age_text(now - then)
