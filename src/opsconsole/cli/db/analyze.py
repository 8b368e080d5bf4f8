"""The performance report of a database: all findings, ranked by what repairing them is worth, each with its reason,
the exact SQL, the lock that takes, and what takes it back. Nothing is changed.
"""

import argparse
from typing import TYPE_CHECKING, Any

from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import fields_of, narrate_notes, print_reading, size
from opsconsole.cli.output import narrate, print_table, print_text
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.database.report import Report

EXAMPLE = """\
opsconsole db analyze
  opsconsole db analyze --format html > report.html"""

_COLUMNS = ("STATE", "FINDING", "SUBJECT", "WORTH", "WHAT", "SQL")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db analyze`."""
    parser.description = __doc__
    add_common(parser, "md", "html")


def run(args: argparse.Namespace) -> int:
    """Print it."""
    from opsconsole.database.examining import examine
    from opsconsole.database.findings import findings
    from opsconsole.database.report import Report, html, markdown

    readings = ask(args, examine)
    report = Report(readings, findings(readings))
    match args.format:
        case "md":
            print_text(markdown(report))
        case "html":
            print_text(html(report))
        case "json":
            print_reading("report", report_fields(report), readings.taken_at, readings.coverage.notes)
        case _:
            rows = [
                (one.state, one.id, one.subject, size(one.effect) if one.unit == "bytes" else None, one.title,
                 one.fix.sql if one.fix else one.advice)
                for one in report.findings
            ]  # fmt: skip
            print_table(_COLUMNS, rows)
            narrate_notes(readings.coverage.notes)
            narrate(report.about)
    return Exit.DONE


def report_fields(report: "Report") -> dict[str, Any]:
    """The report as JSON has it: what it is about, and the findings in their order."""
    readings = report.readings
    return {"database": readings.database, "version": readings.version, "findings": fields_of(report.findings)}
