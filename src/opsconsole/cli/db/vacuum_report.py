"""Why vacuum does not help: what keeps dead rows (sessions, prepared transactions, replication slots, standbys), and
the tables where it shows. Exit code 0 whether there is a reason or not.
"""

import argparse

from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import ago, fields_of, narrate_notes, print_reading, share
from opsconsole.cli.output import print_table, print_text
from opsconsole.core.exit_codes import Exit

EXAMPLE = """\
opsconsole db vacuum-report
  opsconsole db vacuum-report --format json"""

_HOLDERS = ("KIND", "WHO", "OWNER", "STATE", "TRANSACTIONS", "SECONDS", "DO")
_TABLES = ("TABLE", "DEAD", "DEAD %", "VACUUMED", "NEXT")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db vacuum-report`."""
    parser.description = __doc__
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    from opsconsole.cli.db.tables import table_fields
    from opsconsole.database.tables import next_of
    from opsconsole.database.vacuum import read_vacuum, reason, remedy, sentences

    found = ask(args, read_vacuum)
    if args.format == "json":
        holders = [{**fields_of(one), "reason": reason(one), "remedy": remedy(one)} for one in found.holders]
        told = {"reasons": sentences(found), "holders": holders, "tables": [table_fields(one) for one in found.tables]}
        print_reading("vacuum", told, found.taken_at, found.coverage.notes)
        return Exit.DONE
    for sentence in sentences(found) or ["nothing keeps vacuum from removing dead rows"]:
        print_text(sentence)
    if found.holders:
        print_text("")
        print_table(
            _HOLDERS,
            [(one.kind, one.id, one.owner, one.state, one.age, one.seconds, remedy(one)) for one in found.holders],
        )
    if found.tables:
        print_text("")
        now = found.taken_at
        rows = [(t.title, t.dead, share(t.dead_share), ago(t.vacuumed_at, now), next_of(t)) for t in found.tables]
        print_table(_TABLES, rows)
    narrate_notes(found.coverage.notes)
    return Exit.DONE
