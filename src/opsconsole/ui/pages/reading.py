"""One page of one source as it stands: what was read last, how it is wanted, and why nothing newer is there."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import age_text
from opsconsole.core.reading import SourceError
from opsconsole.ui.lines import Span
from opsconsole.ui.pages.page import Order, Page, Sheet

LONGEST_PAUSE = 30.0
"""Seconds between two readings at most, where the source does not answer or a reading is dear."""

_PROMPT = 1.0
"""Seconds within which an answer comes as a rule: whoever comes back to a page sees no fault meanwhile."""

_FEW = 500
"""Rows up to which a reading is never too dear: what it took is then mostly what was imported for it, or what else went
on."""


@dataclass(slots=True)
class PageReading:
    """It stays while other pages are looked at, and while the source does not answer."""

    page: Page[Any, Any]
    order: Order
    reading: Any = None
    sheet: Sheet | None = None
    taken_at: float | None = None
    """Unix seconds of the last reading."""
    failed: str = ""
    """Why the latest try brought nothing; empty where it did."""
    failures: int = 0
    asked_at: float | None = None
    """Unix seconds of the question that is not answered yet."""
    cost: float = 0.0
    """Seconds of CPU that the last reading took."""
    filter: str = ""
    prepare: Callable[[Sheet], Any] = field(default=lambda sheet: None, repr=False)
    """What else to make of a sheet, beside the event loop: there may be thousands of rows."""
    prepared: Any = field(default=None, repr=False)
    """What `prepare` made of `sheet`."""

    async def read(
        self,
        source: Any,
        clock: Callable[[], float],
        report: Callable[[Exception], object],
        *,
        anew: bool = False,
    ) -> bool:
        """Read once; whether it is wanted otherwise by now.

        Args:
            source: what the page takes its readings of.
            clock: Unix seconds.
            report: told of a fault of ours; the reading goes on.
            anew: what the source remembers, be it for seconds, is no answer: something was changed.
        """
        if anew:
            self.page.forget(source)
        order, self.asked_at, begun = self.order, clock(), time.process_time()
        try:
            reading = await self.page.take(source, self.reading, order)
            sheet, prepared = await asyncio.to_thread(self._made_of, reading, order)
        except SourceError as error:
            self.fail(error.message)
        except Exception as error:
            report(error)
            self.fail(f"failed unexpectedly: {type(error).__name__}")
        else:
            self.reading, self.sheet, self.prepared = reading, sheet, prepared
            self.taken_at, self.failed, self.failures = clock(), "", 0
            self.cost = time.process_time() - begun
        finally:
            self.asked_at = None
        return self.order != order

    def fail(self, why: str) -> None:
        """The latest try brought nothing; what was read before stays."""
        self.failed, self.failures = clean_line(why), self.failures + 1

    def _made_of(self, reading: Any, order: Order) -> tuple[Sheet, Any]:
        sheet = self.page.sheet(reading, order)
        return sheet, self.prepare(sheet)

    @property
    def pause(self) -> float:
        """Seconds until the next reading; longer while it fails."""
        many = self.sheet is not None and len(self.sheet.rows) > _FEW
        dear = math.ceil(self.page.thrift * self.cost) if many else 0
        wanted = self.page.period if self.reading is None else self.page.again(self.reading)
        period = max(wanted, min(LONGEST_PAUSE, dear))
        if not self.failures:
            return period
        return min(LONGEST_PAUSE, max(1.0, period) * 2.0 ** min(self.failures - 1, 6))

    def rest(self, now: float, period: float, changed_at: float) -> float:
        """Seconds until it is to be read again by whoever comes back to it: none where it was never read, or is older
        than `period`, or of before `changed_at`, the moment of the last change that was made from here."""
        if self.taken_at is None or self.failed or self.taken_at <= changed_at:
            return 0.0
        return min(period, max(0.0, self.taken_at + period - now))

    def age(self, now: float) -> Span | None:
        """How old what is shown is, while it is older than it should be and is being read again; None otherwise."""
        if self.taken_at is None or self.asked_at is None or now - self.taken_at <= self.pause + _PROMPT:
            return None
        return Span(f"{age_text(now - self.taken_at)} old, asking again…   ", "stale")

    def trouble(self, now: float) -> Span | None:
        """Why what is shown is not what is; None where nothing is wrong."""
        if not self.failed:
            return self._silence(now)
        if self.taken_at is None:
            return Span(f"ERROR  {self.failed}; trying again", "error")
        return Span(f"STALE {age_text(max(0.0, now - self.taken_at))}  {self.failed}; trying again", "stale")

    def _silence(self, now: float) -> Span | None:
        """A source that hangs says nothing. Where what is shown is older than two periods, be it because nobody looked
        for a while, that is said for it, before its time-out comes."""
        if self.asked_at is None or self.taken_at is None or now - self.asked_at <= _PROMPT:
            return None
        if now - self.taken_at <= 2 * self.pause:
            return None
        return Span(f"STALE {age_text(max(0.0, now - self.taken_at))}  no answer yet", "stale")
