"""Take back that somebody knows of a kind of error."""

import argparse

from opsconsole.core.exit_codes import Exit

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
    from opsconsole.errors.memory import MemoryLostError

    try:
        was_muted = ask(args, lambda errors: errors.unmute(args.fingerprint))
    except MemoryLostError as error:
        narrate(f"opsconsole: not unmuted: {error}")
        return Exit.FAILED
    if args.format == "json":
        print_json({"fingerprint": args.fingerprint, "muted": False})
    else:
        narrate("unmuted" if was_muted else "it was not muted")
    return Exit.DONE if was_muted else Exit.FAILED
