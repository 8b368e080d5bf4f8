"""What a real server can do to the workbench: no connection left, no time left, objects that are other ones by now."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import psycopg
import pytest

from opsconsole.actions import registry
from opsconsole.actions.action import Outcome
from opsconsole.config.loading import postgres_at, settings_for
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import PostgresSettings
from opsconsole.core.reading import SourceError
from opsconsole.database.asking import Database
from opsconsole.sources.backoff import Backoff
from opsconsole.sources.postgres import PostgresSource
from opsconsole.ui.pages.page import Order, PageSpec
from opsconsole.ui.workbench.pages import PAGES
from tests.servers import PostgresServer, start_postgres


@asynccontextmanager
async def looking(server: PostgresServer, user: str = "postgres", **settings: Any) -> AsyncIterator[Database]:
    """The database as the console's own configuration would have it."""
    known = PostgresSettings("app", SecretRef.of(server.dsn(user=user)), **settings)
    source = PostgresSource(known, backoff=Backoff(jitter=lambda: 0.0))
    try:
        yield Database("postgres/app", source.read)
    finally:
        await source.close()


@pytest.mark.parametrize("spec", PAGES, ids=[spec.id for spec in PAGES])
async def test_every_page_is_read_by_a_role_without_any_right(postgres: PostgresServer, spec: PageSpec) -> None:
    postgres.psql("do $$ begin create role nobody_special login; exception when duplicate_object then null; end $$")
    page = spec.make()
    order = Order(page.sorts[0])
    async with looking(postgres, "nobody_special") as database:
        first = await page.take(database, None, order)
        sheet = page.sheet(await page.take(database, first, order), order)
    assert sheet.columns
    for row in sheet.rows:
        page.detail(first, row.key)
        page.choices(first, row.key)


@pytest.mark.parametrize("spec", PAGES, ids=[spec.id for spec in PAGES])
async def test_a_page_that_is_given_no_time_fails_and_is_read_the_next_time(
    postgres: PostgresServer, spec: PageSpec
) -> None:
    page = spec.make()
    order = Order(page.sorts[0])
    async with looking(postgres, statement_timeout=0.001) as database:
        kinds = []
        try:
            page.sheet(await page.take(database, None, order), order)  # it was quick enough, or says what it lacks
        except SourceError as error:
            kinds.append(error.kind)
        assert set(kinds) <= {"timeout"}
    async with looking(postgres) as database:
        assert page.sheet(await page.take(database, None, order), order).columns


async def test_without_a_connection_left_it_says_so_and_comes_back() -> None:
    settings = ["max_connections=6", "superuser_reserved_connections=0", "max_wal_senders=0"]
    page = PAGES[0].make()
    with start_postgres(settings=settings) as server:
        async with looking(server) as database:
            with ExitStack() as stack:
                for _ in range(6):
                    stack.enter_context(closing(psycopg.connect(server.dsn())))
                with pytest.raises(SourceError, match="too many"):
                    await page.take(database, None, Order("attention"))
            async with asyncio.timeout(20):
                while True:
                    try:
                        found = await page.take(database, None, Order("attention"))
                    except SourceError:
                        await asyncio.sleep(0.05)  # of a server no event tells
                    else:
                        break
            assert page.sheet(found, Order("attention")).columns


async def test_what_was_renamed_between_list_and_action_is_not_touched(postgres: PostgresServer) -> None:
    postgres.psql("drop table if exists listed, renamed; create table listed (id int primary key)")
    settings = postgres_at(postgres.dsn())
    environment = replace(settings_for().environment, postgres=MappingProxyType({settings.name: settings}))
    listed = {"schema": "public", "table": "listed"}
    made = {
        "vacuum": listed,
        "analyze": listed,
        "create-index": {**listed, "index": "new", "columns": '"id"'},
        "reindex": {"schema": "public", "index": "listed_pkey"},
        "drop-index": {"schema": "public", "index": "listed_pkey"},
        "autovacuum": {**listed, "threshold": "1"},
    }
    postgres.psql("alter table listed rename to renamed; alter index listed_pkey rename to renamed_pkey")
    for name, arguments in made.items():
        registration = registry.find(f"postgres.{name}")
        assert registration is not None
        result = await registration.build(arguments, environment).runner.run(lambda piece: None)
        assert result.outcome is Outcome.REFUSED, (name, result)
    assert postgres.psql("select count(*) from pg_index where indrelid = 'renamed'::regclass") == "1"
    postgres.psql("drop table renamed")
