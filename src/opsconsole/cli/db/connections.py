"""Connections: how many of those that may be, who has them, and how large a pool would do, with the arithmetic."""

import argparse

from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import fields_of, narrate_notes, print_reading, share
from opsconsole.cli.output import narrate, print_table
from opsconsole.core.exit_codes import Exit

EXAMPLE = """\
opsconsole db connections --by application
  opsconsole db connections --format json"""

_KEYS = {"user": "role", "state": "state", "application": "application", "database": "database", "client": "client"}
_COLUMNS = ("NAME", "CONNECTIONS", "LIMIT", "ACTIVE", "WAITING", "IDLE IN TX")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db connections`."""
    add_common(parser)
    parser.add_argument("--by", choices=tuple(_KEYS), default="user", help="whom to count by (user)")


def run(args: argparse.Namespace) -> int:
    """Print them. Exit 1 where they come to their end."""
    from opsconsole.core.state import State
    from opsconsole.database.connections import pool_advice, read_connections
    from opsconsole.database.sessions import CLIENT, Key, grouped

    found = ask(args, read_connections)
    advice = pool_advice(found)
    key: Key = _KEYS[args.by]  # type: ignore[assignment]
    groups = grouped([one for one in found.activity.sessions if one.kind == CLIENT], key)
    limits = {"role": found.limits.roles, "database": found.limits.databases}.get(key, {})
    if args.format == "json":
        document = {
            **{
                f"{name}_connections": value
                for name, value in fields_of(found.limits).items()
                if name in ("most", "reserved")
            },
            "usable_connections": found.limits.usable,
            "used": found.used,
            "share": found.share,
            "state": found.state,
            "busy": found.busy,
            "busy_mean": found.busy_mean,
            "role_limits": found.limits.roles,
            "database_limits": found.limits.databases,
            "by": args.by,
            "groups": groups,
            "pool": advice,
        }
        print_reading("connections", document, found.taken_at, found.coverage.notes)
        return Exit.DONE if found.state is State.OK else Exit.FAILED
    rows = (
        (one.name or "-", one.count, limits.get(one.name), one.active, one.waiting, one.idle_in_transaction)
        for one in groups
    )
    print_table(_COLUMNS, rows)
    narrate(
        f"{found.used} of {found.limits.usable} connections ({share(found.share)}); {found.limits.reserved} reserved"
    )
    narrate(f"a pool of {advice.size} would do: {advice.arithmetic}")
    narrate_notes(found.coverage.notes)
    return Exit.DONE if found.state is State.OK else Exit.FAILED
