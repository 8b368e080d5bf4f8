"""Say that somebody knows of a kind of error: it is not new any more, and is listed last.

It is kept in the state folder of this machine, with name and time; nothing else is told. Counts go on.
"""

import argparse

from opsconsole.core.exit_codes import Exit

EXAMPLE = "opsconsole errors mute 3f9c1a2b7d04 --for 3d --note OPS-17"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `errors mute`."""
    from opsconsole.cli.errors.opening import add_common

    parser.description = __doc__
    add_common(parser)
    parser.add_argument("fingerprint", metavar="FINGERPRINT", help="as opsconsole errors lists it")
    parser.add_argument("--for", metavar="TIME", dest="lasting", default="", help="for how long (for good)")
    parser.add_argument("--note", metavar="TEXT", default="", help="why, or where it is looked after")


def run(args: argparse.Namespace) -> int:
    """Remember it."""
    import os
    import time

    from opsconsole.actions.guard import login_of, user_name
    from opsconsole.cli.errors.opening import ask, chosen
    from opsconsole.cli.output import narrate, print_json
    from opsconsole.cli.wiring import UsageError, remembering_of
    from opsconsole.core.duration import parse_duration
    from opsconsole.errors.asking import Errors
    from opsconsole.errors.memory import MemoryLostError
    from opsconsole.errors.model import Kind, Mute
    from opsconsole.errors.report import muting_title
    from opsconsole.store.journal import JournalError

    now = time.time()
    try:
        until = now + parse_duration(args.lasting) if args.lasting else None
    except ValueError as error:
        raise UsageError(f"--for: {error}") from None
    mute = Mute(login_of() or user_name(os.getuid()), now, until, args.note)

    async def remember(errors: Errors) -> Kind:
        kind = chosen(await errors.survey(), args.fingerprint)
        with remembering_of(args, "errors.mute", muting_title(kind, mute), kind.fingerprint):
            await errors.mute(kind.fingerprint, mute)
        return kind

    try:
        kind = ask(args, remember)
    except (MemoryLostError, JournalError) as error:
        narrate(f"opsconsole: not muted: {error}")
        return Exit.FAILED
    if args.format == "json":
        print_json({"fingerprint": kind.fingerprint, "muted": True})
    else:
        narrate(f"muted: {kind.example}")
    return Exit.DONE
