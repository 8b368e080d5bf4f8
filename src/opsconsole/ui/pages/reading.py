"""One page of one database as it stands: what was read last, how it is wanted, and why nothing newer is there."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import age_text
from opsconsole.core.reading import SourceError
from opsconsole.database.asking import Database
from opsconsole.ui.lines import Span
from opsconsole.ui.pages.page import Order, Page, Sheet

LONGEST_PAUSE = 30.0
"""Seconds between two tries at most, while the database does not answer."""


@dataclass(slots=True)
class PageReading:
    """It stays while other pages are looked at, and while the database does not answer."""

    page: Page[Any, Any]
    order: Order
    reading: Any = None
    sheet: Sheet | None = None
    taken_at: float | None = None
    """Unix seconds of the last reading."""
    failed: str = ""
    """Why the latest try brought nothing; empty where it did."""
    failures: int = 0
    filter: str = ""

    async def read(self, database: Database, clock: Callable[[], float], report: Callable[[Exception], object]) -> bool:
        """Read once; whether it is wanted otherwise by now.

        Args:
            clock: Unix seconds.
            report: told of a fault of ours; the reading goes on.
        """
        order = self.order
        try:
            reading = await self.page.take(database, self.reading, order)
            sheet = await asyncio.to_thread(self.page.sheet, reading, order)
        except SourceError as error:
            self.failed, self.failures = clean_line(error.message), self.failures + 1
        except Exception as error:
            report(error)
            self.failed, self.failures = f"failed unexpectedly: {type(error).__name__}", self.failures + 1
        else:
            self.reading, self.sheet = reading, sheet
            self.taken_at, self.failed, self.failures = clock(), "", 0
        return self.order != order

    @property
    def pause(self) -> float:
        """Seconds until the next reading; longer while it fails."""
        period = self.page.period
        if not self.failures:
            return period
        return min(LONGEST_PAUSE, max(1.0, period) * 2.0 ** min(self.failures - 1, 6))

    def trouble(self, now: float) -> Span | None:
        """Why what is shown is not what is; None where nothing is wrong."""
        if not self.failed:
            return None
        if self.taken_at is None:
            return Span(f"ERROR  {self.failed}; trying again", "error")
        return Span(f"STALE {age_text(max(0.0, now - self.taken_at))}  {self.failed}; trying again", "stale")
