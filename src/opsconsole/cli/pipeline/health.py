"""The parts of Airflow, and which of them live; while neither API nor database answers, those of which metrics tell.
Code 1: one without which nothing runs is dead, or one died.
"""

import argparse

from opsconsole.cli.output import print_table
from opsconsole.cli.pipeline.opening import add_common, ago, ask_pipelines, narrate_origin, print_told
from opsconsole.core.exit_codes import Exit

EXAMPLE = "opsconsole pipeline health"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline health`."""
    parser.description = __doc__
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Print them, and choose the exit code."""
    from opsconsole.cli.db.printing import fields_of
    from opsconsole.core.state import State
    from opsconsole.pipelines.vitality import component_state, vitality

    told = ask_pipelines(args, lambda pipelines: pipelines.health())
    judged = [(one, *component_state(one)) for one in told.value]
    code = Exit.FAILED if vitality(told.value) is State.CRIT else Exit.DONE
    if args.format == "json":
        print_told("components", told, [{**fields_of(one), "state": state, "why": why} for one, state, why in judged])
        return code
    rows = [(one.name, state, ago(one.seen_at, told.now), one.host, why) for one, state, why in judged]
    print_table(("COMPONENT", "STATE", "LAST SEEN", "HOST", "WHY"), rows)
    narrate_origin(told)
    return code
