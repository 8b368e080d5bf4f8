"""A database as the workbench asks it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import PostgresSettings
from opsconsole.database.asking import Database
from opsconsole.sources.backoff import Backoff
from opsconsole.sources.postgres import PostgresSource

Connect = Callable[[str], AbstractAsyncContextManager[Database]]


@pytest.fixture
def asked() -> Connect:
    """`async with asked(dsn) as database`: what the subjects are given, over a connection of its own."""

    @asynccontextmanager
    async def connect(dsn: str) -> AsyncIterator[Database]:
        settings = PostgresSettings("app", SecretRef.of(dsn))
        source = PostgresSource(settings, backoff=Backoff(jitter=lambda: 0.0))
        try:
            yield Database("postgres/app", source.read, settings)
        finally:
            await source.close()

    return connect
