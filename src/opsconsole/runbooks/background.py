"""Steps that go on beside the walk: started, watched until they are ready, and ended with their run."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from opsconsole.actions.action import Outcome, Result, Sink
from opsconsole.actions.runners.shell import ShellRunner
from opsconsole.config.secrets import known_secrets
from opsconsole.runbooks.patterns import PatternTimeoutError, matches
from opsconsole.runbooks.record import OutputFile

_SETTLING = 0.3
"""Seconds in which what cannot work ends: a command that is not there, a port that is taken."""

Keep = Callable[["asyncio.Task[Result]"], None]


@dataclass(frozen=True, slots=True)
class BackgroundRunner:
    """Starts a script, and succeeds as soon as it is ready: its process stays, in the hands of `keep`."""

    inner: ShellRunner
    until: str = ""
    """It is ready when its output has this; empty: when it is started and has not ended at once."""
    every: float = 2.0
    output: OutputFile | None = None
    """Gets what it prints, beyond the end of this attempt."""
    sink: Sink | None = None
    """Told of it, too."""
    keep: Keep | None = None

    def into(self, output: OutputFile, sink: Sink, keep: Keep) -> "BackgroundRunner":
        """The same, its output going to `output` and (masked like it) to `sink`, its process to `keep`."""
        # what the door would mask: it looks at an attempt's output only until that has ended
        inner = replace(self.inner, secrets=(*self.inner.secrets, *known_secrets()))
        return replace(self, inner=inner, output=output, sink=sink, keep=keep)

    async def run(self, sink: Sink) -> Result:
        """Start it. Cancelled (its timeout is over), it ends the process and says how that ended."""
        if self.output is None or self.keep is None:
            return Result(Outcome.FAILED, detail="nobody is there to end it later")
        work = asyncio.ensure_future(self.inner.run(self._take))
        try:
            ready = await self._is_ready(work)
        except asyncio.CancelledError:
            work.cancel()
            return await _outlasted(work)
        if not work.done():
            self.keep(work)
            return Result(Outcome.OK, detail="in the background, until the run ends")
        result = work.result()
        if ready or result.outcome is not Outcome.OK:
            return result
        return replace(result, outcome=Outcome.FAILED, detail=f"it ended before its output had {self.until}")

    def _take(self, piece: bytes) -> None:
        assert self.output is not None
        self.output.write(piece)
        if self.sink is not None:
            self.sink(piece)

    async def _is_ready(self, work: "asyncio.Task[Result]") -> bool:
        """Wait until it is ready, or has ended. Whether it is ready."""
        await asyncio.wait({work}, timeout=min(_SETTLING, self.every) if self.until else _SETTLING)
        if not self.until:
            return True
        while not (met := await self._has_said_so()) and not work.done():
            await asyncio.wait({work}, timeout=self.every)
        return met

    async def _has_said_so(self) -> bool:
        assert self.output is not None
        try:
            return await asyncio.to_thread(matches, self.until, self.output.ends.text)
        except (PatternTimeoutError, re.error):
            return False


async def _outlasted(work: "asyncio.Task[Result]") -> Result:
    """How `work`, which was cancelled, ends; asked for once more, it is not waited for politely."""
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            work.cancel()
    return _result_of(work)


def _result_of(work: "asyncio.Task[Result]") -> Result:
    if work.cancelled():
        return Result(Outcome.CANCELLED)
    error = work.exception()
    return work.result() if error is None else Result(Outcome.FAILED, detail=type(error).__name__)


@dataclass(slots=True)
class _Going:
    work: "asyncio.Task[Result]"
    output: OutputFile
    afterwards: list[Callable[[], None]] = field(default_factory=list)


class Background:
    """What goes on beside the walk of one run, by step."""

    def __init__(self, ended: Callable[[str, Result, OutputFile], None]) -> None:
        """`ended` is told of each end, by itself or not, before anything else happens."""
        self._ended = ended
        self._going: dict[str, _Going] = {}

    @property
    def names(self) -> list[str]:
        """The steps that go on, the latest last."""
        return list(self._going)

    def keep(self, step: str, work: "asyncio.Task[Result]", output: OutputFile) -> None:
        """`step` goes on; `output` is closed when it ends."""
        self._going[step] = _Going(work, output)
        work.add_done_callback(lambda _: self._gone(step))

    def afterwards(self, step: str, what: Callable[[], None]) -> None:
        """Do `what` when `step` has ended; at once if it does not go on."""
        going = self._going.get(step)
        if going is None:
            what()
        else:
            going.afterwards.append(what)

    async def end(self, *steps: str) -> None:
        """End these with everything they started; those that do not go on are left out. Returns when that is recorded.

        Raises:
            asyncio.CancelledError: once they have ended.
        """
        works = {self._going[step].work for step in steps if step in self._going}
        cancelled = False
        for work in works:
            work.cancel()
        while pending := {work for work in works if not work.done()}:
            try:
                await asyncio.wait(pending)
            except asyncio.CancelledError:
                cancelled = True
                for work in pending:
                    work.cancel()
        await asyncio.sleep(0)  # the callbacks of what has just ended come first
        if cancelled:
            raise asyncio.CancelledError

    def _gone(self, step: str) -> None:
        going = self._going.pop(step)
        going.output.close()
        self._ended(step, _result_of(going.work), going.output)
        for what in going.afterwards:
            what()
