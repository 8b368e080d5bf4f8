"""The poller, walked through time by a clock that only the tests move."""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Mapping

import pytest

from opsconsole.core.reading import Answer, Query, Reading, SourceError
from opsconsole.core.state import State
from opsconsole.core.values import Scalar, Vector
from opsconsole.screens.clock import Timer
from opsconsole.screens.cost import CostMeter
from opsconsole.screens.poller import Poller
from opsconsole.screens.schedule import LONGEST_BACKOFF, backoff, hard_timeout

A, B, SQL = Query("prometheus", "a"), Query("prometheus", "b"), Query("postgres/app", "select 1")


class FakeTimer:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeClock:
    """Time that passes only in `advance`."""

    def __init__(self) -> None:
        self.time = 1000.0
        self._heap: list[tuple[float, int, FakeTimer, Callable[[], None]]] = []
        self._count = itertools.count()

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        timer = FakeTimer()
        heapq.heappush(self._heap, (self.time + delay, next(self._count), timer, callback))
        return timer

    async def advance(self, seconds: float) -> None:
        until = self.time + seconds
        await settle()
        while self._heap and self._heap[0][0] <= until:
            at, _, timer, callback = heapq.heappop(self._heap)
            self.time = max(self.time, at)
            if not timer.cancelled:
                callback()
                await settle()
        self.time = until
        await settle()


async def settle() -> None:
    """Let everything run that can run without time passing."""
    for _ in range(8):
        await asyncio.sleep(0)


class FakeSource:
    """Answers with a counter; can be made to fail, hang or be slow."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.asked: list[tuple[float, Query]] = []
        self.running = 0
        self.most_running = 0
        self.cancelled = 0
        self.error: Exception | None = None
        self.failing: set[Query] = set()
        self.hang = False
        self.gates: list[asyncio.Event] = []

    async def read(self, query: Query) -> Answer:
        self.asked.append((self.clock.time, query))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if self.hang:
                gate = asyncio.Event()
                self.gates.append(gate)
                await gate.wait()
            if self.error is not None and (not self.failing or query in self.failing):
                raise self.error
            return Answer(Scalar(float(len(self.asked)), self.clock.time), self.clock.time, 0.01)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    def times(self, query: Query) -> list[float]:
        return [at - 1000.0 for at, asked in self.asked if asked == query]


class House:
    """A poller, its source, its clock, and what it delivered."""

    def __init__(self, jitter: float = 1.0) -> None:
        self.clock = FakeClock()
        self.source = FakeSource(self.clock)
        self.batches: list[Mapping[Query, Reading]] = []
        self.poller = Poller(
            self.source.read,
            self.batches.append,
            clock=self.clock,
            random=lambda: jitter,
            cost=CostMeter(self.clock.monotonic, cpu_time=lambda: self.clock.time / 100),
            gather=0,
        )


@pytest.fixture
def house() -> House:
    return House()


async def test_a_watched_query_is_read_at_once_and_then_every_interval(house: House) -> None:
    house.poller.watch(A, 5)
    assert house.poller.busy
    await house.clock.advance(12)
    assert house.source.times(A) == [0, 5, 10]
    assert house.poller.latest(A).state is State.OK
    assert not house.poller.busy


async def test_equal_queries_share_one_schedule_at_the_shortest_interval(house: House) -> None:
    house.poller.watch(Query("prometheus", "a"), 10)
    faster = house.poller.watch(Query("prometheus", "a"), 5)
    await house.clock.advance(10)
    assert house.source.times(A) == [0, 5, 10]
    faster.cancel()
    faster.cancel()
    await house.clock.advance(25)
    assert house.source.times(A)[3:] == [15, 20, 30]


async def test_what_nobody_watches_is_not_read(house: House) -> None:
    watch = house.poller.watch(A, 5)
    await house.clock.advance(1)
    watch.cancel()
    await house.clock.advance(60)
    assert house.source.times(A) == [0]
    assert house.poller.latest(A).value is not None
    assert house.poller.latest(B) == Reading("prometheus")


async def test_coming_back_to_a_fresh_reading_asks_only_when_it_is_due(house: House) -> None:
    house.poller.watch(A, 5).cancel()
    watch = house.poller.watch(A, 5)
    await house.clock.advance(1)
    watch.cancel()
    house.poller.watch(A, 5)
    await house.clock.advance(5)
    assert house.source.times(A) == [0, 5]


async def test_leaving_cancels_what_is_under_way(house: House) -> None:
    house.source.hang = True
    watch = house.poller.watch(A, 5)
    await settle()
    watch.cancel()
    await settle()
    assert house.source.cancelled == 1
    assert house.batches == []


async def test_what_comes_in_one_turn_is_delivered_as_one_batch(house: House) -> None:
    house.poller.watch(A, 5)
    house.poller.watch(B, 5)
    await settle()
    assert [set(batch) for batch in house.batches] == [{A, B}]


async def test_answers_that_come_shortly_after_each_other_are_one_batch() -> None:
    clock, batches = FakeClock(), list[Mapping[Query, Reading]]()

    async def slow(query: Query) -> Answer:
        if query == B:
            gate = asyncio.Event()
            clock.call_later(0.03, gate.set)
            await gate.wait()
        return Answer(Scalar(1, clock.time), clock.time, 0.0)

    poller = Poller(slow, batches.append, clock=clock, gather=0.05)
    poller.watch(A, 5)
    poller.watch(B, 5)
    await clock.advance(0.1)
    assert [set(batch) for batch in batches] == [{A, B}]
    await poller.close()


async def test_what_was_watched_later_ticks_together_with_the_rest(house: House) -> None:
    house.poller.watch(A, 5)
    await house.clock.advance(2)
    house.poller.watch(B, 5)
    await house.clock.advance(9)
    assert house.source.times(A) == [0, 5, 10]
    assert house.source.times(B) == [2, 5, 10]


async def test_a_slow_answer_delays_the_next_question_and_the_missed_ticks_are_counted() -> None:
    house = House()
    house.source.hang = True
    house.poller.watch(A, 30)
    await house.clock.advance(0)
    watch = house.poller.watch(A, 5)
    await house.clock.advance(12)
    assert house.source.most_running == 1
    house.source.hang = False
    house.source.gates[0].set()
    await house.clock.advance(6)
    assert house.source.times(A) == [0, 15]
    assert house.poller.cost().skipped_ticks == 2
    watch.cancel()


async def test_a_failure_keeps_the_last_good_value_and_says_since_when_and_what_next(house: House) -> None:
    house.poller.watch(A, 5)
    await house.clock.advance(1)
    good = house.poller.latest(A)
    house.source.error = SourceError("prometheus", "unreachable", "connection refused", hint="is it running?")
    await house.clock.advance(5)
    bad = house.poller.latest(A)
    assert bad.state is State.STALE
    assert (bad.value, bad.taken_at) == (good.value, good.taken_at)
    assert bad.error == "prometheus: connection refused (is it running?)"
    assert bad.failing_since == 1005
    assert bad.retry_at == 1010


async def test_a_source_that_never_answered_is_an_error(house: House) -> None:
    house.source.error = SourceError("prometheus", "unreachable", "connection refused")
    house.poller.watch(A, 5)
    await settle()
    assert house.poller.latest(A).state is State.ERROR


async def test_no_data_is_unknown_and_not_a_failure(house: House) -> None:
    async def nothing(query: Query) -> Answer:
        return Answer(Vector(()), house.clock.time, 0.0)

    poller = Poller(nothing, house.batches.append, clock=house.clock)
    poller.watch(A, 5)
    await settle()
    assert poller.latest(A).state is State.UNKNOWN
    assert poller.latest(A).error is None


async def test_a_source_that_hangs_is_seen_within_two_intervals_and_given_up_on(house: House) -> None:
    house.poller.watch(A, 5)
    await house.clock.advance(1)
    house.source.hang = True
    await house.clock.advance(9)
    reading = house.poller.latest(A)
    assert reading.state is State.STALE
    assert reading.error == "prometheus: no answer within 5 s"
    assert house.source.cancelled == 1
    assert house.source.most_running == 1


async def test_a_reader_that_does_not_listen_to_its_cancellation_stops_nothing(house: House) -> None:
    release = asyncio.Event()

    async def deaf(query: Query) -> Answer:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        raise SourceError("prometheus", "gone", "too late")

    poller = Poller(deaf, house.batches.append, clock=house.clock)
    poller.watch(A, 5)
    await house.clock.advance(5)
    assert poller.latest(A).error == "prometheus: no answer within 5 s"
    release.set()
    await settle()
    assert poller.latest(A).error == "prometheus: no answer within 5 s"
    await poller.close()


async def test_in_an_outage_one_query_probes_and_the_others_back_off(house: House) -> None:
    house.source.error = SourceError("prometheus", "unreachable", "connection refused")
    house.poller.watch(A, 5)
    house.poller.watch(B, 5)
    await house.clock.advance(60)
    assert house.source.times(A) == [float(at) for at in range(0, 61, 5)]
    assert house.source.times(B) == [0, 5, 15, 35]


async def test_an_outage_after_good_times_is_found_out_with_the_second_failure(house: House) -> None:
    house.poller.watch(A, 5)
    house.poller.watch(B, 5)
    await house.clock.advance(11)
    house.source.error = SourceError("prometheus", "unreachable", "connection refused")
    await house.clock.advance(60)
    assert house.source.times(A)[3:] == [float(at) for at in range(15, 71, 5)]
    assert house.source.times(B)[3:] == [15, 20, 30, 50]


async def test_recovery_is_seen_by_everything_within_two_intervals_without_a_key_press(house: House) -> None:
    house.source.error = SourceError("prometheus", "unreachable", "connection refused")
    queries = [Query("prometheus", f"q{number}") for number in range(20)]
    for query in queries:
        house.poller.watch(query, 5)
    await house.clock.advance(301)
    house.source.error = None
    await house.clock.advance(10)
    assert {house.poller.latest(query).state for query in queries} == {State.OK}


async def test_another_source_does_not_suffer(house: House) -> None:
    house.source.error = SourceError("prometheus", "unreachable", "connection refused")
    house.source.failing = {A}
    house.poller.watch(A, 5)
    house.poller.watch(SQL, 5)
    await house.clock.advance(11)
    assert house.source.times(SQL) == [0, 5, 10]


async def test_one_bad_query_backs_off_alone(house: House) -> None:
    house.source.error = SourceError("prometheus", "timeout", "too slow")
    house.source.failing = {A}
    house.poller.watch(B, 5)
    house.poller.watch(A, 5)
    await house.clock.advance(100)
    assert house.source.times(B) == [float(at) for at in range(0, 101, 5)]
    assert len(house.source.times(A)) <= 7


async def test_the_probe_may_leave_and_another_takes_over(house: House) -> None:
    house.source.error = SourceError("prometheus", "unreachable", "connection refused")
    probe = house.poller.watch(A, 5)
    house.poller.watch(B, 5)
    await house.clock.advance(36)
    probe.cancel()
    house.source.error = None
    await house.clock.advance(10)
    assert house.poller.latest(B).state is State.OK


async def test_a_mistake_in_the_reader_is_shown_and_ends_nothing(house: House) -> None:
    house.source.error = ZeroDivisionError("oops")
    house.poller.watch(A, 5)
    await house.clock.advance(1)
    assert house.poller.latest(A).error == "prometheus: ZeroDivisionError: oops"
    house.source.error = None
    await house.clock.advance(5)
    assert house.poller.latest(A).state is State.OK


async def test_paused_nothing_is_asked_and_going_on_reads_what_is_overdue(house: House) -> None:
    house.poller.watch(A, 5)
    await house.clock.advance(1)
    house.poller.pause()
    assert house.poller.paused
    await house.clock.advance(60)
    assert house.source.times(A) == [0]
    house.poller.watch(B, 5)
    await house.clock.advance(10)
    assert house.source.times(B) == [61]
    house.poller.refresh_now([A])
    await house.clock.advance(1)
    assert house.source.times(A) == [0, 71]
    house.poller.resume()
    await house.clock.advance(6)
    assert house.source.times(A) == [0, 71, 76]


async def test_refresh_now_reads_at_once_also_while_backing_off(house: House) -> None:
    house.source.error = SourceError("prometheus", "unreachable", "connection refused")
    house.poller.watch(A, 5)
    house.poller.watch(B, 5)
    await house.clock.advance(16)
    house.source.error = None
    house.poller.refresh_now()
    await settle()
    assert house.poller.latest(B).state is State.OK


async def test_refresh_now_during_a_question_asks_once_more_after_it(house: House) -> None:
    house.source.hang = True
    house.poller.watch(A, 5)
    await settle()
    house.poller.refresh_now()
    house.poller.refresh_now()
    house.source.hang = False
    house.source.gates[0].set()
    await settle()
    assert house.source.times(A) == [0, 0]


async def test_closing_cancels_and_delivers_nothing_more(house: House) -> None:
    house.source.hang = True
    house.poller.watch(A, 5)
    await settle()
    await house.poller.close()
    assert house.source.cancelled == 1
    assert house.batches == []
    await house.clock.advance(60)
    assert len(house.source.asked) == 1


async def test_the_cost_is_counted_per_source(house: House) -> None:
    house.poller.watch(A, 5)
    house.poller.watch(SQL, 10)
    await house.clock.advance(59)
    cost = house.poller.cost()
    assert cost.queries_per_second == pytest.approx(18 / 59)
    assert cost.cpu_share == pytest.approx(0.01)
    assert set(cost.source_seconds) == {"prometheus", "postgres/app"}
    assert cost.share_of("postgres") == cost.source_seconds["postgres/app"]


def test_the_first_retry_comes_within_one_interval_and_none_later_than_the_cap() -> None:
    assert backoff(1, 5, lambda: 1.0) == 5
    assert backoff(1, 5, lambda: 0.0) == 2.5
    assert backoff(9, 5, lambda: 1.0) == LONGEST_BACKOFF
    assert backoff(500, 60, lambda: 1.0) == 60


def test_an_attempt_is_bounded_by_its_interval_within_reason() -> None:
    assert [hard_timeout(interval) for interval in (0.5, 5, 600)] == [2, 5, 30]


async def test_an_interval_of_nothing_is_refused(house: House) -> None:
    with pytest.raises(ValueError, match="interval"):
        house.poller.watch(A, 0)
