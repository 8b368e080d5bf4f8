"""How long a DAG and its tasks take, against their own past: median, 95 % and the last 24 hours, since when it became
slower, and what makes its runs long again and again.
"""

import argparse
from typing import TYPE_CHECKING

from opsconsole.cli.output import narrate, print_table
from opsconsole.cli.pipeline.opening import add_common, ask, narrate_origin, of_dag, percent, print_told, seconds
from opsconsole.core.exit_codes import Exit
from opsconsole.core.reading import SourceError

if TYPE_CHECKING:
    from opsconsole.pipelines.asking import Airflow
    from opsconsole.pipelines.model import DagHistory, Pool, Told
    from opsconsole.pipelines.trends import Trend

EXAMPLE = """\
opsconsole pipeline trends load_tariffs
  opsconsole pipeline trends load_tariffs --runs 200 --format json"""

_COLUMNS = ("WHAT", "RUNS", "MEDIAN", "P95", "24 H", "LAST", "TREND")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline trends`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("dag", metavar="DAG", help="its id")
    parser.add_argument("--runs", metavar="N", type=int, default=100, help="look at the newest N (100)")


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from opsconsole.cli.db.printing import fields_of
    from opsconsole.pipelines.trends import dag_trends

    async def read(airflow: "Airflow") -> "tuple[Told[DagHistory], tuple[Pool, ...]]":
        asked = airflow.history(args.dag, max(1, args.runs))
        told = await of_dag(airflow, args.dag, asked, lambda history: not history.runs)
        try:
            return told, (await airflow.pools()).value
        except SourceError:  # who sees runs need not see pools
            return told, ()

    told, pools = ask(args, read)
    found = dag_trends(told.value, told.now, pools)
    if args.format == "json":

        def fields(one: "Trend") -> dict[str, object]:
            return {**fields_of(one), "slower": one.slower, "words": one.words}

        value = {
            "dag": fields(found.dag),
            "tasks": [fields(one) for one in found.tasks],
            "habits": found.habits,
            "efficiency": found.efficiency,
        }
        print_told("trends", told, value)
        return Exit.DONE
    rows = [
        (
            one.name or args.dag, one.count, seconds(one.median), seconds(one.p95), seconds(one.today),
            seconds(one.latest), one.words,
        )
        for one in (found.dag, *found.tasks)
    ]  # fmt: skip
    print_table(_COLUMNS, rows, names=(0,))
    for habit in found.habits:
        narrate(f"in {habit.runs} of {habit.of} runs: {habit.why}: {habit.advice}")
    narrate(f"efficiency {percent(found.efficiency) or 'not known'} at the median")
    narrate_origin(told, "of so many tasks only those of the newest runs are looked at")
    return Exit.DONE
