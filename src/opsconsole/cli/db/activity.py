"""The sessions of a database server: what each does, for how long, and what it waits for.

What needs somebody stands first: transactions that do nothing, and waiting for locks; then the longest.
"""

import argparse
from typing import TYPE_CHECKING, Any

from opsconsole.cli.arguments import duration
from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import fields_of, narrate_notes, print_reading
from opsconsole.cli.output import print_table
from opsconsole.core.duration import duration_text
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.database.sessions import Activity, Group, Key, Session

EXAMPLE = """\
opsconsole db activity --state 'idle in transaction' --min-duration 1m
  opsconsole db activity --group-by application --format json"""

_COLUMNS = ("PID", "STATE", "WAIT", "TX", "QUERY FOR", "ROLE", "DATABASE", "APPLICATION", "CLIENT", "QUERY")
_GROUP_COLUMNS = ("NAME", "SESSIONS", "ACTIVE", "WAITING", "IDLE IN TX", "LONGEST")
_GROUPS: "dict[str, Key]" = {
    "state": "state", "role": "role", "user": "role", "application": "application", "database": "database",
    "client": "client",
}  # fmt: skip
"""What --group-by knows; a role by its other name, too, under which --user and `db connections --by` have it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db activity`."""
    add_common(parser)
    parser.add_argument("--state", default="", metavar="STATE", help="active, idle, 'idle in transaction', …")
    parser.add_argument("--user", default="", metavar="ROLE", help="only sessions of this role")
    parser.add_argument("--app", default="", metavar="TEXT", help="only where the application's name has this in it")
    parser.add_argument("--database", default="", metavar="NAME", help="only sessions in this database")
    parser.add_argument(
        "--min-duration", type=duration, default=0.0, metavar="TIME", help="only what takes longer than 10s, 5m"
    )
    parser.add_argument("--group-by", choices=tuple(_GROUPS), help="count them instead of listing them")
    parser.add_argument("--all", action="store_true", help="the server's own processes and the console's too")


def run(args: argparse.Namespace) -> int:
    """List or count the sessions."""
    from opsconsole.database.sessions import Filter, grouped, most_telling_first, read_sessions

    activity = ask(args, read_sessions)
    wanted = Filter(args.state, args.user, args.app, args.database, args.min_duration, args.all)
    sessions = most_telling_first(one for one in activity.sessions if wanted.admits(one))
    if args.group_by:
        _print_groups(activity, grouped(sessions, _GROUPS[args.group_by]), args.format)
    else:
        _print_sessions(activity, sessions, args.format)
    return Exit.DONE


def session_fields(session: "Session") -> dict[str, Any]:
    """One session as JSON has it. Fields may be added; none is renamed."""
    return {**fields_of(session), "workers": [one.pid for one in session.workers]}


def _print_sessions(activity: "Activity", sessions: "list[Session]", form: str) -> None:
    if form == "json":
        fields = [session_fields(one) for one in sessions]
        print_reading("sessions", fields, activity.taken_at, activity.coverage.notes)
        return
    print_table(_COLUMNS, map(_row, sessions))
    narrate_notes(activity.coverage.notes)


def _row(session: "Session") -> tuple[object, ...]:
    workers = f" +{len(session.workers)}" if session.workers else ""
    return (
        session.pid,
        session.doing + workers,
        ": ".join(filter(None, (session.wait_type, session.wait))),
        _lasting(session.transaction_seconds),
        _lasting(session.query_seconds if session.active else None),
        session.role,
        session.database,
        session.application,
        session.origin or None,
        " ".join(session.query.split()),
    )


def _print_groups(activity: "Activity", groups: "list[Group]", form: str) -> None:
    if form == "json":
        print_reading("groups", groups, activity.taken_at, activity.coverage.notes)
        return
    rows = (
        (group.name or "-", group.count, group.active, group.waiting, group.idle_in_transaction,
         _lasting(group.longest_seconds))
        for group in groups
    )  # fmt: skip
    print_table(_GROUP_COLUMNS, rows)
    narrate_notes(activity.coverage.notes)


def _lasting(seconds: float | None) -> str | None:
    return None if seconds is None else duration_text(seconds)
