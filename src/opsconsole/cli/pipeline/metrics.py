"""What Prometheus knows of Airflow: the scheduler's heartbeat, durations and failures within the last hour, slots of
pools. For when neither API nor database answers. Code 1: the scheduler gives no sign of life.
"""

import argparse
import asyncio
from typing import TYPE_CHECKING

from opsconsole.cli.output import narrate, print_json, print_table, rfc3339
from opsconsole.cli.pipeline.opening import add_common, seconds
from opsconsole.cli.wiring import environment_of
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.pipelines.metrics import Measured, Metrics

EXAMPLE = "opsconsole pipeline metrics --format json"

_COLUMNS = ("DAG", "TASK", "TOOK", "SUCCEEDED", "FAILED", "TASKS FAILED")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline metrics`."""
    parser.description = __doc__
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Print them, and choose the exit code."""
    import time

    from opsconsole.cli.db.printing import fields_of

    found = asyncio.run(_read(args))
    code = Exit.FAILED if found.alive is False else Exit.DONE
    if args.format == "json":
        fields = {**fields_of(found), "alive": found.alive}
        print_json({"taken_at": rfc3339(time.time()), "way": "prometheus", "metrics": fields})
        return code
    print_table(_COLUMNS, [_row(one) for one in (*found.dags, *found.tasks)], names=(0, 1))
    for pool in found.pools:
        narrate(f"pool {pool.pool}: {_count(pool.open)} open, {_said(pool.used)} used, {_said(pool.queued)} queued")
    narrate(
        f"tasks failed: {_said(found.tasks_failed)}; queued: {_said(found.queued)}; running: {_said(found.running)}; "
        f"files that cannot be imported: {_said(found.import_errors)}"
    )
    beats = (
        "nothing is told of the scheduler"
        if found.alive is None
        else f"{found.heartbeats or 0:.2f} heartbeats a second"
    )
    narrate(f"from Prometheus, by the names of {found.profile}: {beats}; within the last hour")
    return code


async def _read(args: argparse.Namespace) -> "Metrics":
    from opsconsole.cli.wiring import UsageError, open_sources
    from opsconsole.pipelines.metrics import NoMetricsError
    from opsconsole.pipelines.opening import open_measuring

    environment = environment_of(args)
    sources = open_sources(environment)
    try:
        measuring = open_measuring(environment, sources)
        if measuring is None:
            raise UsageError(f"no prometheus is configured in {environment.name}")
        return (await measuring.read()).value
    except NoMetricsError as error:
        raise UsageError(str(error)) from None
    finally:
        await sources.close()


def _row(one: "Measured") -> tuple[str | None, ...]:
    counts = map(_count, (one.succeeded, one.failed, one.tasks_failed))
    return one.dag_id, one.task_id, seconds(one.seconds), *counts


def _count(value: float | None) -> str | None:
    return None if value is None else f"{value:.0f}"


def _said(value: float | None) -> str:
    return _count(value) or "unknown"
