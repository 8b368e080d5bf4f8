"""Waiting for the effect of a change: what holds it up is said as soon as it is known, and is what is left to say when
the time is over. What was done was done, then; it is no failure of the change.
"""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from opsconsole.actions.action import Outcome, Result, Sink
from opsconsole.core.duration import duration_text
from opsconsole.core.reading import SourceError
from opsconsole.pipelines.api import api_of
from opsconsole.pipelines.asking import DOWN
from opsconsole.pipelines.holding import Evidence, Hold, hold_of
from opsconsole.pipelines.model import Run
from opsconsole.pipelines.way import Asking
from opsconsole.pipelines.wire import dag_of
from opsconsole.sources.airflow.client import AirflowError, AirflowSource, path

T = TypeVar("T")

MARGIN = 30.0
"""Seconds that the door gives it beyond its patience, which is the one that counts and says why."""
_PERIOD = 1.0
"""Seconds between two looks at what is waited for."""
_FIRST = 4.0
"""Seconds after which it is looked into what holds it up: a scheduler that has nothing else to do begins within two."""
_LATEST = 20.0
"""Seconds between two such looks at most: each takes five requests."""
_OTHERS = 100
"""Runs of the same DAG that are looked at."""


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long the effect is waited for, in seconds."""

    seconds: float
    stuck: float | None = None
    """With something in the way that does not pass by itself; None: as long as with anything."""


class Awaited(Protocol):
    """What is waited for."""

    async def effect(self, way: Asking, client: AirflowSource) -> Result | None: ...

    async def held(self, way: Asking, client: AirflowSource) -> Hold | None: ...


async def awaited(change: Awaited, client: AirflowSource, patience: Patience, sink: Sink) -> Result:
    """The effect, or what holds it up when the patience is over. An API that is away for a moment is asked again.

    Args:
        change: what was done.
        client: reads only.
        patience: for how long.
        sink: gets a line each time that something else holds it up.
    """
    waiting = _Waiting(change, client, patience, sink)
    try:
        async with asyncio.timeout(patience.seconds):
            return await waiting.seen()
    except TimeoutError:
        return waiting.given_up()


class _Waiting:
    """One wait, and what is known of what holds it up."""

    def __init__(self, change: Awaited, client: AirflowSource, patience: Patience, sink: Sink) -> None:
        self._change = change
        self._client = client
        self._patience = patience
        self._sink = sink
        self._began = time.monotonic()
        self._hold: Hold | None = None
        self._held_since = 0.0
        self._silent: SourceError | None = None
        """Airflow does not answer now."""

    async def seen(self) -> Result:
        pause, due = _FIRST, self._began + _FIRST
        while True:
            try:
                way = await api_of(self._client)
                found = await self._change.effect(way, self._client)
                if found is not None:
                    return found
                if time.monotonic() >= due:
                    await self._look_into_it(way)
                    pause = min(2 * pause, _LATEST)
                    due = time.monotonic() + pause
                self._silent = None
            except SourceError as error:
                if error.kind not in DOWN:
                    return Result(Outcome.FAILED, detail=str(error))
                self._silent = error
            if self._is_stuck():
                return self.given_up()
            await asyncio.sleep(_PERIOD)

    async def _look_into_it(self, way: Asking) -> None:
        before, self._hold = self._hold, await self._change.held(way, self._client)
        if self._hold is None or (before is not None and before.cause is self._hold.cause):
            return
        self._held_since = time.monotonic()
        if self._hold.known:
            self._sink(f"waiting: {self._hold}\n".encode())

    def _is_stuck(self) -> bool:
        """Whether what holds it up does not pass by itself, and has been there for long enough."""
        if self._patience.stuck is None or self._hold is None or not self._hold.stuck:
            return False
        return time.monotonic() - self._held_since >= self._patience.stuck

    def given_up(self) -> Result:
        """What to say when it is not waited for any more."""
        if self._silent is not None:
            why = f"Airflow does not answer: {self._silent}"
            return Result(Outcome.TIMED_OUT, detail=why, to_come=True)
        if self._hold is not None:
            return Result(Outcome.TIMED_OUT, detail=str(self._hold), to_come=True)
        return Result(Outcome.FAILED, detail=f"not within {duration_text(self._patience.seconds)}")


async def hold_on(way: Asking, client: AirflowSource, run: Run) -> Hold:
    """What holds `run` up, by what may be seen.

    Args:
        way: to Airflow.
        client: the same.
        run: as it is now.

    Raises:
        SourceError: Airflow does not answer.
    """
    found = await asyncio.gather(
        _seen(client.get(path("dags", run.dag_id), what="see the DAG")),
        _seen(way.health()),
        _seen(way.pools()),
        _seen(way.runs(run.dag_id, _OTHERS)),
        _seen(way.tasks(run.dag_id, run.run_id)),
    )
    dag, components, pools, others, tasks = found
    evidence = Evidence(
        run=run,
        now=time.time() + await way.ahead(),
        dag=dag_of(dag) if isinstance(dag, dict) else None,
        tasks=tasks or (),
        components=components or (),
        pools=pools or (),
        others=others[0] if others else (),
    )
    return hold_of(evidence)


async def _seen(asked: Awaitable[T]) -> T | None:
    """What was asked; None where the role may not see it."""
    try:
        return await asked
    except AirflowError as error:
        if error.kind in DOWN:
            raise
        return None
