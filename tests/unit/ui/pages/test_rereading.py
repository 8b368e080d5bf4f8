"""A page is read for as long as somebody looks at it, and when it has to be, at once."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from opsconsole.core.reading import SourceError
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.pages.reading import PageReading
from opsconsole.ui.pages.rereading import Rereading
from opsconsole.ui.table_layout import Row

NOW = 1_000.0
SOURCE = "a source"


class Counting(Page[str, int]):
    """A page whose nth reading is n; between two it has an hour."""

    id, title, sorts, period = "counting", "counting", ("n",), 3600.0

    def __init__(self) -> None:
        self.taken = 0
        self.forgot = 0
        self.during: Callable[[], None] = lambda: None

    async def take(self, source: str, before: int | None, order: Order) -> int:
        assert source == SOURCE
        self.taken += 1
        self.during()
        return self.taken

    def forget(self, source: str) -> None:
        self.forgot += 1

    def sheet(self, reading: int, order: Order) -> Sheet:
        return Sheet((), (Row(str(reading), ()),))

    def detail(self, reading: int, key: str) -> Detail | None:
        return None


@dataclass
class Looked:
    """Somebody who looks at the page, and what was told."""

    page: Counting = field(default_factory=Counting)
    paused: bool = False
    changed_at: float = -math.inf
    failing: bool = False
    told: list[str] = field(default_factory=list)
    decided: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether it is paused was asked."""
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.shown = PageReading(self.page, Order("n"))
        self.rereading = Rereading(
            self._source,
            clock=lambda: NOW,
            report=lambda error: self.told.append(repr(error)),
            changed_at=lambda: self.changed_at,
            paused=self._is_paused,
            asking=lambda _: self.told.append("asking"),
            answered=self._heard,
        )

    async def _source(self) -> str:
        if self.failing:
            raise SourceError("airflow", "unreachable", "gone")
        return SOURCE

    def _is_paused(self) -> bool:
        self.decided.set()
        return self.paused

    def _heard(self, shown: PageReading) -> None:
        self.told.append(shown.failed or f"read {shown.reading}")
        self._answered.set()

    async def answer(self) -> None:
        """Until there is one more."""
        await self._answered.wait()
        self._answered.clear()

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """While it is looked at."""
        going = asyncio.create_task(self.rereading.go_on(self.shown))
        try:
            async with asyncio.timeout(5):
                yield
        finally:
            going.cancel()
            await asyncio.wait({going})


async def test_it_is_read_at_once_and_again_when_that_is_asked_for() -> None:
    looked = Looked()
    async with looked.looking():
        await looked.answer()
        assert looked.page.forgot == 0
        looked.rereading.ask_again()
        await looked.answer()
    assert looked.told == ["asking", "read 1", "asking", "read 2"]
    assert looked.page.forgot == 1, "what was remembered is no answer to somebody who asks again"


async def test_whoever_comes_back_to_a_young_reading_does_not_read_it_again() -> None:
    looked = Looked()
    async with looked.looking():
        await looked.answer()
    async with looked.looking():
        looked.rereading.wake.set()
        await looked.answer()
    assert looked.page.taken == 2, "only because of the wake"


async def test_what_was_read_before_a_change_is_read_anew() -> None:
    looked = Looked()
    async with looked.looking():
        await looked.answer()
    looked.changed_at = NOW
    async with looked.looking():
        await looked.answer()
    assert (looked.page.taken, looked.page.forgot) == (2, 1)


async def test_while_paused_only_what_was_never_read_is_read() -> None:
    looked = Looked(paused=True)
    async with looked.looking():
        await looked.answer()
        looked.decided.clear()
        looked.rereading.wake.set()
        await looked.decided.wait()
        assert looked.page.taken == 1
        looked.paused = False
        looked.rereading.wake.set()
        await looked.answer()
    assert looked.told == ["asking", "read 1", "asking", "read 2"]


async def test_a_source_that_cannot_be_opened_is_a_state_and_what_was_read_stays() -> None:
    looked = Looked()
    async with looked.looking():
        await looked.answer()
        looked.failing = True
        looked.rereading.ask_again()
        await looked.answer()
        assert (looked.shown.reading, looked.shown.failures) == (1, 1)
        looked.failing = False
        looked.rereading.wake.set()
        await looked.answer()
    assert looked.told == ["asking", "read 1", "gone", "asking", "read 2"]
    assert looked.page.forgot == 1, "that it was asked again is not forgotten over the failure"


async def test_what_is_wanted_otherwise_meanwhile_is_read_again_at_once() -> None:
    looked = Looked()

    def reordered() -> None:
        looked.shown.order = replace(looked.shown.order, filter="x")

    looked.page.during = reordered
    async with looked.looking():
        await looked.answer()
        await looked.answer()
    assert looked.page.taken == 2
