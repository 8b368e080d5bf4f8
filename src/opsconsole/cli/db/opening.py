"""Which database a verb of `db` is about, and asking it."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from opsconsole.config.settings import Environment
    from opsconsole.database.asking import Database

T = TypeVar("T")


def add_common(parser: argparse.ArgumentParser, *formats: str) -> None:
    """The arguments that every verb takes; `formats` beside table and json."""
    parser.add_argument("--conn", metavar="NAME", help="the database: a name under postgres: in the configuration")
    parser.add_argument("--format", choices=("table", "json", *formats), default="table", help="how to print it")


def ask(args: argparse.Namespace, read: "Callable[[Database], Awaitable[T]]") -> T:
    """What `read` makes of the database that `args` name. Connects for that, and hangs up.

    Raises:
        UsageError: no such database, or several and none named.
        SourceError: it does not answer.
    """
    from opsconsole.cli.wiring import environment_of, open_sources
    from opsconsole.database.asking import Database

    environment = environment_of(args)
    source = database_of(environment, args.conn)
    sources = open_sources(environment)
    pooler = f"pgbouncer/{source.partition('/')[2]}"
    pooler = pooler if pooler in sources.names() else ""

    async def asked() -> T:
        try:
            settings = environment.postgres[source.partition("/")[2]]
            database = Database(source, lambda query: sources.get(query.source).read(query), settings, pooler=pooler)
            return await read(database)
        finally:
            await sources.close()

    return asyncio.run(asked())


def database_of(environment: "Environment", name: str | None) -> str:
    """The source name of the database called `name`, or of the only one.

    Raises:
        UsageError: there is none of that name, or several and none is named.
    """
    from opsconsole.cli.wiring import UsageError
    from opsconsole.core.problem import nearest

    known = environment.postgres
    if not known:
        raise UsageError(f"no database is configured in {environment.name}; --postgres DSN names one right away")
    if name is None and len(known) == 1:
        return f"postgres/{next(iter(known))}"
    if name is None:
        raise UsageError(f"which database? --conn with one of: {', '.join(known)}")
    plain = name.removeprefix("postgres/")
    if plain not in known:
        raise UsageError(f"no database {plain!r} in {environment.name}{nearest(plain, known)}; {', '.join(known)}")
    return f"postgres/{plain}"
