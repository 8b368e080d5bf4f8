"""`opsconsole`: which command was meant, its exit code, and what is said when something goes wrong.

A command's module is imported when that command is invoked: `--help` costs nothing, and a headless command
never loads what only the screen needs.
"""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

from opsconsole import __version__
from opsconsole.core.exit_codes import Exit

COMMANDS = {
    "demo": "bring up a complete live platform on this machine, and open the console on it",
    "init": "write a commented configuration from what is found",
    "check": "validate every content file, and probe each source",
    "status": "read everything once; the exit code is the state",
    "runbook": "list, show, check and run runbooks",
    "pipeline": "Airflow: DAGs, runs, tasks, logs, what failed and why, and what repairs it",
    "alert": "alerts of Prometheus and Alertmanager as one list, and who is notified, now or at any time",
    "sla": "what was promised: how much of it is kept, what is left of the budget, and the weekly report",
    "errors": "what goes wrong everywhere, by kind: what is new, how often, since when, with samples",
    "monitoring": "rules, routes and dashboards made from config/ and screens/; rule files looked at; drift",
    "screens": "make screens of Grafana dashboards",
    "db": "the PostgreSQL workbench: sessions, locks, queries, tables, indexes, and what repairs them",
    "audit": "what was done, by whom, and how it ended",
}
"""Command -> its line in the help. `demo` lives in `cli/demo.py`, and so on."""

_CONSOLE = "opsconsole.cli.console"
_EXAMPLE = """\
examples:
  opsconsole demo                                     a live platform to try it on
  opsconsole init && opsconsole check                 a configuration of your own
  opsconsole --prometheus http://127.0.0.1:9090       the console, on one Prometheus
  opsconsole status --format json                     for scripts
"""


class CommandParser(argparse.ArgumentParser):
    """A parser whose arguments come from its command's module, when it is used.

    The module has `add_arguments(parser)` and `run(args) -> int`; its `EXAMPLE`, if any, ends the help.
    """

    def __init__(self, *args: Any, module: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)
        self._module = module

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As the base class, after the command's module has added its arguments."""
        if self._module:
            name, self._module = self._module, ""
            module = importlib.import_module(name)
            self.description = self.description or _first_line(module)
            module.add_arguments(self)
            example = getattr(module, "EXAMPLE", "")
            self.epilog = self.epilog or (f"example:\n  {example}" if example else None)
            self.set_defaults(module=name)
        if self.prog.split()[1:2] not in _STANDALONE:
            add_common_options(self)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, and where help is."""
        from opsconsole.core.clean import clean_line

        sys.stderr.write(f"{self.prog}: {clean_line(message)}\nTry: {self.prog} --help\n")
        raise SystemExit(int(Exit.USAGE))


_STANDALONE = (["demo"], ["init"], ["screens"])
"""Commands that work without a configuration; the options that name one mean nothing to them."""

_COMMON: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--config", {"metavar": "FILE", "help": "the configuration (opsconsole.yaml)"}),
    ("--env", {"metavar": "NAME", "help": "the environment in it"}),
    ("--prometheus", {"metavar": "URL", "help": "this Prometheus"}),
    ("--postgres", {"metavar": "DSN", "help": "this PostgreSQL, as postgres/app"}),
    ("--read-only", {"action": "store_true", "help": "change nothing, whatever comes"}),
)


def add_common_options(parser: CommandParser) -> None:
    """The options that say where and on what terms; those that `parser` has of its own are left alone.

    They can stand before and after the command. Absent after it means what stood before it.
    """
    where = parser.add_argument_group("where")
    for name, given in _COMMON:
        if name not in parser._option_string_actions:
            where.add_argument(name, default=argparse.SUPPRESS, **given)


def build_parser() -> CommandParser:
    """The whole grammar, commands as yet without their arguments."""
    parser = CommandParser(
        prog="opsconsole",
        description="An operations console for the terminal: what is wrong, and the runbook that repairs it.\n"
        "Without a command it opens the console.",
        epilog=_EXAMPLE,
    )
    parser.add_argument("--version", action="version", version=f"opsconsole {__version__}")
    parser.add_argument("--screen", metavar="ID", help="open the console on this screen")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", parser_class=CommandParser)
    for name, summary in COMMANDS.items():
        commands.add_parser(name, help=summary, module=f"opsconsole.cli.{name}")
    parser.set_defaults(module=_CONSOLE, config=None, env=None, prometheus=None, postgres=None, read_only=False)
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the command line `argv`, without the program's name. Returns the exit code."""
    _make_streams_forgiving()
    try:
        args = build_parser().parse_args(argv)
        code = int(importlib.import_module(args.module).run(args))
        _flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception as error:
        return _explain(error)
    return code


def entry() -> NoReturn:
    """The script `opsconsole`."""
    sys.exit(main(sys.argv[1:]))


def _explain(error: Exception) -> int:
    """Say what went wrong, and choose the exit code."""
    from opsconsole.cli.output import narrate, print_problems
    from opsconsole.cli.wiring import UsageError
    from opsconsole.config.secrets import SecretError
    from opsconsole.core.problem import ContentError
    from opsconsole.core.reading import SourceError
    from opsconsole.store.journal import JournalError

    match error:
        case ContentError():
            print_problems(error.problems)
            return Exit.USAGE
        case UsageError():
            narrate(f"opsconsole: {error}")
            return Exit.USAGE
        case SecretError() | SourceError() | JournalError() | OSError() if _is_expected(error):
            narrate(f"opsconsole: {error}")
            return Exit.FAILED
    from opsconsole.config.secrets import known_secrets
    from opsconsole.ui import crash

    secrets = known_secrets()
    narrate(crash.message(error, crash.write_log(error, secrets), secrets))
    return Exit.FAILED


def _is_expected(error: Exception) -> bool:
    """Whether the message alone tells the operator what to do: a full disk, yes; a bug, no."""
    import errno

    if not isinstance(error, OSError):
        return True
    return error.errno in (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT)


def _make_streams_forgiving() -> None:
    """A character that the terminal's encoding lacks must not end the program."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _first_line(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().partition("\n")[0]


if __name__ == "__main__":
    entry()
