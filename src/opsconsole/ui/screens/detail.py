"""All there is to say about one row of the workbench, as a page of text."""

import textwrap
from collections.abc import Callable, Iterator

from opsconsole.core.clean import clean_line
from opsconsole.ui.lines import Line, Lines, Span, line
from opsconsole.ui.pages.page import Detail

_LONGEST_NAME = 28


def detail_page(detail: Detail, notes: tuple[str, ...] = ()) -> Callable[[int], Lines]:
    """From a width to the lines: facts by name, then texts under their headings, then what could not be seen."""

    def page(width: int) -> Lines:
        return tuple(_lines(detail, notes, max(20, width - 2)))

    return page


def _lines(detail: Detail, notes: tuple[str, ...], width: int) -> Iterator[Line]:
    yield line(Span(f" {detail.title}", "title"))
    yield ()
    room = min(_LONGEST_NAME, max((len(name) for name, _ in detail.facts), default=0))
    for name, value in detail.facts:
        wrapped = textwrap.wrap(value, max(10, width - room - 4)) or [""]
        yield line(Span(f"  {name:<{room}}  ", "dim"), Span(wrapped[0]))
        yield from (line(Span(" " * (room + 4)), Span(more)) for more in wrapped[1:])
    for heading, text in (*detail.parts, *(("not seen", clean_line(note)) for note in notes)):
        yield ()
        yield line(Span(f" {heading}", "heading"))
        for paragraph in text.splitlines() or [""]:
            for piece in textwrap.wrap(paragraph, width - 2, drop_whitespace=False, replace_whitespace=False) or [""]:
                yield line(Span(f"  {piece}"))
