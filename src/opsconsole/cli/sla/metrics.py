"""What was counted, for Prometheus: SLAs that it cannot count itself (from SQL and Airflow), in its text format, over
the windows that the exported rules ask about.

With --textfile it is written to a file, as a whole or not at all: for the node exporter's textfile collector, or any
server of files that Prometheus scrapes. Run it as often as `metrics_every` of slas.yaml says; the rules then know, and
an alert (SlaNotCounted) says when it stops. Of an SLA whose source does not answer nothing is told. Code 1: there was
one, or slas.yaml has errors; where nothing of it can be read, nothing is written.
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from opsconsole.cli.output import narrate, print_text
from opsconsole.cli.sla.opening import ask, narrate_survey
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.sla.asking import Slas

EXAMPLE = """\
opsconsole sla metrics
  opsconsole sla metrics --textfile /var/lib/prometheus/node-exporter/opsconsole-sla.prom"""

_READABLE = 0o644
"""The collector is another user."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `sla metrics`."""
    parser.description = __doc__
    parser.add_argument(
        "slas", metavar="SLA", nargs="*", help="only these, by name (else all that Prometheus cannot count)"
    )
    parser.add_argument("--textfile", metavar="FILE", type=Path, help="write it there, at once and as a whole")


def run(args: argparse.Namespace) -> int:
    """Count, and print or write."""
    from opsconsole.cli.wiring import UsageError
    from opsconsole.sla.metrics import metrics_text

    survey = ask(args, lambda slas: _uncountable(slas, args.slas).survey())
    narrate_survey(survey)
    if not survey.standings and survey.notes:
        return Exit.FAILED  # what was written stays, and goes stale by its own time
    if not survey.standings:
        narrate("Prometheus counts every SLA here itself")
    text = metrics_text(survey.standings)
    if args.textfile is None:
        print_text(text.rstrip("\n"))
    else:
        try:
            _write_whole(args.textfile, text)
        except OSError as error:
            raise UsageError(f"{args.textfile} cannot be written: {error.strerror or error}") from None
    return Exit.FAILED if survey.notes or any(one.error for one in survey.standings) else Exit.DONE


def _uncountable(slas: "Slas", named: list[str]) -> "Slas":
    """Those that are asked about; without names all that Prometheus has no counts of."""
    from opsconsole.sla.expressions import counts_of

    return slas.only(named or [one.name for one in slas.slas if counts_of(one) is None])


def _write_whole(path: Path, text: str) -> None:
    """Whoever reads `path` sees what was there or all of `text`. The collector reads `*.prom` only, and so never the
    file that becomes it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text, "utf-8")
        fresh.chmod(_READABLE)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
