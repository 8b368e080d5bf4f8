"""A dashboard that is more than a screen holds, as several screens: sections stay together where they can."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from opsconsole.monitoring.grafana.writing import Entry

CONTINUED = "continued"
"""What the heading of a section says that began on the page before."""


def paged(entries: Sequence[Entry], most: int) -> list[list[Entry]]:
    """`entries` on as few pages as keep sections whole, each with `most` panes at most; at least one page."""
    pages: list[list[Entry]] = [[]]
    for block in _blocks(entries):
        if _panes(pages[-1]) + _panes(block) > most and _panes(pages[-1]):
            pages.append([])
        for part in _parts(block, most):
            if _panes(pages[-1]) + _panes(part) > most:
                pages.append([])
            pages[-1] += part
    return pages


def _blocks(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Each section with its heading; what stands before the first."""
    block: list[Entry] = []
    for entry in entries:
        if _is_heading(entry) and block:
            yield block
            block = []
        block.append(entry)
    if block:
        yield block


def _parts(block: list[Entry], most: int) -> Iterator[list[Entry]]:
    """A block that no page can hold, in parts that one can, each under its heading."""
    if _panes(block) <= most:
        yield block
        return
    heading = block[:1] if _is_heading(block[0]) else []
    part, number = list(heading), 1
    for entry in block[len(heading) :]:
        if _panes(part) >= most and entry.pane is not None:
            yield part
            number += 1
            part = [_continued(one, number) for one in heading]
        part.append(entry)
    yield part


def _continued(heading: Entry, number: int) -> Entry:
    pane = dict(heading.pane or {})
    return replace(heading, pane={**pane, "id": f"{pane['id']}-{CONTINUED}-{number}",
                                  "title": f"{pane['title']} ({CONTINUED})"})  # fmt: skip


def _is_heading(entry: Entry) -> bool:
    return entry.pane is not None and entry.pane.get("kind") == "section"


def _panes(entries: Sequence[Entry]) -> int:
    return sum(entry.pane is not None for entry in entries)
