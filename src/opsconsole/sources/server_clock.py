"""How far a server's clock is off ours, by the header `Date` of its answers."""

import time
from collections import deque
from collections.abc import Callable
from email.utils import parsedate_to_datetime

_LEAST = 3.0
"""Seconds of difference that are none: the header has whole ones, and servers make it anew about once in one."""
_TURNS = 10
"""Turns of its loop after which uvicorn makes the header anew. Of a server that is too busy each takes long, so that
the header is old, and its clock seems to be behind."""
_MEMORY = 60.0
"""Seconds for which an answer counts."""
_MOST = 64


class ServerClock:
    """Fed with answers. A header may be old, but never from the future: so the one that is most ahead is right."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, float, float]] = deque(maxlen=_MOST)
        """(when it came, seconds ahead, seconds that the answer took)."""

    def see(self, date: str, sent: float, came: float) -> None:
        """Take an answer in: the server said `date` between `sent` and `came`, both unix seconds of ours."""
        try:
            told = parsedate_to_datetime(date).timestamp() + 0.5
        except (ValueError, TypeError, IndexError, OverflowError):
            return
        self._seen.append((self._clock(), told - (sent + came) / 2, came - sent))

    @property
    def ahead(self) -> float:
        """Seconds by which it is ahead of ours; 0 where that cannot be told from how long answers take."""
        now = self._clock()
        fresh = [(ahead, took) for at, ahead, took in self._seen if now - at <= _MEMORY]
        ahead, took = max(fresh, default=(0.0, 0.0))
        doubt = _LEAST + (took / 2 if ahead > 0 else took * _TURNS)
        return ahead if abs(ahead) > doubt else 0.0
