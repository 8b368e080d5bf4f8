"""What is painted: lines of (text, role). Pure text, measured in terminal cells.

Panes and tables are functions that return `Lines`; `widgets.canvas` paints them, `theme` says what a role
looks like. A wide character is two cells, a combining one none, and no line is ever wider than it was asked to be.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from rich.cells import cell_len

from opsconsole.core.clean import clean_line
from opsconsole.core.state import State

Role = str
"""The name of a look; `theme.ROLES` lists them. One that a theme does not know is painted as plain text."""

Align = Literal["left", "right"]


class Span(NamedTuple):
    """A run of text in one role."""

    text: str
    role: Role = "text"


Line = tuple[Span, ...]
Lines = tuple[Line, ...]

_STATE_ROLES: dict[State, Role] = {state: state.value.lower() for state in State}


def state_role(state: State) -> Role:
    """The role in which a state is written."""
    return _STATE_ROLES[state]


def width_of(text: str) -> int:
    """Cells that `text` takes."""
    return len(text) if text.isascii() else cell_len(inert(text))


def inert(text: str) -> str:
    """`text` fit for one line of a terminal.

    Everything from outside was cleaned where it came in; this second look costs two tests in C and makes it
    impossible for a forgotten path to move the cursor. The variation selectors of emoji go as well: terminals do not
    agree on how wide they make the character before them.
    """
    shown = text if text.isprintable() else clean_line(text)
    return shown if shown.isascii() else shown.replace("\ufe0f", "").replace("\ufe0e", "")


_ASCII = str.maketrans({"–": "-", "—": "-", "…": ".", "µ": "u", "≤": "<", "≥": ">", "°": "'", "⏎": " ", "×": "x",
                        "●": "o", "✗": "X", "▶": ">", "○": ".", "█": "#", "·": ".", "└": "`", "→": ">",
                        "◆": "#", "─": "-"})  # fmt: skip


def as_ascii(text: str) -> str:
    """`text` in as many cells for a terminal that shows nothing but ASCII: what has no like is a `?`."""
    if text.isascii():
        return text
    text = text.translate(_ASCII)
    return "".join(character if character.isascii() else "?" * cell_len(character) for character in text)


def cut(text: str, width: int) -> str:
    """The longest start of `text` that fits into `width` cells; a wide character is never halved."""
    if width <= 0:
        return ""
    if text.isascii():
        return text[:width]
    text = inert(text)
    used = 0
    for at, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            return text[:at]
    return text


def truncate(text: str, width: int, ellipsis: str = "…") -> str:
    """`text` in at most `width` cells; what was cut is shown by `ellipsis`."""
    if width_of(text) <= width:
        return text
    room = width - width_of(ellipsis)
    return cut(text, room) + ellipsis if room > 0 else cut(text, width)


def fit_name(text: str, width: int, ellipsis: str = "…") -> str:
    """A name in exactly `width` cells, shortened in the middle: what tells names apart is often at their end."""
    if width_of(text) <= width or width < 6 + width_of(ellipsis):
        return fit(text, width, "left", ellipsis)
    room = width - width_of(ellipsis)
    tail = ""
    for character in reversed(inert(text)):
        if width_of(character + tail) > room // 2:
            break
        tail = character + tail
    return fit(cut(text, room - width_of(tail)) + ellipsis + tail, width)


def fit(text: str, width: int, align: Align = "left", ellipsis: str = "…") -> str:
    """`text` in exactly `width` cells: truncated or padded."""
    if width <= 0:
        return ""
    shown = truncate(text, width, ellipsis)
    blanks = " " * (width - width_of(shown))
    return blanks + shown if align == "right" else shown + blanks


def line(*parts: Span | str | tuple[str, Role]) -> Line:
    """A line of spans, plain strings (role `text`) and pairs; empty parts are left out."""
    spans = (Span(part) if isinstance(part, str) else Span(*part) for part in parts)
    return tuple(span for span in spans if span.text)


def line_width(spans: Line) -> int:
    """Cells that a line takes."""
    return sum(width_of(span.text) for span in spans)


def clip_line(spans: Line, width: int, ellipsis: str = "…") -> Line:
    """The line in at most `width` cells."""
    if line_width(spans) <= width:
        return spans
    kept: list[Span] = []
    room = width
    for span in spans:
        size = width_of(span.text)
        if size < room:
            kept.append(span)
            room -= size
            continue
        # There is more to come, in this span or after it, so the ellipsis belongs here.
        text = cut(span.text, max(0, room - width_of(ellipsis))) + cut(ellipsis, room)
        kept.append(Span(text, span.role))
        break
    return tuple(span for span in kept if span.text)


def fit_line(spans: Line, width: int, ellipsis: str = "…") -> Line:
    """The line in exactly `width` cells."""
    clipped = clip_line(spans, width, ellipsis)
    blanks = width - line_width(clipped)
    return (*clipped, Span(" " * blanks)) if blanks > 0 else clipped


def spread(left: Line, right: Line, width: int, ellipsis: str = "…", gap: int = 2) -> Line:
    """`left` and `right` at the two ends of `width` cells; `left` gives way, `right` goes when there is no room."""
    right_width = line_width(right)
    if not right or right_width + gap >= width:
        return fit_line(left, width, ellipsis)
    room = width - right_width
    shown = clip_line(left, room - gap, ellipsis)
    return (*shown, Span(" " * (room - line_width(shown))), *right)


def merged(spans: Iterable[Span]) -> Line:
    """The same look in as few spans as possible.

    Each change of role costs some 40 bytes on the wire, so blanks take the role of what stands before them
    (unless that role would show on a blank).
    """
    result: list[Span] = []
    for span in spans:
        if not span.text:
            continue
        if result:
            last = result[-1]
            blank = not span.text.strip(" ") and span.role not in _SHOWS_ON_BLANK and last.role not in _SHOWS_ON_BLANK
            if last.role == span.role or blank:
                result[-1] = Span(last.text + span.text, last.role)
                continue
        result.append(span)
    return tuple(result)


_SHOWS_ON_BLANK = frozenset({"cursor", "selected", "title-focus", "readout", "key"})
"""Roles with a background or an underline, which must neither spread over blanks nor be lost on them."""


def in_role(spans: Line, role: Role) -> Line:
    """The whole line in one role: cheap to paint, and what greying out means."""
    text = "".join(span.text for span in spans)
    return (Span(text, role),) if text else ()


def text_of(lines: Iterable[Line]) -> str:
    """The plain text of `lines`, blanks at the ends dropped: for tests, copying and screen readers."""
    return "\n".join("".join(span.text for span in spans).rstrip() for spans in lines)


def changed_cells(old: Line, new: Line) -> tuple[int, int] | None:
    """The smallest range of cells `[start, end)` outside of which both lines look the same; None when equal."""
    if old == new:
        return None
    before, after = _cells(old), _cells(new)
    shorter = min(len(before), len(after))
    start = 0
    while start < shorter and before[start] == after[start]:
        start += 1
    if len(before) != len(after):
        return start, max(len(before), len(after))
    end = len(before)
    while end > start and before[end - 1] == after[end - 1]:
        end -= 1
    return (start, end) if end > start else None


def _cells(spans: Line) -> list[tuple[str, Role]]:
    """One entry per cell: (what stands there, role); a combining mark belongs to the cell before it."""
    cells: list[tuple[str, Role]] = []
    for text, role in spans:
        if text.isascii():
            cells.extend((character, role) for character in text)
            continue
        for character in inert(text):
            size = cell_len(character)
            if size == 0:
                if cells:
                    cells[-1] = (cells[-1][0] + character, role)
                continue
            cells.append((character, role))
            cells.extend([("", role)] * (size - 1))
    return cells


def wrapped(text: str, width: int, limit: int = 100) -> list[str]:
    """`text` as lines of at most `width` cells, broken between words where that is possible; at most `limit` lines."""
    if width <= 0:
        return []
    found: list[str] = []
    for paragraph in text.split("\n"):
        current = ""
        for word in paragraph.split(" "):
            longer = f"{current} {word}" if current else word
            if width_of(longer) <= width:
                current = longer
                continue
            if current:
                found.append(current)
            while width_of(word) > width:
                head = cut(word, width)
                if not head or len(found) >= limit:  # a wide character in a single cell
                    break
                found.append(head)
                word = word[len(head) :]
            current = cut(word, width)
        found.append(current)
        if len(found) >= limit:
            break
    return found[:limit]
