"""Asks each distinct query that somebody looks at, no more often than needed, and never twice at once.

A source that fails is asked on by one query per interval, the probe, while its other queries back off; when the
probe is answered, all the others are asked at once. So an outage costs the source little, and its end is seen soon.
"""

import asyncio
import itertools
import math
import random as randomness
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping

from opsconsole.core.reading import Answer, Query, Reading, SourceError
from opsconsole.screens.clock import Clock, LoopClock
from opsconsole.screens.cost import Cost, CostMeter
from opsconsole.screens.schedule import Attempt, Schedule, backoff, hard_timeout

Read = Callable[[Query], Awaitable[Answer]]
OnReadings = Callable[[Mapping[Query, Reading]], None]

GATHER = 0.05
"""Seconds for which readings that come together are collected, so that one tick is one batch and one repaint."""
MAX_REMEMBERED = 1000
"""Readings kept of queries that nobody watches any more, so that a screen one returns to is not empty."""

# What is wrong with the question, and not with the one who should answer.
_QUERY_FAULTS = frozenset({"bad-query", "unsupported"})


class Watch:
    """A subscription; `cancel()` ends it."""

    def __init__(self, query: Query, end: Callable[[], None]) -> None:
        self.query = query
        self._end: Callable[[], None] | None = end

    def cancel(self) -> None:
        """Stop watching. The last watcher's leaving cancels what is under way. May be called twice."""
        if self._end is not None:
            end, self._end = self._end, None
            end()


class Poller:
    """The one place from which sources are asked on behalf of the screen. For one event loop; not thread-safe.

    Args:
        read: asks a source once; raises SourceError where that fails.
        on_readings: receives what has changed, at most once in `gather` seconds.
        clock: time; injected by tests.
        random: numbers from 0 to 1 for the jitter.
    """

    def __init__(
        self,
        read: Read,
        on_readings: OnReadings,
        *,
        clock: Clock | None = None,
        random: Callable[[], float] = randomness.random,
        cost: CostMeter | None = None,
        gather: float = GATHER,
    ) -> None:
        self._read = read
        self._on_readings = on_readings
        self._clock: Clock = clock or LoopClock()
        self._random = random
        self._cost = cost or CostMeter(self._clock.monotonic)
        self._gather = gather
        self._epoch = self._clock.monotonic()
        self._schedules: dict[Query, Schedule] = {}
        self._remembered: OrderedDict[Query, Reading] = OrderedDict()
        self._probes: dict[str, Schedule] = {}
        self._answered: dict[str, float] = {}
        self._changed: dict[Query, Reading] = {}
        self._flushing = False
        self._tasks: set[asyncio.Task[Answer]] = set()
        self._numbers = itertools.count()
        self._paused = False
        self._closed = False

    # --- what callers use -------------------------------------------------------------------------------------

    def watch(self, query: Query, interval: float) -> Watch:
        """Keep `query` read every `interval` seconds from now on, first at once unless a reading is fresh.

        Must be called on the event loop.
        """
        if interval <= 0:
            raise ValueError(f"an interval of {interval} s")
        number = next(self._numbers)
        schedule = self._schedules.get(query)
        if schedule is None:
            reading = self._remembered.pop(query, None) or Reading(query.source)
            schedule = self._schedules[query] = Schedule(query, reading)
        schedule.intervals[number] = interval
        if schedule.attempt is None and not schedule.failures:
            self._plan(schedule, self._until_due(schedule), first=schedule.reading.taken_at is None)
        return Watch(query, lambda: self._unwatch(schedule, number))

    def latest(self, query: Query) -> Reading:
        """The latest reading; UNKNOWN without a value where there never was one."""
        schedule = self._schedules.get(query)
        if schedule is not None:
            return schedule.reading
        return self._remembered.get(query) or Reading(query.source)

    def refresh_now(self, queries: Iterable[Query] | None = None) -> None:
        """Read these (None: all that are watched) at once, also while paused, whatever their back-off says."""
        wanted = list(self._schedules) if queries is None else queries
        for query in wanted:
            schedule = self._schedules.get(query)
            if schedule is None:
                continue
            if schedule.attempt is not None:
                schedule.again = True
            else:
                self._start(schedule)

    @property
    def paused(self) -> bool:
        """Whether readings stand still."""
        return self._paused

    def pause(self) -> None:
        """Ask nothing more by itself. What is under way ends and is shown."""
        self._paused = True
        for schedule in self._schedules.values():
            schedule.stop_timer()

    def resume(self) -> None:
        """Go on; what is overdue is read at once."""
        self._paused = False
        for schedule in self._schedules.values():
            if schedule.attempt is None:
                self._plan(schedule, self._until_due(schedule))

    @property
    def busy(self) -> bool:
        """Whether a question is under way, or an answer not yet delivered."""
        return self._flushing or any(schedule.attempt for schedule in self._schedules.values())

    def cost(self) -> Cost:
        """What watching costs."""
        return self._cost.snapshot()

    async def close(self, patience: float = 1.0) -> None:
        """Stop; cancel what is under way and wait for it, at most `patience` seconds. Nothing is delivered after."""
        self._closed = True
        for schedule in self._schedules.values():
            schedule.stop_timer()
            self._abandon(schedule)
        self._schedules.clear()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=patience)

    # --- planning ---------------------------------------------------------------------------------------------

    def _until_due(self, schedule: Schedule) -> float:
        age = schedule.reading.age(self._clock.now())
        return 0.0 if age is None else max(0.0, schedule.interval - age)

    def _until_tick(self, interval: float) -> float:
        """Seconds to the next tick. All schedules of an interval tick together: what is read together is one batch."""
        since = self._clock.monotonic() - self._epoch
        # A tick that comes right after the answer would ask for the same again.
        return math.ceil(since / interval + 0.1) * interval - since

    def _plan(self, schedule: Schedule, delay: float, *, first: bool = False) -> None:
        """Ask in `delay` seconds; while paused only what was never asked."""
        schedule.stop_timer()
        if self._closed or not schedule.watched or (self._paused and not first):
            return
        if delay <= 0:
            self._start(schedule)
        else:
            schedule.timer = self._clock.call_later(delay, lambda: self._start(schedule))

    def _unwatch(self, schedule: Schedule, number: int) -> None:
        schedule.intervals.pop(number, None)
        if schedule.watched or self._schedules.get(schedule.query) is not schedule:
            return
        schedule.stop_timer()
        self._abandon(schedule)
        del self._schedules[schedule.query]
        self._remembered[schedule.query] = schedule.reading
        while len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        if self._probes.get(schedule.query.source) is schedule:
            self._appoint_probe(schedule.query.source)

    def _abandon(self, schedule: Schedule) -> None:
        attempt, schedule.attempt = schedule.attempt, None
        if attempt is not None:
            attempt.over = True
            if attempt.deadline is not None:
                attempt.deadline.cancel()
            attempt.cancel()

    # --- one attempt ------------------------------------------------------------------------------------------

    def _start(self, schedule: Schedule) -> None:
        if self._closed or schedule.attempt is not None or not schedule.watched:
            return
        schedule.stop_timer()
        schedule.again = False
        task = asyncio.ensure_future(self._read(schedule.query))
        self._tasks.add(task)
        attempt = schedule.attempt = Attempt(self._clock.monotonic(), lambda: _cancel(task))
        limit = hard_timeout(schedule.interval)
        attempt.deadline = self._clock.call_later(limit, lambda: self._timed_out(schedule, attempt, limit))
        task.add_done_callback(lambda done: self._ended(schedule, attempt, done))

    def _timed_out(self, schedule: Schedule, attempt: Attempt, limit: float) -> None:
        if not attempt.over:
            # The task is told to stop but not waited for: one that does not listen must not stop the screen.
            attempt.cancel()
            self._failed(schedule, attempt, f"{schedule.query.source}: no answer within {limit:g} s")

    def _ended(self, schedule: Schedule, attempt: Attempt, task: "asyncio.Task[Answer]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if attempt.over:
            return
        source = schedule.query.source
        if task.cancelled():
            self._failed(schedule, attempt, f"{source}: the question was cancelled")
        elif isinstance(error, SourceError):
            self._failed(schedule, attempt, str(error), query_fault=error.kind in _QUERY_FAULTS)
            if error.kind == "bad-query":
                self._source_answers(source)
        elif error is not None:
            self._failed(schedule, attempt, f"{source}: {type(error).__name__}: {error}", query_fault=True)
        else:
            self._succeeded(schedule, attempt, task.result())

    def _close_attempt(self, schedule: Schedule, attempt: Attempt) -> float:
        """Count it as over; its length in seconds."""
        attempt.over = True
        schedule.attempt = None
        if attempt.deadline is not None:
            attempt.deadline.cancel()
        return self._clock.monotonic() - attempt.started

    def _succeeded(self, schedule: Schedule, attempt: Attempt, answer: Answer) -> None:
        took = self._close_attempt(schedule, attempt)
        self._cost.attempt(schedule.query.source, min(took, answer.took))
        schedule.failures = 0
        schedule.waiting_for_source = False
        self._deliver(schedule, schedule.reading.succeeded(answer))
        self._source_answers(schedule.query.source)
        if schedule.again:
            self._start(schedule)
            return
        self._cost.skipped_ticks += int(took // schedule.interval)
        self._plan(schedule, self._until_tick(schedule.interval))

    def _failed(self, schedule: Schedule, attempt: Attempt, error: str, *, query_fault: bool = False) -> None:
        took = self._close_attempt(schedule, attempt)
        self._cost.attempt(schedule.query.source, took)
        schedule.failures += 1
        source = schedule.query.source
        # A source that answered others within the last interval is there; it is this question that it cannot answer.
        silence = attempt.started - self._answered.get(source, -math.inf)
        out = not query_fault and silence > schedule.interval
        if out:
            self._probes.setdefault(source, schedule)
        probing = self._probes.get(source) is schedule
        schedule.waiting_for_source = out and not probing
        delay = backoff(1 if probing else schedule.failures, schedule.interval, self._random)
        retry_at = None if self._paused else self._clock.now() + delay
        reading = schedule.reading.failed(error, now=self._clock.now(), took=took, retry_at=retry_at)
        self._deliver(schedule, reading)
        self._plan(schedule, delay)

    # --- outages of a whole source ----------------------------------------------------------------------------

    def _source_answers(self, source: str) -> None:
        """It is back, if it was out: ask at once whatever waited for that."""
        self._answered[source] = self._clock.monotonic()
        if self._probes.pop(source, None) is None:
            return
        for schedule in list(self._schedules.values()):
            if schedule.query.source == source and schedule.waiting_for_source and schedule.attempt is None:
                schedule.waiting_for_source = False
                self._plan(schedule, 0.0)

    def _appoint_probe(self, source: str) -> None:
        """The probe is no longer watched: another failing query takes over, soon."""
        del self._probes[source]
        for schedule in self._schedules.values():
            if schedule.query.source == source and schedule.waiting_for_source:
                self._probes[source] = schedule
                schedule.waiting_for_source = False
                if schedule.attempt is None:
                    self._plan(schedule, backoff(1, schedule.interval, self._random))
                return

    # --- delivery ---------------------------------------------------------------------------------------------

    def _deliver(self, schedule: Schedule, reading: Reading) -> None:
        schedule.reading = reading
        self._changed[schedule.query] = reading
        if not self._flushing:
            self._flushing = True
            if self._gather > 0:
                self._clock.call_later(self._gather, self._flush)
            else:
                asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        changed, self._changed = self._changed, {}
        self._flushing = False
        if changed and not self._closed:
            self._on_readings(changed)


def _cancel(task: "asyncio.Task[Answer]") -> None:
    task.cancel()
