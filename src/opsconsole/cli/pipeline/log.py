"""The log of a task's try, from Airflow's API; of any length, for it passes through line by line.

Code 1: there is none.
"""

import argparse
import asyncio
from json import dumps
from typing import TYPE_CHECKING

from opsconsole.cli.output import narrate, print_text, rfc3339
from opsconsole.cli.pipeline.opening import ask, chosen_run
from opsconsole.config.secrets import known_secrets
from opsconsole.core.exit_codes import Exit
from opsconsole.core.secret import mask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from opsconsole.pipelines.asking import Airflow
    from opsconsole.pipelines.model import LogLine, Task

EXAMPLE = """\
opsconsole pipeline log load_tariffs fetch
  opsconsole pipeline log load_tariffs fetch --try 1 --grep Error
  opsconsole pipeline log load_tariffs fetch --follow"""

_LONG = 3.0
"""Seconds without a first line after which it is said why."""
_SLOW = (
    "waiting: the API server is busy, or the log is long: Airflow 3 reads it to its end before it sends the first "
    "line, a minute for 100 MB or many times that; with logs: under airflow: (the folder of logs, mounted here) a long "
    "one is read from there, at once"
)
_PAUSE = 2.0
"""Seconds between two looks at a log that is followed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline log`."""
    parser.description = __doc__
    parser.add_argument("--format", choices=("table", "json"), default="table", help="text, or one JSON object a line")
    parser.add_argument("dag", metavar="DAG", help="its id")
    parser.add_argument("task", metavar="TASK", help="the id of a task; of a mapped one TASK[N]")
    parser.add_argument("--run", metavar="RUN", default="", dest="run_id", help="the id of a run; the newest without")
    parser.add_argument("--try", metavar="N", type=int, default=0, dest="number", help="which try (the latest)")
    parser.add_argument(
        "--grep", metavar="TEXT", default="", help="only lines with this text or level, whatever its case"
    )
    parser.add_argument("--follow", action="store_true", help="go on while the task does")


def run(args: argparse.Namespace) -> int:
    """Print it."""
    return ask(args, lambda airflow: _print(args, airflow))


async def _print(args: argparse.Namespace, airflow: "Airflow") -> int:
    seen, last, absent = 0, 0, ""
    while True:
        task = await _task(args, airflow)
        number = args.number or task.try_number
        if number != last:
            if last:
                narrate(f"try {number} of {task.title}")
            seen, last = 0, number
        if number < 1 and not args.follow:
            narrate(f"{task.title} has not been tried in {task.run_id}: it is {task.state or 'waiting'}")
            return Exit.FAILED
        if number >= 1:
            seen, absent = await _print_from(args, airflow, task, number, seen)
        if not args.follow or _is_over(task, args.number):
            if absent:
                narrate(f"there is no log of try {number} of {task.title}: {absent}")
            return Exit.FAILED if absent else Exit.DONE
        await asyncio.sleep(_PAUSE)


def _is_over(task: "Task", number: int) -> bool:
    """Whether nothing more will be written; of the try `number`, where one is asked for. A task that waits for its next
    try has ended, too, and until it begins it has the end of the one before."""
    from opsconsole.pipelines.model import FINISHED

    return task.state in FINISHED or (number > 0 and (task.try_number > number or task.state == "up_for_retry"))


async def _print_from(
    args: argparse.Namespace, airflow: "Airflow", task: "Task", number: int, seen: int
) -> tuple[int, str]:
    """Print the lines after the first `seen`; gives how many there are, and why there is no log; empty: there is."""
    from opsconsole.pipelines.log_absence import AbsenceFinder, NoLogError

    wanted, count, absence = args.grep.lower(), 0, AbsenceFinder()
    try:
        async for line in _told_of_waiting(airflow.log(task, number)):
            count += 1
            absence.see(line)
            if count > seen and wanted in line.searched.lower():
                _print_line(line, json=args.format == "json")
    except NoLogError as error:
        return seen, error.message
    why = absence.reason or "Airflow sends an empty one"
    return max(count, seen), mask(why, known_secrets()) if absence.absent else ""


async def _told_of_waiting(lines: "AsyncIterator[LogLine]") -> "AsyncIterator[LogLine]":
    """The same; where the first one does not come, it is said on stderr what it is waited for."""
    first = asyncio.ensure_future(anext(lines, None))
    try:
        await asyncio.wait((first,), timeout=_LONG)
        if not first.done():
            narrate(_SLOW)
        line = await first
    finally:
        first.cancel()
    while line is not None:
        yield line
        line = await anext(lines, None)


def _print_line(line: "LogLine", *, json: bool) -> None:
    at, secrets = rfc3339(line.at), known_secrets()
    if json:
        print_text(dumps({"at": at, "level": line.level or None, "text": mask(line.text, secrets)}))
        return
    level = f"{line.level.upper():7} " if line.level else ""
    text = mask(line.text, secrets)
    print_text(f"{at} {level}{text}" if at else text)


async def _task(args: argparse.Namespace, airflow: "Airflow") -> "Task":
    from opsconsole.cli.wiring import UsageError
    from opsconsole.pipelines.choosing import unknown_task

    detail = (await chosen_run(airflow, args.dag, args.run_id)).value
    args.run_id = detail.run.run_id  # what is followed stays the same run
    found = next((one for one in detail.tasks if one.title == args.task), None)
    if found is None:
        raise UsageError(unknown_task(args.task, detail.run.run_id, [one.title for one in detail.tasks]))
    return found
