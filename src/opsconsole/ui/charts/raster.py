"""Lines drawn as dots inside of character cells: braille (2x4 dots a cell), quadrant blocks (2x2), or ASCII (1x1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opsconsole.ui.glyphs import ChartStyle

EMPTY = -1
"""The owner of a cell in which nothing is drawn."""

# Dots of a braille cell by (column, row): Unicode 16.0, chapter 21.1.
_BRAILLE_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_QUADRANT_BITS = ((1, 4), (2, 8))
_QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
ASCII_MARKS = "*+ox#@"


@dataclass(frozen=True, slots=True)
class DotStyle:
    """How dots become characters."""

    across: int
    """Dots in a cell, from left to right."""
    down: int
    bits: tuple[tuple[int, ...], ...]
    character: Callable[[int, int], str]
    """From the dots of a cell and its owner."""


_STYLES: dict[ChartStyle, DotStyle] = {
    "braille": DotStyle(2, 4, _BRAILLE_BITS, lambda bits, _: chr(0x2800 + bits)),
    "block": DotStyle(2, 2, _QUADRANT_BITS, lambda bits, _: _QUADRANTS[bits]),
    "ascii": DotStyle(1, 1, ((1,),), lambda _, owner: ASCII_MARKS[owner % len(ASCII_MARKS)]),
}


def dot_style(style: ChartStyle) -> DotStyle:
    """The dots of a chart style."""
    return _STYLES[style]


class Raster:
    """A drawing surface of `width` x `height` cells; row 0 of the dots is at the top."""

    def __init__(self, width: int, height: int, style: ChartStyle) -> None:
        self.width, self.height = max(0, width), max(0, height)
        self.style = dot_style(style)
        self._bits = [bytearray(self.width) for _ in range(self.height)]
        self._owners = [[EMPTY] * self.width for _ in range(self.height)]

    @property
    def dots_across(self) -> int:
        """Columns of dots."""
        return self.width * self.style.across

    @property
    def dots_down(self) -> int:
        """Rows of dots."""
        return self.height * self.style.down

    def dot(self, x: int, y: int, owner: int) -> None:
        """Set a dot; the cell belongs to who drew in it last. Outside of the surface nothing happens."""
        if not (0 <= x < self.dots_across and 0 <= y < self.dots_down):
            return
        column, row = x // self.style.across, y // self.style.down
        self._bits[row][column] |= self.style.bits[x % self.style.across][y % self.style.down]
        self._owners[row][column] = owner

    def line(self, start: tuple[int, int], end: tuple[int, int], owner: int) -> None:
        """A straight line of dots between two dots, both included."""
        (x, y), (x2, y2) = start, end
        across, down = abs(x2 - x), abs(y2 - y)
        step_x, step_y = (1 if x2 >= x else -1), (1 if y2 >= y else -1)
        error = across - down
        for _ in range(across + down + 1):  # Bresenham takes at most that many steps
            self.dot(x, y, owner)
            if (x, y) == (x2, y2):
                return
            twice = 2 * error
            if twice > -down:
                error -= down
                x += step_x
            if twice < across:
                error += across
                y += step_y

    def cell(self, column: int, row: int) -> tuple[str, int]:
        """The character of a cell and who it belongs to; a blank of `EMPTY` where nothing is drawn."""
        owner = self._owners[row][column]
        return (" ", EMPTY) if owner == EMPTY else (self.style.character(self._bits[row][column], owner), owner)

    def row(self, row: int) -> Sequence[tuple[str, int]]:
        """All cells of a row."""
        return [self.cell(column, row) for column in range(self.width)]
