"""When Python looks for garbage: through everything only while nobody types.

A round of the collector stops the program. Through five thousand alerts or DAGs it takes tenths of a second, and left
to itself it comes in the midst of a reading of them. What refers to itself is all that has to wait for such a round;
everything else goes at once, and most of what refers to itself goes with the rounds through what is young.
"""

import gc
import sys
import time
from collections.abc import Callable

IDLE = 5.0
"""Seconds without a key after which nobody types."""
EVERY = 300.0
"""Seconds between two rounds at least,"""
LATEST = 1800.0
"""and seconds after which one comes in spite of keys."""
_YOUNG, _MIDDLE, _NEVER = 5_000, 20, 1_000_000
_TURN = 0.0005
"""Seconds that a thread which makes rows holds the interpreter while the one that answers keys waits for it, many times
a key; Python's own 5 ms add up to more than what a key may take."""


class GarbageRounds:
    """The rounds through everything, of one program."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds."""
        self._clock = clock
        self._last = self._typed = clock()

    def begin(self) -> None:
        """From now on they come when `tick` says so. What is there by now, mostly code, is looked at no more."""
        gc.freeze()
        gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
        sys.setswitchinterval(_TURN)

    def typed(self) -> None:
        """A key was pressed, or the mouse used."""
        self._typed = self._clock()

    def tick(self) -> bool:
        """Go through everything where it is time to; whether it was."""
        now = self._clock()
        since = now - self._last
        if since < EVERY or (now - self._typed < IDLE and since < LATEST):
            return False
        gc.collect()
        self._last = self._clock()
        return True
