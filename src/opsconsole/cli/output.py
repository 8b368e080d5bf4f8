"""What commands print: data on stdout, narration on stderr, and nothing that a terminal would obey."""

import json
import math
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from opsconsole.config.secrets import known_secrets
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.problem import Problem
from opsconsole.core.secret import MASK, Secret, mask

_NAME_KEPT = 0.4
"""Of a line, what a column of names keeps, and `_NAME_LEAST` cells at least."""
_NAME_LEAST = 20
_LAST_KEPT = 24
"""Cells that the last column is given, if it has as many, before one of names is made narrower."""


def rfc3339(seconds: float | None) -> str | None:
    """Unix seconds as `2026-11-21T14:02:11.120Z`; None stays None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def narrate(text: object) -> None:
    """One line or more for people, on stderr, secrets masked."""
    print(clean(mask(str(text), known_secrets())), file=sys.stderr)


def print_json(value: object) -> None:
    """`value` as JSON on stdout, ASCII only. NaN and infinities, which JSON has no word for, become null."""
    print(json.dumps(_plain(value), indent=2, allow_nan=False))


def print_text(text: object) -> None:
    """Text that is the command's data, on stdout, cleaned."""
    print(clean(text, limit=10_000_000))


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    wrap: bool = False,
    names: Iterable[int] = (),
    spare: Sequence[int] = (),
) -> None:
    """Rows under a header on stdout, numbers to the right. On a terminal the last column is cut to fit, unless `wrap`;
    in a pipe nothing is cut.

    Args:
        columns: what they are called.
        rows: a value for each column.
        wrap: the last column goes on below.
        names: places of columns of names from outside. On a terminal that is too narrow they are shortened in the
            middle, the longest first: one long name does not push everything else off every line.
        spare: places of columns that such a terminal does without, the first first; stderr says which.
    """
    given = [list(row) for row in rows]
    header = [_cell(column) for column in columns]
    cells = [[_cell(value) for value in row] for row in given]
    right = [
        bool(given) and all(isinstance(row[at], int | float) or row[at] is None for row in given)
        for at in range(len(columns))
    ]
    widths = [max(cell_width(line[at]) for line in (header, *cells)) for at in range(len(columns))]
    room = 0 if wrap else _terminal_width()
    if room:
        named = frozenset(names)
        if gone := _left_out(widths, named, spare, room):
            kept = [at for at in range(len(columns)) if at not in gone]
            print_table(
                [columns[at] for at in kept],
                [[row[at] for at in kept] for row in given],
                names=[place for place, at in enumerate(kept) if at in named],
            )
            narrate(f"no room for: {', '.join(columns[at] for at in sorted(gone))}")
            return
        widths = _narrowed(widths, named, room)
        cells = [[*map(_elided, line[:-1], widths), line[-1]] for line in cells]
    for line in (header, *cells):
        shown = "  ".join(
            _pad(text, width, to_right) for text, width, to_right in zip(line, widths, right, strict=True)
        )
        print(_cut(shown.rstrip(), room) if room else shown.rstrip())


def print_problems(problems: Iterable[Problem], *, on_stdout: bool = False) -> None:
    """Each problem on a line, `file:line:column: severity: what, and what was expected [code]`; on stderr, or on
    stdout where the problems are what the command is for."""
    for problem in problems:
        where = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
        text = clean_line(f"{where}: {problem.severity}: {problem.message} [{problem.code}]", limit=2000)
        print(mask(text, known_secrets()), file=sys.stdout if on_stdout else sys.stderr)


def problem_fields(problem: Problem) -> dict[str, Any]:
    """A problem as the JSON of every checking command has it."""
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
    }


def cell_width(text: str) -> int:
    """Terminal cells that `text` takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in text)
    return len(text) + wide - sum(unicodedata.combining(one) != 0 for one in text)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return clean_line(mask(str(value), known_secrets()))


def _pad(text: str, width: int, to_right: bool) -> str:
    padding = " " * (width - cell_width(text))
    return padding + text if to_right else text + padding


def _left_out(widths: Sequence[int], names: frozenset[int], spare: Sequence[int], room: int) -> set[int]:
    """Which of the `spare` columns there is no room for, even where those at `names` are as narrow as they get."""
    last = len(widths) - 1
    least = {
        at: min(width, _LAST_KEPT if at == last else _NAME_KEPT if at in names else width)
        for at, width in enumerate(widths)
    }
    gone: set[int] = set()
    for at in spare:
        if sum(least.values()) + 2 * (len(least) - 1) <= room:
            break
        del least[at]
        gone.add(at)
    return gone


def _narrowed(widths: Sequence[int], names: frozenset[int], room: int) -> list[int]:
    """Widths of columns with those at `names` made narrower, as far as it takes for all of a line to fit."""
    found, last = list(widths), len(widths) - 1
    kept = [min(width, _LAST_KEPT) if at == last else width for at, width in enumerate(found)]
    over, least = sum(kept) + 2 * last - room, max(_NAME_LEAST, round(room * _NAME_KEPT))
    while over > 0 and (wide := [at for at in names if at != last and found[at] > least]):
        widest = max(wide, key=lambda at: found[at])
        found[widest] -= 1
        over -= 1
    return found


def _elided(text: str, width: int) -> str:
    """`text` in at most `width` cells, shortened in the middle: what tells names apart is often at their end."""
    if cell_width(text) <= width:
        return text
    back = ""
    for one in reversed(text):
        if cell_width(one + back) > (width - 1) // 2:
            break
        back = one + back
    front = ""
    for one in text:
        if cell_width(front + one) > width - 1 - cell_width(back):
            break
        front += one
    return f"{front}…{back}"


def _cut(text: str, room: int) -> str:
    if cell_width(text) <= room:
        return text
    while text and cell_width(text) >= room:
        text = text[:-1]
    return text + "…"


def _terminal_width() -> int:
    """Columns of the terminal that stdout is; 0 where it is none."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else 0


def _plain(value: Any) -> Any:
    """`value` in what JSON knows."""
    match value:
        case None | bool() | int():
            return value
        case Enum():
            return value.value
        case str():
            return mask(value, known_secrets())
        case float():
            return value if math.isfinite(value) else None
        case Secret():
            return MASK
        case datetime():
            return rfc3339(value.timestamp())
        case Path():
            return str(value)
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case Iterable():
            return [_plain(item) for item in value]
        case _:
            return str(value)
