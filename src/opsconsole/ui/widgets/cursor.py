"""Where the operator is in a list that changes under them: a cursor that stays on its row, and an order that waits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class Cursor:
    """A position in a keyed list that follows its key, not its place."""

    key: str | None = None
    index: int = 0

    def settle(self, keys: Sequence[str]) -> None:
        """Find the key again in the list as it is now; where it is gone, stay at its place."""
        if not keys:
            self.key, self.index = None, 0
            return
        if self.index < len(keys) and keys[self.index] == self.key:
            return
        if self.key is not None:
            try:
                self.index = keys.index(self.key)
            except ValueError:
                pass
            else:
                return
        self.move_to(self.index, keys)

    def move_to(self, index: int, keys: Sequence[str]) -> bool:
        """Go to a place, as far as the list goes; True when that is another row."""
        if not keys:
            self.key, self.index = None, 0
            return False
        before = self.key
        self.index = max(0, min(len(keys) - 1, index))
        self.key = keys[self.index]
        return self.key != before


def held_order(standing: Sequence[str], arriving: Iterable[str]) -> tuple[str, ...]:
    """The order to show while something is selected: who stands keeps the place, even when gone; the new come last."""
    known = set(standing)
    return (*standing, *(key for key in arriving if key not in known))


def scrolled(top: int, index: int, count: int, height: int) -> int:
    """The first row to show so that `index` is in view, moving no further than needed and never past the end."""
    if height <= 0:
        return 0
    if index < top:
        top = index
    elif index >= top + height:
        top = index - height + 1
    return max(0, min(top, count - height))
