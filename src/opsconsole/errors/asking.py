"""Asking every source at once. Who does not answer is a state of its own; what it said before stays."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.errors.memory import Memory, MemoryLostError, Recalled
from opsconsole.errors.merging import merged, told_once
from opsconsole.errors.model import DAY, Heard, Mute, Survey
from opsconsole.sources.shared_reading import SERVES, SharedReading


class Listener(Protocol):
    """One source of errors."""

    source: str

    async def hear(self) -> Heard:
        """What it knows now.

        Raises:
            SourceError: it does not answer.
        """
        ...

    async def close(self) -> None:
        """Let go of what is held."""
        ...


class Errors:
    """The errors of an environment."""

    def __init__(
        self,
        listeners: Sequence[Listener],
        memory: Memory | None,
        *,
        window: float = DAY,
        notes: Sequence[str] = (),
        runbook_of: Callable[[str], str] = lambda source: "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """What is asked, and what is remembered of it.

        Args:
            memory: None: nothing is known of what was before.
            window: seconds that counts are of.
            notes: why a source is not among the listeners.
            runbook_of: from a source's name to the id of the runbook for its errors; empty where there is none.
        """
        self.window = window
        self.runbook_of = runbook_of
        self._listeners = tuple(listeners)
        self._memory = memory
        self._notes = tuple(notes)
        self._clock = clock
        self._said: dict[str, Heard] = {}
        self._shared = SharedReading(self._survey)

    async def survey(self, within: float = SERVES) -> Survey:
        """Everything, at this moment; one question for all who ask `within` that many seconds. Never raises for a
        source."""
        return await self._shared.read(within)

    async def mute(self, fingerprint: str, mute: Mute) -> None:
        """Remember that somebody knows of it.

        Raises:
            MemoryLostError: it cannot be remembered.
        """
        if self._memory is None:
            raise MemoryLostError("there is no state folder to remember it in")
        self._shared.forget()
        await asyncio.to_thread(self._memory.mute, fingerprint, mute)

    async def unmute(self, fingerprint: str) -> bool:
        """Forget that; whether there was anything.

        Raises:
            MemoryLostError: it cannot be written.
        """
        if self._memory is None:
            return False
        self._shared.forget()
        return await asyncio.to_thread(self._memory.unmute, fingerprint)

    async def close(self) -> None:
        """Let go of files."""
        await asyncio.gather(*(one.close() for one in self._listeners))

    async def _survey(self) -> Survey:
        heard = told_once(await asyncio.gather(*(self._hear(one) for one in self._listeners)))
        now = self._clock()
        notes = [*self._notes, *(note for one in heard for note in one.notes)]
        recalled = Recalled()
        if self._memory is not None:
            try:
                recalled = await asyncio.to_thread(self._memory.keep, heard, now)
            except MemoryLostError as error:
                notes.append(f"what was seen before is not known: {clean_line(error)}")
        kinds = await asyncio.to_thread(merged, heard, recalled, now)
        return Survey(now, self.window, kinds, heard, tuple(notes))

    async def _hear(self, listener: Listener) -> Heard:
        before = self._said.get(listener.source, Heard(listener.source))
        try:
            heard = await listener.hear()
        except SourceError as error:
            # What it said last stays: that it is silent does not make its errors go away.
            return replace(before, error=str(error), notes=())
        self._said[listener.source] = heard
        return heard
