"""Not asking again at once what has just failed."""

import random
import time
from collections.abc import Callable

from opsconsole.core.reading import SourceError

FIRST = 0.5
LONGEST = 5.0
"""Seconds; short enough that a source that is back is seen within two refreshes."""
LONGEST_REFUSED = 30.0
"""Wrong credentials do not get right by themselves, and servers lock accounts that insist."""


class Backoff:
    """Remembers a failure for a while, so that thirty panes learn of it without thirty attempts."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, jitter: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._failures = 0
        self._retry_at = 0.0
        self._error: SourceError | None = None

    def check(self) -> None:
        """Raises the last failure while it is too early for another attempt."""
        if self._error is not None and self._clock() < self._retry_at:
            error = self._error
            raise SourceError(error.source, error.kind, error.message, hint=error.hint)

    def failed(self, error: SourceError) -> None:
        """Another attempt failed: wait, each time twice as long, with jitter so that consoles do not march in step."""
        longest = LONGEST_REFUSED if error.kind == "refused" else LONGEST
        delay = min(longest, FIRST * 2 ** min(self._failures, 10))
        self._failures += 1
        self._error = error
        self._retry_at = self._clock() + delay * (0.5 + self._jitter() / 2)

    def succeeded(self) -> None:
        """It works again."""
        self._failures, self._error = 0, None
