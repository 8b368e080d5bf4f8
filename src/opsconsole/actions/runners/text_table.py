"""Rows as plain text, the way psql prints them."""

from collections.abc import Collection, Iterable, Sequence

from opsconsole.core.clean import clean_line

_WIDEST = 200  # characters of one cell; the whole value is for the database to show
NULL = "∅"


def text_table(columns: Sequence[str], rows: Iterable[Sequence[str | None]], right: Collection[int] = ()) -> str:
    """A header, a rule and the rows, each on one line; `right` are the columns that stand to the right."""
    header = [clean_line(column, limit=_WIDEST) for column in columns]
    lines = [[NULL if value is None else clean_line(value, limit=_WIDEST) for value in row] for row in rows]
    widths = [max(len(line[at]) for line in (header, *lines)) for at in range(len(header))]
    return "".join(
        f"{text}\n"
        for text in (
            _line(header, widths, right),
            "-+-".join("-" * width for width in widths),
            *(_line(line, widths, right) for line in lines),
        )
    )


def _line(cells: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    padded = (
        cell.rjust(width) if at in right else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return " | ".join(padded).rstrip()
