"""Write a commented configuration from what is found.

Looks at PROMETHEUS_URL, ALERTMANAGER_URL, PG*, the PostgreSQL service file, and at the usual ports of this machine.
No password is ever written; where one is needed, the file says which variable or file should hold it.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

from opsconsole.cli.found import Found, HttpServer, look
from opsconsole.cli.output import narrate, print_json, print_text
from opsconsole.cli.wiring import UsageError
from opsconsole.config.document import parse_document
from opsconsole.config.format import CONFIGURATION
from opsconsole.config.loading import FILE_NAME
from opsconsole.config.schema import require
from opsconsole.core.exit_codes import Exit
from opsconsole.core.paths import config_home

EXAMPLE = "opsconsole init --prometheus http://127.0.0.1:9090 --postgres postgresql://ops@db/app && opsconsole check"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `init`."""
    parser.description = __doc__
    parser.add_argument("path", nargs="?", metavar="PATH", help="the file or folder to write to (default: your own)")
    parser.add_argument("--prometheus", metavar="URL", default="", help="the Prometheus to use")
    parser.add_argument("--postgres", metavar="DSN", help="the PostgreSQL to use, as postgres/app")
    parser.add_argument("--force", action="store_true", help="overwrite a file that is there")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print what was found")


def run(args: argparse.Namespace) -> int:
    """Look around and write the file; its path is what is printed."""
    path = destination(args.path)
    if path.exists() and not args.force:
        raise UsageError(f"{path} exists; overwrite it with --force, or name another PATH")
    found = look(os.environ, prometheus=args.prometheus, postgres=args.postgres)
    text = configuration(found)
    require(parse_document(text, str(path)), CONFIGURATION)  # what is written is what `check` accepts
    _write(path, text, overwrite=args.force)
    for server in (found.prometheus, found.alertmanager):
        if server:
            narrate(f"{server.url}: {server.said}")
    for note in found.notes:
        narrate(note)
    if not found.prometheus and not found.postgres:
        narrate("nothing was found; fill the file in, or try: opsconsole demo")
    if args.format == "json":
        urls = [server.url if server else None for server in (found.prometheus, found.alertmanager)]
        print_json({"file": path, "prometheus": urls[0], "alertmanager": urls[1], "postgres": list(found.postgres)})
    else:
        print_text(path)
    narrate(
        "next: opsconsole check" if path == config_home() / FILE_NAME else f"next: opsconsole check --config {path}"
    )
    return Exit.DONE


def destination(named: str | None) -> Path:
    """The file to write: the one named, `opsconsole.yaml` in the folder named, or the user's own."""
    path = Path(named or os.environ.get("OPSCONSOLE_CONFIG") or config_home() / FILE_NAME)
    return path / FILE_NAME if path.is_dir() else path


def configuration(found: Found) -> str:
    """The text of the file."""
    parts = [_HEAD]
    parts.append(_http("prometheus", found.prometheus, "http://127.0.0.1:9090"))
    parts.append(_http("alertmanager", found.alertmanager, "http://127.0.0.1:9093"))
    parts.append(
        "    # Any number of databases, by name; screens and runbooks say postgres/NAME. Passwords belong into\n"
    )
    parts.append("    # ~/.pgpass or a service file; the role needs pg_monitor to see everything.\n")
    if found.postgres:
        parts.append("    postgres:\n")
        parts += [
            f"      {name}: {{dsn: {_quote(dsn)}, statement_timeout: 5s}}\n" for name, dsn in found.postgres.items()
        ]
    else:
        parts.append("    # postgres:\n")
        parts.append('    #   app: {dsn: "postgresql://ops@127.0.0.1/app", statement_timeout: 5s}\n')
    parts.append(_TAIL)
    return "".join(parts)


def _http(name: str, server: HttpServer | None, usual: str) -> str:
    if server is None:
        return f"    # {name}: {{url: {_quote(usual)}, timeout: 5s}}\n"
    keys = [f"url: {_quote(server.url)}", "timeout: 5s"]
    if server.username:
        keys += [f"username: {_quote(server.username)}", f"password: {{env: {server.password_variable}}}"]
    return f"    {name}: {{{', '.join(keys)}}}\n"


def _quote(text: str) -> str:
    """`text` as a double-quoted YAML scalar: JSON's, whose escapes YAML shares."""
    return json.dumps(text, ensure_ascii=False)


def _write(path: Path, text: str, *, overwrite: bool) -> None:
    """Write the whole file or nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    try:
        if not overwrite:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            return
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except FileExistsError:
        raise UsageError(f"{path} exists; overwrite it with --force, or name another PATH") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


_HEAD = """\
# The configuration of opsconsole; docs/configuration.md says what else can stand here.
# Check it with: opsconsole check
version: 1
default_environment: local

environments:
  local:
    # banner: red        the header's colour, so that production looks like production
    mode: guarded        # read-only | guarded | open; guarded: a write asks, a destructive one asks for the name
"""

_TAIL = """\
    # airflow: {url: "http://127.0.0.1:8080", username: ops, password: {env: AIRFLOW_PASSWORD}, metadata: airflow}
    # redis: {url: "redis://127.0.0.1:6379/0"}

    # Your own content; without these lines the shipped screens and runbooks are used. Paths start at this file.
    # services: services.yaml
    # screens: screens
    # runbooks: runbooks

    # Environment variables for the shell steps of runbooks:
    # env: {AIRFLOW_HOME: /opt/airflow, API_TOKEN: {file: /run/secrets/api}}

# Who may do what, by operating-system user or %group; without this section everybody may do everything.
# roles: {viewer: ["*"], operator: ["%ops"], admin: [root]}
"""
