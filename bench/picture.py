"""A picture of what is on a terminal, as SVG: plain monospace text, no fonts from elsewhere.

`python -m bench.picture FILE.svg [--size 120x40] [--keys 2,tab] [--wait REGEX] -- COMMAND [ARG...]`
"""

import argparse
from html import escape
from itertools import groupby
from pathlib import Path

from pyte.screens import Char

from bench.terminal import Terminal

CELL, LINE, MARGIN = 8.4, 18, 12  # pixels: the advance and the line height of 14 px monospace text, and the frame
FOREGROUND, BACKGROUND = "#d8dee9", "#11151c"
ANSI = {
    "black": "#1c2128", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b",
    "blue": "#61afef", "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#d8dee9",
    "brightblack": "#6b7280", "brightred": "#ff7a85", "brightgreen": "#b5e890", "brightbrown": "#ffd88a",
    "brightblue": "#82c7ff", "brightmagenta": "#e29bf5", "brightcyan": "#7fdbe6", "brightwhite": "#ffffff",
}  # fmt: skip
Look = tuple[str, str, bool, bool]


def _colour(name: str, default: str) -> str:
    return default if name == "default" else ANSI.get(name, f"#{name}")


def _look(cell: Char) -> Look:
    foreground, background = _colour(cell.fg, FOREGROUND), _colour(cell.bg, BACKGROUND)
    if cell.reverse:
        foreground, background = background, foreground
    return foreground, background, cell.bold, cell.underscore


def svg(terminal: Terminal) -> str:
    """The terminal's screen as an SVG document."""
    screen = terminal.screen
    width, height = screen.columns * CELL + 2 * MARGIN, screen.lines * LINE + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}"'
        f' width="{width:.0f}" height="{height:.0f}">',
        "<style>text{font:14px 'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}</style>",
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
    ]
    for row in range(screen.lines):
        cells = [(column, screen.buffer[row][column]) for column in range(screen.columns)]
        for look, run in groupby(cells, key=lambda item: _look(item[1])):
            parts.extend(_run(row, list(run), look))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _run(row: int, run: list[tuple[int, Char]], look: Look) -> list[str]:
    foreground, background, bold, underline = look
    text = "".join(cell.data for _, cell in run)
    x, y, length = MARGIN + run[0][0] * CELL, MARGIN + row * LINE, len(run) * CELL
    drawn = []
    if background != BACKGROUND:
        drawn.append(f'<rect x="{x:.1f}" y="{y}" width="{length:.1f}" height="{LINE}" fill="{background}"/>')
    if text.strip():
        weight = ' font-weight="bold"' if bold else ""
        line = ' text-decoration="underline"' if underline else ""
        drawn.append(
            f'<text x="{x:.1f}" y="{y + LINE - 4}" fill="{foreground}" textLength="{length:.1f}"'
            f'{weight}{line} xml:space="preserve">{escape(text)}</text>'
        )
    return drawn


def main() -> None:
    """Start the command, wait, press, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--size", default="120x40")
    parser.add_argument("--keys", default="")
    parser.add_argument("--wait", default=r"\S")
    parser.add_argument("--seconds", type=float, default=3.0, help="to watch before the keys and after them")
    parser.add_argument("command", nargs="+")
    asked = parser.parse_args()
    columns, lines = map(int, asked.size.split("x"))
    with Terminal(asked.command, columns=columns, lines=lines) as terminal:
        terminal.wait_for(asked.wait, 30)
        terminal.watch(asked.seconds)
        for key in filter(None, asked.keys.split(",")):
            terminal.press(key)
            terminal.settle(0.4, 2.0)
        terminal.watch(asked.seconds if asked.keys else 0.0)
        asked.file.write_text(svg(terminal), encoding="utf-8")


if __name__ == "__main__":
    main()
