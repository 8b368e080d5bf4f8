"""The tasks of a run on the axis of time: where its time went, which of them decided when it ended (marked *), how long
they waited for a slot, what was tried again.

Efficiency is the shortest time that the run could have taken with slots for everybody, by the time that it took.
"""

import argparse
from typing import TYPE_CHECKING, Any

from opsconsole.cli.output import narrate, print_table
from opsconsole.cli.pipeline.opening import (
    add_common,
    ask,
    chosen_run,
    narrate_origin,
    percent,
    print_told,
    seconds,
)
from opsconsole.core.exit_codes import Exit
from opsconsole.core.reading import SourceError

if TYPE_CHECKING:
    from opsconsole.pipelines.model import Pool, RunDetail, Told, Try
    from opsconsole.pipelines.timing import Bar, Timing

EXAMPLE = """\
opsconsole pipeline tasks load_tariffs
  opsconsole pipeline tasks load_tariffs 'scheduled__2026-11-21T00:00:00+00:00' --tries"""

_COLUMNS = ("TASK", "STATE", "TRY", "WAITED", "TOOK", "TIME", "OPERATOR", "POOL", "HOST")
_TIME = _COLUMNS.index("TIME")
_WIDTH = 30
"""Cells of the axis of time."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline tasks`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("dag", metavar="DAG", help="its id")
    parser.add_argument("run", metavar="RUN", nargs="?", default="", help="the id of a run; the newest without")
    parser.add_argument("--run", metavar="RUN", default="", dest="run_id", help="the same, as other commands take it")
    parser.add_argument("--tries", action="store_true", help="every try of what was tried more than once")


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from opsconsole.pipelines.advice import advice
    from opsconsole.pipelines.asking import Airflow
    from opsconsole.pipelines.timing import retried, timing

    async def read(airflow: Airflow) -> "tuple[Told[RunDetail], dict[str, tuple[Try, ...]], tuple[Pool, ...]]":
        told = await chosen_run(airflow, args.dag, args.run or args.run_id)
        again = retried(told.value.tasks) if args.tries else []
        tries = {one.title: (await airflow.tries(one)).value for one in again}
        try:
            pools = (await airflow.pools()).value
        except SourceError:  # who sees runs need not see pools
            pools = ()
        return told, tries, pools

    told, tries, pools = ask(args, read)
    found = timing(told.value, told.now)
    advised = advice(told.value, found, pools)
    if args.format == "json":
        print_told("run", told, {**_fields(told.value, found, tries, told.now), "advice": advised})
        return Exit.DONE
    columns = (*_COLUMNS[:_TIME], _scale(found.wall_seconds), *_COLUMNS[_TIME + 1 :])
    print_table(columns, [_row(bar, found.wall_seconds, told.now) for bar in found.bars], names=(0,))
    for title, listed in tries.items():
        for one in listed:
            narrate(f"{title}: try {one.number}: {one.state or 'no state'} after {seconds(one.seconds) or '-'}")
    run = told.value.run
    narrate(
        f"{run.run_id}: {run.state}, {seconds(found.wall_seconds)}; waited {seconds(found.waiting_seconds)} in all, "
        f"{found.parallelism or 0.0:.1f} at once, efficiency {percent(found.efficiency) or 'not known'}"
    )
    for word in advised:
        narrate(f"{word.why}: {word.advice}")
    narrate_origin(told)
    return Exit.DONE


def _fields(detail: "RunDetail", found: "Timing", tries: "dict[str, tuple[Try, ...]]", now: float) -> dict[str, Any]:
    from opsconsole.cli.db.printing import fields_of
    from opsconsole.cli.pipeline.runs import run_fields

    tasks = [
        {
            **fields_of(bar.task),
            "seconds": bar.task.seconds,
            "waited": bar.task.waited(now),
            "start": bar.start,
            "end": bar.end,
            "critical": bar.critical,
            "tries": fields_of(tries.get(bar.task.title, ())),
        }
        for bar in found.bars
    ]
    sums = {name: value for name, value in fields_of(found).items() if name != "bars"}
    return {**run_fields(detail.run, now), **sums, "structure": dict(detail.structure), "tasks": tasks}


def _row(bar: "Bar", wall: float, now: float) -> tuple[object, ...]:
    task = bar.task
    return (
        f"{task.title} *" if bar.critical else task.title,
        task.state or "none",
        task.try_number or None,
        seconds(task.waited(now)),
        seconds(task.seconds if task.state != "upstream_failed" else None),
        _axis(bar, wall),
        task.operator,
        task.pool,
        task.hostname,
    )


def _scale(wall: float) -> str:
    """The axis of time, from 0 to its end."""
    end = seconds(wall) or ""
    return f"0 {'─' * (_WIDTH - len(end) - 3)} {end}"


def _axis(bar: "Bar", wall: float) -> str:
    """The bar as text: dots while it waited, blocks while it ran."""
    if bar.start is None or bar.end is None or wall <= 0:
        return ""
    scale = _WIDTH / wall
    start, end = round(bar.start * scale), max(round(bar.end * scale), round(bar.start * scale) + 1)
    waited = min(start, max(0, round(bar.queued * scale))) if bar.queued is not None else start
    return " " * waited + "·" * (start - waited) + "█" * (end - start)
