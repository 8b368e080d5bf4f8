"""Replication: how far each standby is behind, what slots keep of the log, and where this server is itself.

Exit 1 where a standby, a slot or the archive needs somebody.
"""

import argparse
from typing import TYPE_CHECKING

from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import fields_of, narrate_notes, print_reading, size
from opsconsole.cli.output import narrate, print_table
from opsconsole.core.duration import duration_text
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.database.replication import Replication, Standby

EXAMPLE = """\
opsconsole db replication
  opsconsole db replication --format json"""

_STANDBYS = ("STANDBY", "CLIENT", "STATE", "MODE", "LAG", "BEHIND", "UNFLUSHED", "UNSENT")
_SLOTS = ("SLOT", "KIND", "ACTIVE", "STATUS", "KEEPS", "ROOM")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db replication`."""
    parser.description = __doc__
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    from opsconsole.core.state import State
    from opsconsole.database.replication import read_replication

    found = ask(args, read_replication)
    healths = [*(one.health for one in found.standbys), *(one.health for one in found.slots)]
    bad = any(one is not State.OK for one in healths) or found.log.archive_failing
    if args.format == "json":
        print_reading("replication", _fields(found), found.taken_at, found.coverage.notes)
        return Exit.FAILED if bad else Exit.DONE
    print_table(_STANDBYS, [_standby(one) for one in found.standbys])
    if found.slots:
        rows = (
            (
                one.name,
                one.kind,
                "yes" if one.active else "no",
                one.status,
                size(one.retained_bytes),
                size(one.room_bytes),
            )
            for one in found.slots
        )
        print_table(_SLOTS, rows)
    log = found.log
    narrate(f"{'standby' if log.standby else 'primary'} at {log.position}")
    if log.standby:
        lag = "unknown" if log.replay_lag_seconds is None else duration_text(log.replay_lag_seconds)
        paused = "; replay is paused" if log.paused else ""
        narrate(f"receiver: {log.receiver or 'none'}; {size(log.unreplayed_bytes)} and {lag} behind{paused}")
    if log.archive_failing:
        narrate(f"archiving fails, at {log.failed_file}")
    narrate_notes(found.coverage.notes)
    return Exit.FAILED if bad else Exit.DONE


def _standby(one: "Standby") -> tuple[object, ...]:
    lag = None if one.lag_seconds is None else duration_text(one.lag_seconds)
    behind = (size(one.behind_bytes), size(one.unflushed_bytes), size(one.unsent_bytes))
    return (one.name, one.client, one.state, one.mode, lag, *behind)


def _fields(found: "Replication") -> dict[str, object]:
    return {
        "log": fields_of(found.log),
        "standbys": [{**fields_of(one), "health": one.health} for one in found.standbys],
        "slots": [{**fields_of(one), "health": one.health} for one in found.slots],
    }
