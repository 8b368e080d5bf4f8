"""Groups of commands: a verb is a module of the group's package, imported when it is asked for."""

import argparse
from collections.abc import Mapping


def add_verbs(
    parser: argparse.ArgumentParser, package: str, verbs: Mapping[str, str], *, required: bool = True
) -> None:
    """`verbs` -> their lines in the help; each lives in `package.VERB` (`_` for `-`), which has
    `add_arguments` and `run`.

    Without `required` the group is a command by itself as well."""
    from opsconsole.cli.main import CommandParser

    commands = parser.add_subparsers(
        title="commands",
        metavar="COMMAND",
        dest=f"{package.rpartition('.')[2]}_command",
        required=required,
        parser_class=CommandParser,
    )
    for verb, summary in verbs.items():
        commands.add_parser(verb, help=summary, module=f"{package}.{verb.replace('-', '_')}")
