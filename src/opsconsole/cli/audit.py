"""What was done, by whom, and how it ended; and whether that record is as it was written.

`audit list` shows the attempts, oldest first: refused, declined and failed ones too. An attempt without an end is
`unknown`: it runs, or what ran it died. `audit verify` exits with 1 where the journal was changed after the fact.
"""

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from opsconsole.cli.arguments import count
from opsconsole.cli.output import narrate, print_json, print_problems, print_table, problem_fields, rfc3339
from opsconsole.cli.wiring import UsageError, open_journal, resolve_settings
from opsconsole.core.duration import duration_text, parse_duration
from opsconsole.core.exit_codes import Exit
from opsconsole.core.problem import ContentError

if TYPE_CHECKING:
    from opsconsole.store.entry import Entry
    from opsconsole.store.journal import Journal

EXAMPLE = """\
opsconsole audit list --since 24h --actor alice
  opsconsole audit list --target 'energy-*' --outcome failed --format json
  opsconsole audit verify"""

_COLUMNS = ("AT (UTC)", "ACTOR", "ENVIRONMENT", "ACTION", "TARGET", "RISK", "OUTCOME", "TOOK", "COMMAND")
_OUTCOMES = ("ok", "warn", "failed", "timed-out", "cancelled", "refused", "declined", "unapproved", "unknown")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `audit`."""
    parser.description = __doc__
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="audit_command", required=True)
    listing = commands.add_parser("list", help="the attempts, oldest first")
    listing.add_argument("--since", metavar="WHEN", help="a duration (24h, 7d), a date, or an RFC 3339 time")
    listing.add_argument("--until", metavar="WHEN", help="likewise")
    listing.add_argument("--actor", metavar="NAME", help="operating-system user; * stands for anything")
    listing.add_argument("--action", metavar="ID", help="for example runbook.step; * stands for anything")
    listing.add_argument("--target", metavar="NAME", help="what it touched; * stands for anything")
    listing.add_argument("--outcome", choices=_OUTCOMES, metavar="OUTCOME", help=", ".join(_OUTCOMES))
    listing.add_argument("--run", metavar="ID", help="the steps of one runbook run")
    listing.add_argument("--limit", metavar="N", type=count, default=100, help="the newest N (100); 0: all")
    verifying = commands.add_parser("verify", help="whether anything was edited or removed")
    for command in (listing, verifying):
        command.add_argument("--format", choices=("table", "json"), default="table", help="how to print it")


def run(args: argparse.Namespace) -> int:
    """List or verify, and choose the exit code."""
    from opsconsole.store.journal import JournalError

    try:
        journal = _journal(args)
        return _verify(journal, args) if args.audit_command == "verify" else _list(journal, args)
    except JournalError as error:
        narrate(f"opsconsole: {error}")
        return Exit.FAILED


def entry_fields(entry: "Entry") -> dict[str, Any]:
    """One attempt as `audit list --format json` has it. Fields may be added; none is renamed."""
    intent, conclusion = entry.intent, entry.conclusion
    return {
        "at": rfc3339(intent.at),
        "actor": intent.actor,
        "host": intent.host,
        "environment": intent.environment,
        "action": intent.action,
        "target": intent.target,
        "risk": intent.risk,
        "command": intent.command,
        "outcome": entry.outcome,
        "duration": conclusion.duration if conclusion else None,
        "run": intent.run or None,
        "incident": intent.incident or None,
        "title": intent.title,
        "exit_code": conclusion.exit_code if conclusion else None,
        "detail": conclusion.detail if conclusion else "",
        "attempt": intent.attempt,
        "details": dict(intent.details),
    }


def moment(text: str, now: datetime) -> float:
    """Unix seconds of a duration before `now`, a date (UTC) or an RFC 3339 time.

    Raises:
        UsageError: none of these.
    """
    try:
        return now.timestamp() - parse_duration(text)
    except ValueError:
        pass
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        expected = "24h, 7d, 2026-11-21 or 2026-11-21T14:00:00Z"
        raise UsageError(f"{text!r} is neither a duration nor a time; write for example {expected}") from None
    return (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()


def _list(journal: "Journal", args: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    span = {name: moment(text, now) for name in ("since", "until") if (text := getattr(args, name))}
    texts: Mapping[str, str | None] = {
        name: getattr(args, name) for name in ("actor", "action", "target", "outcome", "run")
    }
    entries = journal.entries(
        since=span.get("since"), until=span.get("until"), environment=args.env, limit=args.limit or None, **texts
    )
    if args.format == "json":
        print_json([entry_fields(entry) for entry in entries])
        return Exit.DONE
    print_table(_COLUMNS, map(_row, entries))
    if args.limit and len(entries) == args.limit:
        narrate(f"the newest {args.limit}; there may be more: --limit 0 shows all")
    return Exit.DONE


def _row(entry: "Entry") -> tuple[object, ...]:
    intent, conclusion = entry.intent, entry.conclusion
    return (
        datetime.fromtimestamp(intent.at, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        intent.actor,
        intent.environment,
        intent.action,
        intent.target,
        intent.risk,
        entry.outcome,
        duration_text(conclusion.duration) if conclusion else None,
        intent.command.strip(),
    )


def _verify(journal: "Journal", args: argparse.Namespace) -> int:
    problems = journal.verify()
    head = None if any(problem.code == "damaged" for problem in problems) else journal.head()
    if args.format == "json":
        print_json(
            {
                "files": [str(getattr(journal, "path", ""))],
                "problems": [problem_fields(problem) for problem in problems],
                "records": head.seq if head else 0,
                "head": head.hash if head else None,
            }
        )
    elif problems:
        print_problems(problems, on_stdout=True)
    elif head:
        print(f"{head.seq} records, unbroken. The last one's hash is {head.hash}")
    else:
        print("no records yet")
    return Exit.FAILED if problems else Exit.DONE


def _journal(args: argparse.Namespace) -> "Journal":
    """The configured journal, or where no configuration can be had the one in the state folder: the record of what
    was done must be readable then, too."""
    from opsconsole.store import open_journal as open_at

    try:
        return open_journal(resolve_settings(args))
    except UsageError:
        return open_at()
    except ContentError as error:
        print_problems(error.problems)
        narrate("the configuration is not valid; this is the journal in the state folder")
        return open_at()
