"""Write what Prometheus, Alertmanager and Grafana are given: rules with their unit tests, routes and receivers, scrape
configuration, a dashboard for every screen. All of it comes from config/ and screens/, which have to be valid.

With --check nothing is written, and code 1 says that something would be. Files that an earlier export made and this one
does not are named and left alone: Prometheus would still load them, so remove them. A file of the same name that no
export made is not written over, unless with --force.
"""

import argparse
from pathlib import Path

from opsconsole.cli.output import narrate, print_json, print_text
from opsconsole.cli.wiring import UsageError, environment_of
from opsconsole.core.exit_codes import Exit

EXAMPLE = """\
opsconsole monitoring export
  opsconsole monitoring export --to /srv/monitoring --check --format json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `monitoring export`."""
    parser.description = __doc__
    parser.add_argument(
        "--to", metavar="FOLDER", type=Path, help="the folder (else the one that is configured, else monitoring)"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; code 1 where something would be written")
    parser.add_argument("--force", action="store_true", help="write over files that no export made, too")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print what was done")


def run(args: argparse.Namespace) -> int:
    """Write, or compare, and choose the exit code."""
    from opsconsole.monitoring.content import load_content
    from opsconsole.monitoring.export import Difference, differences, export, foreign, leftovers, write

    environment = environment_of(args)
    folder = args.to or environment.monitoring or Path("monitoring")
    files = export(load_content(environment), environment)
    try:
        if args.check:
            found = differences(files, folder)
        else:
            if not args.force and (others := foreign(files, folder)):
                listed = ", ".join(str(folder / one) for one in others)
                raise UsageError(f"no export made {listed}; --force writes over it")
            found = [Difference(path, "written") for path in write(files, folder)]
            found += [Difference(path, "leftover") for path in leftovers(files, folder)]
    except (NotADirectoryError, IsADirectoryError, FileNotFoundError, FileExistsError) as error:
        what = "read" if args.check else "written"
        raise UsageError(f"{error.filename or folder} cannot be {what}: {error.strerror or error}") from None
    if args.format == "json":
        changes = [{"path": one.path, "state": one.state} for one in found]
        print_json({"folder": folder, "files": list(files), "changes": changes})
    else:
        for one in found:
            print_text(f"{one.state:8}  {folder / one.path}")
        narrate(f"{len(files)} files: {'all as they should be' if not found else f'{len(found)} to look at'}")
    return Exit.FAILED if args.check and found else Exit.DONE
