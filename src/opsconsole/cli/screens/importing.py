"""Make a screen of a Grafana dashboard, and say what of it is lost.

Reads the JSON that Grafana exports or its HTTP API answers: schemas 12 to 42, older rows, and v2. With --to the screen
is written to that file, and what became of each panel is printed; without, the screen is printed. Every pane that is
written works: it has been read back, and its PromQL parsed (extra `promql`). Code 1: nothing could be taken over, or
with --strict something is lost or says less than it did; 2: it is no dashboard.
"""

import argparse
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsconsole.cli.output import narrate, print_json, print_table, print_text
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.monitoring.grafana.fidelity import Fate
    from opsconsole.monitoring.grafana.importing import Imported

EXAMPLE = """\
opsconsole screens import dashboard.json --to screens/payments.yaml
  opsconsole screens import https://grafana.com/grafana/dashboards/1860 --to screens/node.yaml
  opsconsole screens import https://grafana.example.com/d/rYdddlPWk --token-env GRAFANA_TOKEN --strict --format json"""

_COLUMNS = ("PANEL", "TYPE", "FIDELITY", "PANE", "KIND", "WHAT IS DIFFERENT")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `screens import`."""
    parser.description = __doc__
    parser.add_argument("dashboard", metavar="FILE|URL", help="a dashboard's JSON, or where a Grafana shows it")
    parser.add_argument("--to", metavar="FILE", type=Path, help="write the screen here; its id is the file's name")
    parser.add_argument("--force", action="store_true", help="overwrite a file that is there")
    parser.add_argument(
        "--strict", action="store_true", help="code 1 where a panel is lost or says less; writes nothing then"
    )
    parser.add_argument("--all", action="store_true", help="list also the panels that arrived in full")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print what became of it")
    token = parser.add_mutually_exclusive_group()
    token.add_argument("--token-env", metavar="NAME", help="the environment variable with a token of that Grafana")
    token.add_argument("--token-file", metavar="FILE", type=Path, help="the file with a token of that Grafana")


def run(args: argparse.Namespace) -> int:
    """Import, write or print, report, and choose the exit code."""
    from opsconsole.monitoring.grafana.importing import import_dashboard

    if args.to is not None:
        _refuse_target(args.to, force=args.force)
    found = import_dashboard(_dashboard(args), args.to.stem if args.to is not None else "")
    lossy = any(fate.fidelity in ("partial", "lost") for fate in found.fates)
    failed = not found.panes or (args.strict and lossy)
    files = _files(args, found) if args.to is not None and not failed else []
    for path, page in zip(files, found.pages, strict=False):
        _write(path, page.text, force=args.force)
    if args.format == "json":
        print_json(_fields(found, files, with_text=args.to is None))
    else:
        _print(found, files, to_file=args.to is not None, everything=args.all)
    return Exit.FAILED if failed else Exit.DONE


def _dashboard(args: argparse.Namespace) -> Any:
    """The dashboard that `args` name.

    Raises:
        UsageError: it is no dashboard, or cannot be read.
    """
    from opsconsole.cli.wiring import UsageError
    from opsconsole.config.document import read_text
    from opsconsole.core.problem import ContentError
    from opsconsole.monitoring.grafana.reading import MAX_BYTES, DashboardError, parse_dashboard

    where = args.dashboard
    scheme, colon, _ = where.partition("://")
    if colon and scheme not in ("http", "https"):
        raise UsageError(f"{where}: dashboards come from a file, or by http:// or https://")
    if where.startswith(("http://", "https://")):
        from opsconsole.monitoring.grafana.fetching import fetch_dashboard

        text = fetch_dashboard(where, _token(args))
    else:
        try:
            text = read_text(Path(where), limit=MAX_BYTES)
        except ContentError as error:
            raise UsageError("; ".join(f"{one.file}: {one.message}" for one in error.problems)) from None
    try:
        return parse_dashboard(text)
    except DashboardError as error:
        raise UsageError(f"{where}: {error}") from None


def _token(args: argparse.Namespace) -> Any:
    """Where the token is, or None."""
    from opsconsole.config.secrets import SecretRef

    if args.token_env:
        return SecretRef(env=args.token_env)
    return SecretRef(file=args.token_file) if args.token_file else None


def _refuse_target(path: Path, *, force: bool) -> None:
    from opsconsole.cli.wiring import UsageError
    from opsconsole.config.schema import IDENTIFIER
    from opsconsole.screens.loading import PATTERNS

    if not any(path.match(pattern) for pattern in PATTERNS):
        raise UsageError(f"--to {path}: expected a file whose name ends in .yaml")
    if not path.parent.is_dir():
        raise UsageError(f"--to {path}: there is no folder {path.parent}")
    if path.exists() and not force:
        raise UsageError(f"{path} exists; overwrite it with --force, or name another file")
    if not re.fullmatch(IDENTIFIER.pattern, path.stem):
        raise UsageError(f"--to {path}: its name will be the screen's id; expected {IDENTIFIER.expected}")


def _files(args: argparse.Namespace, found: "Imported") -> list[Path]:
    """Where each of its screens goes; every further one beside the first, by its id."""
    files = [args.to, *(args.to.with_name(f"{page.id}{args.to.suffix}") for page in found.more)]
    for path in files:
        _refuse_target(path, force=args.force)  # before any of them is written
    return files


def _write(path: Path, text: str, *, force: bool) -> None:
    """Write the whole file or none of it."""
    from opsconsole.cli.wiring import UsageError

    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(text)
        if force:
            beside.replace(path)
        else:
            os.link(beside, path)  # fails where a file has come to be there meanwhile
    except FileExistsError:
        raise UsageError(f"{path} exists; overwrite it with --force, or name another file") from None
    finally:
        beside.unlink(missing_ok=True)


def _print(found: "Imported", files: Sequence[Path], *, to_file: bool, everything: bool) -> None:
    shown = [fate for fate in found.fates if everything or fate.fidelity != "full"]
    if to_file and shown:
        print_table(_COLUMNS, [_row(fate) for fate in shown], wrap=True)
    elif found.panes:
        print_text("\n---\n".join(page.text.rstrip("\n") for page in found.pages))
    for one in found.lost:
        narrate(f"not taken over: {one}")
    narrate(_summary(found))
    if found.more:
        split = f"{found.panes} panes are more than a screen holds: they are on {len(found.pages)}"
        narrate(split if to_file else f"{split}; --to writes each to a file of its own")
    if files:
        written = ", ".join(map(str, files))
        narrate(f"written: {written}; next: opsconsole check --offline, then opsconsole --screen {found.id}")
    elif to_file:
        narrate("nothing was written")


def _row(fate: "Fate") -> Sequence[object]:
    title = " / ".join(filter(None, (fate.section, fate.title or f"#{fate.id}")))
    return title, fate.type, fate.fidelity, fate.pane or None, fate.kind or None, "; ".join(fate.notes) or None


def _summary(found: "Imported") -> str:
    from opsconsole.monitoring.grafana.fidelity import Fidelity

    parts = [f"{found.count(one)} {_WORDS[one.value]}" for one in Fidelity if found.count(one)]
    return f"{found.title} (schema {found.schema}): {len(found.fates)} panels: {', '.join(parts) or 'none'}"


_WORDS = {"full": "in full", "close": "in another form", "partial": "in part", "lost": "lost"}


def _fields(found: "Imported", files: Sequence[Path], *, with_text: bool) -> dict[str, Any]:
    from opsconsole.monitoring.grafana.fidelity import Fidelity

    return {
        "file": files[0] if files else None,
        "screen": found.id,
        "title": found.title,
        "uid": found.uid,
        "schema": found.schema,
        "panes": found.panes,
        "panels": {one.value: found.count(one) for one in Fidelity},
        "lost": list(found.lost),
        "report": [_fate_fields(fate, found.id) for fate in found.fates],
        "more": [
            {
                "screen": page.id,
                "file": files[place] if files else None,
                **({"yaml": page.text} if with_text else {}),
            }
            for place, page in enumerate(found.more, 1)
        ],
        **({"yaml": found.text} if with_text else {}),
    }


def _fate_fields(fate: "Fate", screen: str) -> dict[str, Any]:
    on = (fate.screen or screen) if fate.pane else None
    return {**asdict(fate), "pane": fate.pane or None, "kind": fate.kind or None, "screen": on}
