"""Run tasks of a run again, whatever their state. What would be cleared is shown first, as Airflow's dry run says."""

import argparse

from opsconsole.cli.pipeline import acting
from opsconsole.cli.pipeline.opening import environment_of

EXAMPLE = """\
opsconsole pipeline clear load_tariffs --task fetch --downstream --yes
  opsconsole pipeline clear load_tariffs --only-failed --wait --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline clear`."""
    parser.description = __doc__
    acting.add_arguments(parser, wait=True)
    acting.run_argument(parser)
    parser.add_argument("--task", metavar="TASK", action="append", default=[], help="this one (again for more; all)")
    parser.add_argument("--only-failed", action="store_true", help="only those of them that failed")
    parser.add_argument("--downstream", action="store_true", help="and those that follow")
    parser.add_argument("--upstream", action="store_true", help="and those before")


def run(args: argparse.Namespace) -> int:
    """Show what would be cleared, and carry it out."""
    arguments = {"run": args.run_id, "tasks": ",".join(args.task)}
    for name in ("only_failed", "downstream", "upstream"):
        arguments[name] = "yes" if getattr(args, name) else ""
    return clear(args, "airflow.clear", arguments, f"Clear tasks of {args.dag}")


def clear(args: argparse.Namespace, action: str, arguments: dict[str, str], title: str) -> int:
    """Show what Airflow's dry run says, and have exactly that run cleared."""
    import asyncio

    from opsconsole.cli.output import narrate
    from opsconsole.cli.wiring import UsageError
    from opsconsole.pipelines.actions.change import Refused, opened, settings_of
    from opsconsole.pipelines.actions.clearing import Wish, preview

    async def look() -> tuple[str, tuple[str, ...]]:
        async with opened(settings_of(environment_of(args))) as client:
            wish = Wish.of({"dag": args.dag, **arguments}, retry=action == "airflow.retry")
            return await preview(client, wish)

    try:
        run_id, titles = asyncio.run(look())
    except (ValueError, Refused) as error:
        raise UsageError(str(error)) from None
    narrate(f"{run_id}: {len(titles)} would be cleared: {', '.join(titles) or 'nothing'}")
    # The run is named from here on: a newer one that begins meanwhile is not meant.
    return acting.carry_out(args, action, {**arguments, "run": run_id}, title)
