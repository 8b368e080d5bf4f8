"""YAML with a position for every key and value, read so that no file can hang, fill or crash the console.

Scalars follow the YAML 1.2 core schema, not PyYAML's 1.1: `on`, `no`, `12:30` and `2027-01-31` are text, which is
what people mean who write them. Keys are always text.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsconsole.config.composer import Composer, Node
from opsconsole.core.problem import ContentError, Problem

__all__ = ["Document", "Node", "Where", "load_document", "parse_document", "read_text"]

Where = tuple[str | int, ...]
"""The way to a value: keys and list positions from the top, `("panes", 0, "query")`."""

MAX_BYTES = 2_000_000
# What YAML allows in a file (spec 5.1), without the byte-order mark, which may only stand first.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed file. `data` is plain dicts, lists and scalars; treat it as read-only, aliases share parts of it."""

    file: str
    data: Any
    root: Node

    def where(self, path: Where) -> tuple[int, int]:
        """(line, column) of the value at `path`, from 1; of the nearest value above it where there is none."""
        node = self._nearest(path)
        return node.line, node.column

    def where_key(self, path: Where) -> tuple[int, int]:
        """(line, column) of the key that leads to `path`; of the value itself for a list item."""
        if path:
            found = self._nearest(path[:-1]).keys.get(str(path[-1]))
            if found is not None:
                return found
        return self.where(path)

    def raw(self, path: Where) -> str:
        """The scalar at `path` as it is written in the file: `007` and `1.10` stay what they are."""
        return self._nearest(path).raw

    def problem(self, path: Where, code: str, message: str, *, on_key: bool = False, warning: bool = False) -> Problem:
        """A problem with the value at `path`, or with its key."""
        line, column = self.where_key(path) if on_key else self.where(path)
        return Problem(self.file, line, column, "warning" if warning else "error", code, message)

    def _nearest(self, path: Where) -> Node:
        node = self.root
        for step in path:
            child = node.children.get(step)
            if child is None:
                break
            node = child
        return node


def load_document(path: str | os.PathLike[str]) -> Document:
    """The YAML file at `path`.

    Raises:
        ContentError: it cannot be read, is no UTF-8 or no YAML, or uses what is not allowed here (duplicate keys,
            tags, several documents); with every problem that could be found.
    """
    name = os.fspath(path)
    return parse_document(read_text(Path(name)), name)


def read_text(path: Path, *, limit: int = MAX_BYTES) -> str:
    """The text of a content file, without a byte-order mark.

    Raises:
        ContentError: it is missing, no regular file (a FIFO would hang the console), larger than `limit` bytes, or
            not UTF-8; the position is that of the first wrong byte.
    """
    name = str(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _refusal(name, 0, 0, "unreadable", "not a regular file; expected a text file")
            content = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _refusal(name, 0, 0, "unreadable", f"cannot be read: {reason}") from None
    if len(content) > limit:
        raise _refusal(name, 0, 0, "too-large", f"more than {limit} bytes; expected a file that a person edits")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", errors="replace")
        byte = f"0x{content[error.start]:02x}"
        raise _refusal(name, *_position(before), "not-utf8", f"byte {byte} is not UTF-8; expected UTF-8 text") from None


def parse_document(text: str, file: str, first_line: int = 1) -> Document:
    """`text` as YAML. `first_line` is the line of `file` on which it starts, for front matter.

    Raises:
        ContentError: as `load_document`.
    """
    if len(text) > MAX_BYTES:
        raise _refusal(file, first_line, 1, "too-large", f"more than {MAX_BYTES} characters")
    text = text.removeprefix("\ufeff")
    if found := _UNPRINTABLE.search(text):
        line, column = _position(text[: found.start()])
        message = f"character U+{ord(found.group()):04X} is not allowed in YAML; write it as an escape in double quotes"
        raise _refusal(file, line + first_line - 1, column, "bad-character", message)
    composer = Composer(file, first_line)
    composer.compose(text)
    if composer.problems:
        raise ContentError(composer.problems)
    return Document(file, composer.root.value, composer.root)


def _position(before: str) -> tuple[int, int]:
    """(line, column) of what follows `before`."""
    lines = re.split("\r\n|\r|\n", before)
    return len(lines), len(lines[-1]) + 1


def _refusal(file: str, line: int, column: int, code: str, message: str) -> ContentError:
    return ContentError([Problem(file, line, column, "error", code, message)])
