"""What a run of a DAG can be given: the parameters that `pipeline trigger --param` takes."""

import argparse

from opsconsole.cli.output import print_table
from opsconsole.cli.pipeline.opening import add_common, ask, narrate_origin, of_dag, print_told
from opsconsole.core.exit_codes import Exit

EXAMPLE = "opsconsole pipeline params load_tariffs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline params`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("dag", metavar="DAG", help="its id")


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from opsconsole.core.clean import clean_line
    from opsconsole.pipelines.params import limits_of, text_of

    told = ask(args, lambda airflow: of_dag(airflow, args.dag, airflow.params(args.dag)))
    if args.format == "json":
        fields = [
            {
                "name": one.name,
                "required": one.required,
                "default": one.default,
                "about": one.about,
                "schema": one.schema,
            }
            for one in told.value
        ]
        print_told("params", told, fields)
        return Exit.DONE
    rows = [
        (
            clean_line(one.name), "yes" if one.required else "", clean_line(text_of(one.default), limit=60),
            limits_of(one), ", ".join(clean_line(text_of(value), limit=40) for value in one.schema.get("enum") or ()),
            one.about,
        )
        for one in told.value
    ]  # fmt: skip
    print_table(("NAME", "REQUIRED", "DEFAULT", "WHAT", "ONE OF", "ABOUT"), rows, names=(0, 2, 4))
    narrate_origin(told)
    return Exit.DONE
