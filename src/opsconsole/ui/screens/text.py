"""A page of text to scroll through: help, the last error of a pane, what a dry run would do."""

import re
import textwrap
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult

from opsconsole.core.clean import clean
from opsconsole.ui.actions import KeyAction, Place, Registry, key_text
from opsconsole.ui.lines import Line, Lines, Span, fit, fit_line, line
from opsconsole.ui.screens.view import View
from opsconsole.ui.widgets.canvas import Canvas

Page = Callable[[int], Sequence[Line]]
"""From a width in cells to all lines of the page; a long one makes those that are looked at when they are."""


class Scroller(Canvas):
    """Lines of which a part is in view."""

    DEFAULT_CSS = "Scroller { width: 100%; height: 1fr; }"

    def __init__(self, page: Page) -> None:
        super().__init__(classes="scroller")
        self._page = page
        self._top = 0
        self._total = 0

    def paint(self, width: int, height: int) -> Lines:
        """The part in view; its last line says where that is, when there is more."""
        lines = self._page(width)
        self._total = len(lines)
        room = height - 1 if len(lines) > height else height
        self._top = max(0, min(self._top, len(lines) - room))
        shown = tuple(lines[self._top : self._top + room])
        if room == height:
            return shown
        where = f" {self._top + 1} to {self._top + len(shown)} of {len(lines)} lines"
        return (*shown, fit_line(line(Span(where, "dim")), width))

    def scroll_by(self, rows: int) -> None:
        """Move by rows, as far as it goes."""
        self._top = max(0, self._top + rows)
        self.repaint()

    @property
    def page(self) -> int:
        """Rows that one page moves by."""
        return max(1, self.size.height - 2)

    @property
    def in_view(self) -> slice:
        """The places of the lines that are in view."""
        room = self.size.height
        return slice(self._top, self._top + (room if self._total <= room else room - 1))

    @property
    def total(self) -> int:
        """Lines of the whole page."""
        return self._total

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three rows down."""
        event.stop()
        self.scroll_by(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three rows up."""
        event.stop()
        self.scroll_by(-3)


class TextView(View):
    """A page; `esc` goes back to where one was."""

    place: ClassVar[Place] = Place.HELP

    def __init__(self, title: str, page: Page) -> None:
        super().__init__()
        self.title = title
        self._scroller = Scroller(page)

    def compose(self) -> ComposeResult:
        yield self._scroller

    def hints(self) -> list[tuple[str, str]]:
        """Back, first of all."""
        return [("back", "back"), ("page-down", "page down"), ("top", "top"), ("bottom", "end"), ("command", "command")]

    def do_up(self) -> None:
        self._scroller.scroll_by(-1)

    def do_down(self) -> None:
        self._scroller.scroll_by(1)

    def do_page_up(self) -> None:
        self._scroller.scroll_by(-self._scroller.page)

    def do_page_down(self) -> None:
        self._scroller.scroll_by(self._scroller.page)

    def do_top(self) -> None:
        self._scroller.scroll_by(-self._scroller.total)

    def do_bottom(self) -> None:
        self._scroller.scroll_by(self._scroller.total)


def paragraphs(text: str, width: int, role: str = "text") -> Lines:
    """Plain text broken to `width` cells at spaces, its own line breaks kept."""
    lines: list[Line] = []
    for paragraph in text.splitlines():
        indent = paragraph[: len(paragraph) - len(paragraph.lstrip())][: width // 2]
        pieces = textwrap.wrap(paragraph, max(10, width), subsequent_indent=indent) or [""]
        lines.extend(line(Span(piece, role)) for piece in pieces)
    return tuple(lines)


_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s+")


def prose_lines(markdown: str, width: int, role: str = "text") -> Lines:
    """Markdown as plain text: paragraphs flow, list items stand on their own, emphasis is left out."""
    blocks: list[str] = []
    flowing = False
    for raw in clean(markdown).splitlines():
        text = raw.strip().replace("**", "").replace("__", "")
        if not text:
            flowing = False
        elif _ITEM.match(raw) or text.startswith(("#", "|", ">")) or not flowing:
            blocks.append(text)
            flowing = not text.startswith(("#", "|"))
        else:
            blocks[-1] += f" {text}"
    lines: list[Line] = []
    for block in blocks:
        item = _ITEM.match(block)
        hanging = " " * len(item.group()) if item else ""
        pieces = textwrap.wrap(block, max(10, width), subsequent_indent=hanging) or [""]
        lines.extend(line(Span(piece, role)) for piece in pieces)
    return tuple(lines)


def help_page(registry: Registry, place: Place, commands: dict[str, str]) -> Page:
    """All keys that mean something at `place`, by group, and the commands."""

    def page(width: int) -> Lines:
        groups: dict[str, list[KeyAction]] = {}
        for action in registry.at(place):
            groups.setdefault(action.group, []).append(action)
        lines: list[Line] = []
        for group, actions in groups.items():
            lines += [(), line(Span(f" {group}", "heading"))]
            lines += [_help_line(" ".join(map(key_text, action.keys)), action.title) for action in _folded(actions)]
        lines += [(), line(Span(" Commands, after  :  (tab completes)", "heading"))]
        lines += [_help_line(f":{name}", text) for name, text in commands.items()]
        lines += [(), line(Span(" Keys can be changed in the configuration, under  keys:  by action id.", "dim"))]
        return tuple(fit_line(one, width) for one in lines[1:])

    return page


def _help_line(keys: str, text: str) -> Line:
    return line(" ", Span(fit(keys, 16), "key"), Span(text))


def _folded(actions: list[KeyAction]) -> list[KeyAction]:
    """The nine screens in one line."""
    screens = [action for action in actions if action.id.startswith("screen-")]
    rest = [action for action in actions if action not in screens]
    if len(screens) < 3:
        return actions
    keys = f"{screens[0].keys[0]}–{screens[-1].keys[0]}" if screens[0].keys and screens[-1].keys else ""
    return [*rest, KeyAction("screens", (keys,), "Go to a screen", screens[0].group)]
