"""One reading serves all who ask within some seconds, whatever becomes of the one who asked first."""

import asyncio
import gc
from typing import Any

import pytest

from opsconsole.core.reading import SourceError
from opsconsole.sources.shared_reading import SERVES, SharedReading


class Taking:
    """A question that is answered when the test says so: the nth with n."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun = asyncio.Event()
        self.answered = asyncio.Event()
        self.error: SourceError | None = None

    async def __call__(self) -> int:
        self.asked += 1
        mine = self.asked
        self.begun.set()
        await self.answered.wait()
        if self.error is not None:
            raise self.error
        return mine


class Clock:
    """The time of the loop, as the test has it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)


async def test_all_who_ask_at_the_same_time_get_the_same() -> None:
    taking = Taking()
    shared = SharedReading(taking)
    asking = [asyncio.create_task(shared.read()) for _ in range(3)]
    await taking.begun.wait()
    taking.answered.set()
    assert await asyncio.gather(*asking) == [1, 1, 1]


async def test_it_serves_for_some_seconds_from_when_it_was_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    taking, clock = Taking(), Clock(monkeypatch)
    taking.answered.set()
    shared = SharedReading(taking)
    assert await shared.read() == 1
    clock.now += SERVES
    assert await shared.read() == 1
    assert await shared.read(within=SERVES - 0.5) == 2
    clock.now += SERVES + 0.1
    assert await shared.read(within=60.0) == 2
    assert await shared.read() == 3


async def test_who_asks_first_and_goes_takes_it_from_nobody() -> None:
    taking = Taking()
    shared = SharedReading(taking)
    first, second = asyncio.create_task(shared.read()), asyncio.create_task(shared.read())
    await taking.begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    taking.answered.set()
    assert await second == 1
    assert await shared.read() == 1, "it serves those who come later, too"


async def test_an_error_is_an_answer_for_all_and_serves_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    taking, clock = Taking(), Clock(monkeypatch)
    taking.error = SourceError("airflow", "unreachable", "gone")
    taking.answered.set()
    shared = SharedReading(taking)
    told = await asyncio.gather(shared.read(), shared.read(), return_exceptions=True)
    assert [one is taking.error for one in told] == [True, True]
    with pytest.raises(SourceError):
        await shared.read()
    assert taking.asked == 1
    taking.error = None
    clock.now += SERVES + 0.1
    assert await shared.read() == 2


async def test_an_error_that_nobody_waits_for_is_not_reported_as_a_fault_of_the_program() -> None:
    said: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    taking = Taking()
    taking.error = SourceError("airflow", "unreachable", "gone")
    shared = SharedReading(taking)
    asking = asyncio.create_task(shared.read())
    await taking.begun.wait()
    under_way = shared._taking
    assert under_way is not None
    asking.cancel()
    await asyncio.wait({asking})
    taking.answered.set()
    await asyncio.wait({under_way})
    shared.forget()
    del under_way
    gc.collect()
    assert said == []


async def test_one_that_takes_longer_is_not_waited_for_by_who_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    taking, clock = Taking(), Clock(monkeypatch)
    shared = SharedReading(taking)
    first = asyncio.create_task(shared.read())
    await taking.begun.wait()
    clock.now += SERVES + 0.1
    second = asyncio.create_task(shared.read())
    await asyncio.sleep(0)
    taking.answered.set()
    assert (await first, await second) == (1, 2)


async def test_what_was_begun_before_a_change_is_no_answer_after_it() -> None:
    taking = Taking()
    shared = SharedReading(taking)
    before = asyncio.create_task(shared.read())
    await taking.begun.wait()
    shared.forget()
    after = asyncio.create_task(shared.read())
    await asyncio.sleep(0)
    taking.answered.set()
    assert (await before, await after) == (1, 2)


async def test_one_that_was_called_off_serves_nobody_after_that() -> None:
    taking = Taking()
    shared = SharedReading(taking)
    asking = asyncio.create_task(shared.read())
    await taking.begun.wait()
    assert shared._taking is not None
    shared._taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    taking.answered.set()
    assert await shared.read() == 2


def test_a_reading_of_another_loop_is_taken_anew() -> None:
    async def take() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    shared = SharedReading(take)

    async def both() -> tuple[bool, bool]:
        here = asyncio.get_running_loop()
        return await shared.read() is here, await shared.read(within=60.0) is here

    assert asyncio.run(both()) == asyncio.run(both()) == (True, True)
