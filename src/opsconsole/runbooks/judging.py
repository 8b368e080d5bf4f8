"""When the output of a step counts as good, what is taken from it, and how often it is tried."""

import asyncio
import re
from dataclasses import dataclass, replace

from opsconsole.actions.action import Outcome, Result, Runner, Sink
from opsconsole.core.clean import clean_line
from opsconsole.runbooks.model import Expectations
from opsconsole.runbooks.patterns import PatternTimeoutError, groups, matches
from opsconsole.runbooks.record import Ends

_TRIED = frozenset({Outcome.OK, Outcome.WARN, Outcome.FAILED})
_GOOD = frozenset({Outcome.OK, Outcome.WARN})
_LONGEST = 4096
"""Characters of a value that is taken from output."""
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class StepRunner:
    """Runs a step, judges its output, and where it waits for something runs it again until that is met."""

    inner: Runner
    expectations: Expectations
    separate: bytes = b""
    """Written to the output between two tries."""
    until_good: bool = False
    """Try until it succeeds, rather than until the output matches."""
    capture: tuple[str, ...] = ()
    pattern: str = ""
    """From whose groups `capture` is taken; empty: the inner runner captures by itself."""

    async def run(self, sink: Sink) -> Result:
        """The last try's result. There is no limit to the tries but the action's timeout."""
        if not self.expectations.until and not self.until_good:
            return (await self._try(sink))[0]
        tries, seen = 0, ""
        try:
            while True:
                tries += 1
                result, output = await self._try(sink)
                if result.outcome not in (*_TRIED, Outcome.CANCELLED):
                    return result
                if result.outcome is not Outcome.CANCELLED and await self._is_met(result, output):
                    again = f"met at try {tries}" if tries > 1 else ""
                    return replace(result, detail="; ".join(part for part in (again, result.detail) if part))
                seen = self._seen(result, output) or seen
                if result.outcome is Outcome.CANCELLED or _is_cancelled():
                    break
                await asyncio.sleep(self.expectations.every)
                sink(self.separate)
        except asyncio.CancelledError:
            pass
        return Result(Outcome.CANCELLED, detail=f"not met after {tries} tries" + (f"; last: {seen}" if seen else ""))

    async def _try(self, sink: Sink) -> tuple[Result, str]:
        ends = Ends()

        def take(piece: bytes) -> None:
            ends.take(piece)
            sink(piece)

        result = await self.inner.run(take)
        if self.expectations.match or self.expectations.reject:
            result = await asyncio.to_thread(judged, result, self.expectations, ends.text)
        if self.pattern and result.outcome in _GOOD:
            result = await asyncio.to_thread(captured, result, self.capture, self.pattern, ends.text)
        return result, ends.text

    async def _is_met(self, result: Result, output: str) -> bool:
        if self.until_good:
            return result.outcome in _GOOD
        try:
            return await asyncio.to_thread(matches, self.expectations.until, output)
        except (PatternTimeoutError, re.error):
            return False

    def _seen(self, result: Result, output: str) -> str:
        return result.detail if self.until_good and result.detail else _last_line(output) or result.detail


def judged(result: Result, expectations: Expectations, output: str) -> Result:
    """`result` after what the step expects of its output: a step that did not do what it should has failed."""
    if result.outcome not in _GOOD:
        return result
    try:
        if expectations.reject and matches(expectations.reject, output):
            return _failed(result, f"the output has what it must not have: {expectations.reject}")
        if expectations.match and not matches(expectations.match, output):
            return _failed(result, f"the output does not have {expectations.match}")
    except (PatternTimeoutError, re.error) as error:
        return _failed(result, str(error))
    return result


def captured(result: Result, names: tuple[str, ...], pattern: str, output: str) -> Result:
    """`result` with values for `names` from the groups of `pattern`; failed where there is no match."""
    try:
        found = groups(pattern, output)
    except (PatternTimeoutError, re.error) as error:
        return _failed(result, str(error))
    if found is None:
        return _failed(result, f"nothing to capture: the output does not have {pattern}")
    by_name, by_position = found
    pairs = []
    for at, name in enumerate(names):
        value = by_name.get(name) if name in by_name else by_position[at] if at < len(by_position) else None
        if value is None:
            return _failed(result, f"the pattern found nothing for {name}")
        if len(value) > _LONGEST or _CONTROL.search(value):
            return _failed(result, f"what was found for {name} is too long, or holds a control character")
        pairs.append((name, value))
    return replace(result, captured=tuple(pairs))


def _is_cancelled() -> bool:
    """Whether this task was cancelled and a runner kept that to itself, because what it ran had just ended."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _failed(result: Result, why: str) -> Result:
    detail = f"{why}; {result.detail}" if result.detail else why
    return replace(result, outcome=Outcome.FAILED, detail=clean_line(detail), captured=())


def _last_line(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return clean_line(lines[-1], limit=200) if lines else ""
