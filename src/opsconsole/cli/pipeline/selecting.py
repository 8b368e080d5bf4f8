"""Which DAGs or runs a verb that changes something is about: the arguments, and what they come to."""

import argparse
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, NoReturn, TypeVar

from opsconsole.cli.output import narrate
from opsconsole.cli.pipeline.opening import ask

if TYPE_CHECKING:
    from opsconsole.pipelines.asking import Airflow
    from opsconsole.pipelines.choosing import Selection
    from opsconsole.pipelines.model import Dag, Survey

T = TypeVar("T")

_STATES = ("queued", "running", "success", "failed")


def add_arguments(parser: argparse.ArgumentParser, *, runs: bool = False, state: str = "--state") -> None:
    """DAGs by name and tag, and by the state of their runs. `runs`: what is changed are runs. `state` is the option's
    name where `--state` is something else."""
    parser.add_argument("dags", metavar="DAG", nargs="*", help="ids, or patterns in quotes: 'load_*'")
    group = parser.add_argument_group("which", "all that is said has to hold; several are asked about once")
    group.add_argument("--tag", metavar="TAG", action="append", default=[], help="with this tag (again: with each)")
    about = "of each DAG the newest run, with --since all, if" if runs else "whose newest run is"
    said = f"{about} {', '.join(_STATES)}"
    group.add_argument(state, metavar="STATE", choices=_STATES, default="", dest="was", help=said)
    moment = "all runs that ended since, or began where they go on" if runs else "whose newest run ended or began since"
    group.add_argument("--since", metavar="TIME", default="", help=f"{moment} (6h, 2d)")
    group.add_argument("--limit", metavar="N", type=int, default=0, help="the first N of them (all, 100 at most)")
    parser.set_defaults(run_id="")


def run_argument(parser: argparse.ArgumentParser) -> None:
    """The run that it is about."""
    parser.add_argument("--run", metavar="RUN", default="", dest="run_id", help="the id of a run; the newest without")


def chosen_dag_ids(args: argparse.Namespace) -> list[str]:
    """The ids of the DAGs that are meant.

    Raises:
        UsageError: nothing is named, or something that is not there.
        SourceError: Airflow does not answer.
    """
    from opsconsole.pipelines.choosing import in_state

    selection = _selection(args, 0.0)
    if selection.plain:
        return _limited(args, list(dict.fromkeys(selection.names)))

    async def read(airflow: "Airflow") -> list[str]:
        dags, survey, timed = await _surveyed(args, airflow)
        if timed.state or timed.since_at is not None:
            _tell_unseen(survey)
        return [one.dag_id for one in in_state(dags, survey, timed)]

    return _limited(args, _asked(args, read))


def chosen_runs(args: argparse.Namespace, *, state: str = "") -> list[tuple[str, str]]:
    """(DAG, run) of those that are meant; an empty run is the newest, whichever that will be.

    `state` is the one that is meant where runs are looked for and none is said. Raises as `chosen_dag_ids`.
    """
    from opsconsole.pipelines.choosing import newest_runs, runs_since
    from opsconsole.pipelines.way import MOST_RUNS

    selection = _selection(args, 0.0)
    if args.run_id and not selection.plain:
        _refuse("--run: a run is named together with ids of DAGs, not with --tag, --since, a state or a pattern")
    if selection.plain:
        return _limited(args, [(one, args.run_id) for one in dict.fromkeys(selection.names)])
    args.was = args.was or state

    async def read(airflow: "Airflow") -> list[tuple[str, str]]:
        dags, survey, timed = await _surveyed(args, airflow)
        if timed.since_at is None:
            _tell_unseen(survey)
            found = newest_runs(dags, survey, timed)
        else:
            if airflow.api is None:
                _refuse("no API of an Airflow is configured: without it nothing can be changed")
            found, cut = await runs_since(airflow.api, dags, timed)
            if cut:
                _refuse(
                    f"more than {MOST_RUNS:,} runs are like that, and any of them may be missing: a shorter --since"
                )
        return [(one.dag_id, one.run_id) for one in found]

    return _limited(args, _asked(args, read))


async def _surveyed(args: argparse.Namespace, airflow: "Airflow") -> "tuple[list[Dag], Survey, Selection]":
    from opsconsole.pipelines.choosing import chosen_dags

    told = await airflow.survey()
    timed = _selection(args, told.ahead)
    return chosen_dags(told.value.dags, timed), told.value, timed


def _tell_unseen(survey: "Survey") -> None:
    """Where the runs of a survey count: of which DAGs it does not know them."""
    from opsconsole.pipelines.rare import unseen_note

    if survey.unseen:
        narrate(f"note: {unseen_note(survey.unseen)}")


def _selection(args: argparse.Namespace, ahead: float) -> "Selection":
    """What the arguments say; `ahead` are the seconds by which Airflow's clock is ahead of ours."""
    from opsconsole.core.duration import parse_duration
    from opsconsole.pipelines.choosing import Selection

    since = None
    if args.since:
        try:
            since = time.time() + ahead - parse_duration(args.since)
        except ValueError as error:
            _refuse(f"--since: {error}")
    found = Selection(tuple(args.dags), tuple(args.tag), args.was, since)
    if found.empty:
        _refuse("no DAG is named: give ids, a pattern, --tag, --since or a state; '*' is every DAG")
    return found


def _asked(args: argparse.Namespace, read: "Callable[[Airflow], Awaitable[list[T]]]") -> list[T]:
    try:
        return ask(args, read)
    except ValueError as error:
        _refuse(str(error))


def _limited(args: argparse.Namespace, found: Sequence[T]) -> list[T]:
    from opsconsole.runbooks.repair import MOST_AT_ONCE

    if not found:
        _refuse("nothing is like that: no DAG or run that suits all that was said")
    shown = list(found[: args.limit] if args.limit > 0 else found)
    if len(shown) > MOST_AT_ONCE:
        _refuse(
            f"{len(shown)} are meant, and {MOST_AT_ONCE} at most can be read before they are confirmed: narrow it by "
            f"--tag, --since or a pattern, or take the first ones: --limit {MOST_AT_ONCE}"
        )
    if len(shown) < len(found):
        narrate(f"note: the first {len(shown)} of {len(found)}")
    return shown


def _refuse(why: str) -> NoReturn:
    from opsconsole.cli.wiring import UsageError

    raise UsageError(why) from None
