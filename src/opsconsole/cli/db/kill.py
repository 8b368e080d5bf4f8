"""End a session, or cancel what it does: the one that has this number now, and no later one."""

import argparse

from opsconsole.cli.db import repairing

EXAMPLE = """\
opsconsole db kill 8123 --confirm 8123
  opsconsole db kill 8123 --cancel --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db kill`."""
    parser.description = __doc__
    repairing.add_arguments(parser)
    parser.add_argument("pid", metavar="PID", type=int, help="as `db activity` or `db locks` shows it")
    parser.add_argument("--cancel", action="store_true", help="only cancel its statement; the session stays")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    from opsconsole.cli.db.opening import ask
    from opsconsole.cli.db.printing import narrate_notes
    from opsconsole.cli.output import narrate
    from opsconsole.cli.wiring import UsageError
    from opsconsole.core.duration import duration_text
    from opsconsole.core.exit_codes import Exit
    from opsconsole.database.sessions import read_sessions
    from opsconsole.runbooks.repair import Repair

    activity = ask(args, read_sessions)
    session = activity.by_pid().get(args.pid)
    if session is None:
        raise UsageError(f"there is no session {args.pid}; opsconsole db activity lists them")
    if session.hidden:
        whose = f"{session.role}'s" if session.role else "the server's own"
        narrate(f"opsconsole: nothing was sent: session {session.pid} is {whose}, and hidden from this role")
        narrate_notes(activity.coverage.notes)
        return Exit.GUARDED
    who = f"{session.pid} ({session.role or session.kind} {session.application})".replace(" )", ")")
    taken = session.transaction_seconds
    since = f", in its transaction for {duration_text(taken)}" if taken is not None else ""
    why = f"it is {session.doing}{since}; {' '.join(session.query.split())}"
    named = {"pid": str(session.pid), "backend_start": session.backend_start}
    repair = Repair("postgres.terminate", named, f"End session {who}", why)
    if args.cancel:
        repair = Repair("postgres.cancel", named, f"Cancel the statement of {who}", why)
    return repairing.carry_out(args, repair)
