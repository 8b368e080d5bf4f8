"""How far the work on a table is, told on the output of the action that does it."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress

from opsconsole.actions.action import Sink
from opsconsole.config.settings import PostgresSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.core.reading import SourceError
from opsconsole.core.units import format_value
from opsconsole.database.actions.standing import looking_at
from opsconsole.database.progress import Progress, Work, read_progress

PERIOD = 2.0
"""Seconds between two looks."""


@asynccontextmanager
async def told(settings: PostgresSettings, table_oids: Collection[str], sink: Sink) -> AsyncIterator[None]:
    """While this is entered, a line of `sink` says every two seconds how far the work on those tables is."""
    watcher = asyncio.ensure_future(_watch(settings, table_oids, sink))
    try:
        yield
    finally:
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher


async def _watch(settings: PostgresSettings, table_oids: Collection[str], sink: Sink) -> None:
    before: Progress | None = None
    said = ""
    async with looking_at(settings) as database:
        while True:
            await asyncio.sleep(PERIOD)
            try:
                before = await read_progress(database, before)
            except SourceError:
                continue  # the work goes on without being watched
            for work in before.works:
                if work.relation_oid not in table_oids or work.automatic:
                    continue
                # Of several it is said which one.
                which = f"{clean_line(work.relation)}  " if len(table_oids) > 1 else ""
                if (line := which + in_words(work)) != said:
                    said = line
                    sink(f"{line}\n".encode())


def in_words(work: Work) -> str:
    """One line: the phase, how much of it is done, and when it ends."""
    parts = [clean_line(work.phase)]
    if work.share is not None:
        parts.append(format_value(work.share, "percentunit"))
    if work.left_seconds is not None:
        parts.append(f"this phase ends in {duration_text(work.left_seconds)}")
    if work.unit == "sessions" and work.detail:
        parts.append(f"waits for session {work.detail} ({work.done} of {work.total} are through)")
    return "  ".join(parts)
