"""All there is to say about one row of the workbench, as a page of text."""

import textwrap
from collections.abc import Callable, Iterator
from typing import ClassVar

from opsconsole.core.clean import clean_line
from opsconsole.ui.actions import Place
from opsconsole.ui.lines import Line, Lines, Span, line
from opsconsole.ui.pages.page import Detail
from opsconsole.ui.screens.text import TextView

_LONGEST_NAME = 28


def detail_page(detail: Detail, notes: tuple[str, ...] = ()) -> Callable[[int], Lines]:
    """From a width to the lines: facts by name, then texts under their headings, then the notes of the reading."""

    def page(width: int) -> Lines:
        return tuple(_lines(detail, notes, max(20, width - 2)))

    return page


class DetailView(TextView):
    """The detail of a row that a runbook may be for: `b` leads there, whatever row the list is at by then."""

    place: ClassVar[Place] = Place.DETAIL

    def __init__(self, detail: Detail, notes: tuple[str, ...], to_runbook: Callable[[], None]) -> None:
        super().__init__(detail.title, detail_page(detail, notes))
        self._to_runbook = to_runbook

    def hints(self) -> list[tuple[str, str]]:
        """Back and the runbook, first of all."""
        back, *rest = super().hints()
        return [back, ("runbook", "runbook"), *rest]

    def do_runbook(self) -> None:
        """The runbook for what it is about, filled in."""
        self._to_runbook()


def _lines(detail: Detail, notes: tuple[str, ...], width: int) -> Iterator[Line]:
    yield line(Span(f" {detail.title}", "title"))
    yield ()
    room = min(_LONGEST_NAME, max((len(name) for name, _ in detail.facts), default=0))
    for name, value in detail.facts:
        wrapped = textwrap.wrap(value, max(10, width - room - 4)) or [""]
        yield line(Span(f"  {name:<{room}}  ", "dim"), Span(wrapped[0]))
        yield from (line(Span(" " * (room + 4)), Span(more)) for more in wrapped[1:])
    for heading, text in (*detail.parts, *(("note", clean_line(note)) for note in notes)):
        yield ()
        yield line(Span(f" {heading}", "heading"))
        for paragraph in text.splitlines() or [""]:
            for piece in textwrap.wrap(paragraph, width - 2, drop_whitespace=False, replace_whitespace=False) or [""]:
                yield line(Span(f"  {piece}"))
