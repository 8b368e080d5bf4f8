"""What Prometheus knows of Airflow: the scheduler's heartbeat, durations and failures within the last hour, slots of
pools. For when neither API nor database answers. Code 1: the scheduler gives no sign of life.
"""

import argparse
import asyncio
from typing import TYPE_CHECKING

from opsconsole.cli.output import narrate, print_json, print_table, rfc3339
from opsconsole.cli.pipeline.opening import add_common, environment_of, seconds
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.pipelines.metrics import Metrics

EXAMPLE = "opsconsole pipeline metrics --format json"

_COLUMNS = ("DAG", "TASK", "TOOK", "SUCCEEDED", "FAILED")


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
    rows = [
        (one.dag_id, one.task_id, seconds(one.seconds), _count(one.succeeded), _count(one.failed))
        for one in (*found.dags, *found.tasks)
    ]
    print_table(_COLUMNS, rows)
    for pool in found.pools:
        narrate(f"pool {pool.pool}: {_count(pool.open)} open, {_count(pool.used) or 'an unknown number'} used")
    beats = (
        "nothing is told of the scheduler"
        if found.alive is None
        else f"{found.heartbeats or 0:.2f} heartbeats a second"
    )
    narrate(f"from Prometheus, by the names of {found.profile}: {beats}; within the last hour")
    return code


async def _read(args: argparse.Namespace) -> "Metrics":
    from opsconsole.cli.wiring import UsageError, open_sources
    from opsconsole.pipelines.metrics import PROFILES, detect, read_metrics

    environment = environment_of(args)
    if environment.prometheus is None:
        raise UsageError(f"no prometheus is configured in {environment.name}")
    given = environment.airflow.metrics if environment.airflow is not None else ""
    sources = open_sources(environment)
    try:
        ask = sources.get("prometheus").read
        profile = PROFILES[given] if given else await detect(ask)
        if profile is None:
            raise UsageError(
                f"no metric of an Airflow is in Prometheus by the names of {', '.join(PROFILES)}; "
                "do they get there? airflow: {metrics: …} says which names they have"
            )
        return await read_metrics(ask, profile)
    finally:
        await sources.close()


def _count(value: float | None) -> str | None:
    return None if value is None else f"{value:.0f}"
