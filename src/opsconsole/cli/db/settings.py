"""Settings worth changing, each with its reason and where that is said."""

import argparse

from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import fields_of, narrate_notes, print_reading
from opsconsole.cli.output import narrate, print_table
from opsconsole.core.exit_codes import Exit

EXAMPLE = """\
opsconsole db settings
  opsconsole db settings --format json"""

_COLUMNS = ("STATE", "SETTING", "IS", "SUGGESTED", "RESTART", "HOW", "WHY", "SOURCE")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db settings`."""
    parser.description = __doc__
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from opsconsole.database.settings import read_settings

    found = ask(args, read_settings)
    if args.format == "json":
        told = {
            "advice": [{**fields_of(one), "sql": one.sql, "how": one.how} for one in found.advice],
            "all": found.settings,
        }
        print_reading("settings", told, found.taken_at, found.coverage.notes)
        return Exit.DONE
    rows = [
        (one.state, one.name, one.value, one.suggested or None, one.restart, one.how, one.why, one.reference)
        for one in found.advice
    ]
    print_table(_COLUMNS, rows)
    narrate_notes(found.coverage.notes)
    if not rows:
        narrate("nothing to say about the settings")
    return Exit.DONE
