"""After a failure others are told without asking again; the wait doubles, within bounds."""

import pytest

from opsconsole.core.reading import SourceError
from opsconsole.sources.backoff import LONGEST, LONGEST_REFUSED, Backoff

DOWN = SourceError("postgres/app", "unreachable", "connection refused")
REFUSED = SourceError("postgres/app", "refused", "wrong password", hint="check it")


def waits(error: SourceError, count: int) -> list[float]:
    now = [0.0]
    backoff = Backoff(clock=lambda: now[0], jitter=lambda: 1.0)
    found = []
    for _ in range(count):
        backoff.failed(error)
        start = now[0]
        while True:
            try:
                backoff.check()
            except SourceError:
                now[0] += 0.25
            else:
                break
        found.append(now[0] - start)
    return found


def test_the_wait_doubles_up_to_a_bound() -> None:
    assert waits(DOWN, 6) == [0.5, 1, 2, 4, LONGEST, LONGEST]
    assert waits(REFUSED, 8)[-1] == LONGEST_REFUSED


def test_jitter_only_shortens_and_success_forgets() -> None:
    now = [0.0]
    backoff = Backoff(clock=lambda: now[0], jitter=lambda: 0.0)
    backoff.check()
    backoff.failed(REFUSED)
    with pytest.raises(SourceError) as caught:
        backoff.check()
    assert (caught.value.message, caught.value.hint) == ("wrong password", "check it")
    assert caught.value is not REFUSED, "an exception raised again would gather tracebacks"
    now[0] = 0.25
    backoff.check()
    backoff.failed(DOWN)
    backoff.succeeded()
    backoff.check()
