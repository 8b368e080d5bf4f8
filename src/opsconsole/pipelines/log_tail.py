"""The end of a log of any length, in memory that does not grow with it."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import overload

from opsconsole.pipelines.model import LogLine

MOST_LINES = 20_000
MOST_CHARACTERS = 16 * 1024 * 1024
"""Of all lines that are kept, together: lines may be long, too."""


class LogTail(Sequence[LogLine]):
    """The last lines that were fed, kept as they came: a line is parsed when somebody looks at it.

    A log of 100 MB has half a million lines, of which a person sees fifty.
    """

    def __init__(
        self, parse: Callable[[str], LogLine], lines: int = MOST_LINES, characters: int = MOST_CHARACTERS
    ) -> None:
        """`parse` makes a line of a text; what it gives is clean."""
        self.parse = parse
        self._kept: deque[str] = deque()
        self._lines = lines
        self._characters = characters
        self._size = 0
        self.fed = 0
        """Lines that came in all."""

    def feed(self, raw: str) -> None:
        """Keep one line more; of those before it as many as there is room for."""
        self._kept.append(raw)
        self._size += len(raw)
        self.fed += 1
        while len(self._kept) > self._lines or (self._size > self._characters and len(self._kept) > 1):
            self._size -= len(self._kept.popleft())

    @property
    def raw(self) -> Iterator[str]:
        """The lines as they came."""
        return iter(self._kept)

    @property
    def dropped(self) -> int:
        """Lines that came, and are not kept."""
        return self.fed - len(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, place: int) -> LogLine: ...
    @overload
    def __getitem__(self, place: slice) -> list[LogLine]: ...
    def __getitem__(self, place: int | slice) -> LogLine | list[LogLine]:
        if isinstance(place, slice):
            return [self.parse(self._kept[at]) for at in range(*place.indices(len(self._kept)))]
        return self.parse(self._kept[place])
