"""Take back that somebody knows of a kind of error."""

import argparse
from typing import TYPE_CHECKING

from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.errors.asking import Errors

EXAMPLE = "opsconsole errors unmute 3f9c1a2b7d04"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `errors unmute`."""
    from opsconsole.cli.errors.opening import add_common

    parser.description = __doc__
    add_common(parser)
    parser.add_argument("fingerprint", metavar="FINGERPRINT", help="the whole of it")


def run(args: argparse.Namespace) -> int:
    """Forget it."""
    from opsconsole.cli.errors.opening import ask
    from opsconsole.cli.output import narrate, print_json
    from opsconsole.cli.wiring import remembering_of
    from opsconsole.errors.memory import MemoryLostError
    from opsconsole.store.journal import JournalError

    async def forget(errors: "Errors") -> bool:
        with remembering_of(args, "errors.unmute", f"take back the mute of {args.fingerprint}", args.fingerprint):
            return await errors.unmute(args.fingerprint)

    try:
        was_muted = ask(args, forget)
    except (MemoryLostError, JournalError) as error:
        narrate(f"opsconsole: not unmuted: {error}")
        return Exit.FAILED
    if args.format == "json":
        print_json({"fingerprint": args.fingerprint, "muted": False})
    else:
        narrate("unmuted" if was_muted else "it was not muted")
    return Exit.DONE if was_muted else Exit.FAILED
