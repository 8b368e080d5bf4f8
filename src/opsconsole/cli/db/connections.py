"""Connections: how many of those that may be, who has them, and how large a pool would do, with the arithmetic.

Where a PgBouncer is configured beside the database (`pooler:`), its pools: who waits, and what they may take.
"""

import argparse
from typing import TYPE_CHECKING, Any

from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import fields_of, narrate_notes, print_reading, share
from opsconsole.cli.output import narrate, print_table, print_text
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.database.connections import Connections
    from opsconsole.database.pooler import Pool
    from opsconsole.database.sessions import Key

EXAMPLE = """\
opsconsole db connections --by application
  opsconsole db connections --format json"""

_KEYS: "dict[str, Key]" = {
    "user": "role",
    "state": "state",
    "application": "application",
    "database": "database",
    "client": "client",
}
_COLUMNS = ("NAME", "CONNECTIONS", "LIMIT", "ACTIVE", "WAITING", "IDLE IN TX")

_POOL_COLUMNS = (
    "DATABASE", "USER", "STATE", "MODE", "CLIENTS", "WAITING", "LONGEST", "ACTIVE", "IDLE", "USED", "LOGIN", "SIZE",
    "RESERVE",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db connections`."""
    add_common(parser)
    parser.add_argument("--by", choices=tuple(_KEYS), default="user", help="whom to count by (user)")


def run(args: argparse.Namespace) -> int:
    """Print them. Exit 1 where they come to their end, where clients wait for a pool, or its pooler is silent."""
    from opsconsole.core.state import State
    from opsconsole.database.connections import pool_advice, read_connections
    from opsconsole.database.pooler import pooler_coverage
    from opsconsole.database.sessions import grouped

    found = ask(args, read_connections)
    advice = pool_advice(found)
    fine = found.state is State.OK and (found.pooler is None or found.pooler.state is State.OK)
    code = Exit.DONE if fine else Exit.FAILED
    notes = (found.coverage + pooler_coverage(found.pooler) if found.pooler is not None else found.coverage).notes
    key = _KEYS[args.by]
    groups = grouped([one for one in found.activity.sessions if one.of_client], key)
    limits = {"role": found.limits.roles, "database": found.limits.databases}.get(key, {})
    if args.format == "json":
        document = {**_fields(found), "by": args.by, "groups": groups, "pool": advice, "pooler": _pooler_fields(found)}
        print_reading("connections", document, found.taken_at, notes)
        return code
    rows = (
        (one.name or "-", one.count, limits.get(one.name), one.active, one.waiting, one.idle_in_transaction)
        for one in groups
    )
    print_table(_COLUMNS, rows)
    narrate(
        f"{found.used} of {found.limits.usable} connections ({share(found.share)}); {found.limits.reserved} reserved"
    )
    narrate(f"a pool of {advice.size} would do: {advice.arithmetic}")
    _print_pools(found)
    narrate_notes(notes)
    return code


def _fields(found: "Connections") -> dict[str, Any]:
    """How many there are, and how many there may be."""
    limits = found.limits
    return {
        "most_connections": limits.most,
        "reserved_connections": limits.reserved,
        "usable_connections": limits.usable,
        "used": found.used,
        "share": found.share,
        "state": found.state,
        "busy": found.busy,
        "busy_mean": found.busy_mean,
        "role_limits": limits.roles,
        "database_limits": limits.databases,
    }


def _print_pools(found: "Connections") -> None:
    """The pools as a second table, and what follows from them."""
    from opsconsole.database.pooler_findings import pooler_findings, reach

    pooler = found.pooler
    if pooler is None or pooler.taken_at is None:
        return
    print_text("")
    print_table(_POOL_COLUMNS, map(_pool_row, pooler.pools))
    whole = reach(pooler, found.database)
    narrate(f"PgBouncer {pooler.version}: {pooler.servers} server connections, {pooler.waiting} clients wait")
    taken = f"the pools have {whole.now} of {found.limits.usable} usable, and may have {whole.arithmetic}"
    narrate(whole.unknown or taken)
    for one in pooler_findings(found):
        narrate(f"{one.state} {one.subject}: {one.title}: {one.why}. {one.advice}")


def _pool_row(pool: "Pool") -> tuple[object, ...]:
    from opsconsole.core.duration import duration_text

    wait = None if pool.longest_wait is None else duration_text(pool.longest_wait)
    closed = "paused" if pool.paused else "disabled" if pool.disabled else str(pool.state)
    return (
        pool.database, pool.user, closed, pool.mode, pool.clients_active, pool.clients_waiting, wait,
        pool.servers_active, pool.servers_idle, pool.servers_used, pool.servers_login, pool.size, pool.reserve,
    )  # fmt: skip


def _pooler_fields(found: "Connections") -> dict[str, Any] | None:
    """The pooler as JSON has it; null where none is configured."""
    from opsconsole.database.pooler_findings import pooler_findings, reach

    pooler = found.pooler
    if pooler is None:
        return None
    whole = reach(pooler, found.database)
    fields = {name: value for name, value in fields_of(pooler).items() if name != "coverage"}
    pools = [{**fields_of(one), "servers": one.servers, "state": one.state, "full": one.full} for one in pooler.pools]
    return {**fields, "state": pooler.state, "pools": pools, "reach": whole, "findings": tuple(pooler_findings(found))}
