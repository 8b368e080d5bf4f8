"""YAML with a position for every key and value, read so that no file can hang, fill or crash the console.

Scalars follow the YAML 1.2 core schema, not PyYAML's 1.1: `on`, `no`, `12:30` and `2027-01-31` are text, which is
what people mean who write them. Keys are always text.
"""

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.core.problem import ContentError, Problem

Where = tuple[str | int, ...]
"""The way to a value: keys and list positions from the top, `("panes", 0, "query")`."""

MAX_BYTES = 2_000_000
MAX_DEPTH = 32
MAX_PROBLEMS = 100
MAX_NODES = 100_000
"""Values after aliases are followed: a file of a few lines of aliases can stand for billions."""

# What YAML allows in a file (spec 5.1), without the byte-order mark, which may only stand first.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class Node:
    """One value of the file and where it stands. `children` is keyed by mapping key or list position."""

    line: int
    column: int
    kind: str
    """scalar, list or mapping."""
    raw: str = ""
    """A scalar as written, without its quotes."""
    value: Any = None
    children: dict[str | int, "Node"] = field(default_factory=dict)
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    size: int = 1
    """How many values this one stands for, itself included."""


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
    composer = _Composer(file, first_line)
    composer.compose(text)
    if composer.problems:
        raise ContentError(composer.problems)
    return Document(file, composer.root.value, composer.root)


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    node: Node
    key: str | None = None
    key_at: tuple[int, int] = (0, 0)
    skipping: bool = False
    """The key was refused; its value is read and dropped."""


class _Composer:
    """Builds nodes from parser events, without recursion, with every limit checked as the events come."""

    def __init__(self, file: str, first_line: int) -> None:
        self.file = file
        self.first_line = first_line
        self.problems: list[Problem] = []
        self.root = Node(first_line, 1, "scalar")
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def compose(self, text: str) -> None:
        """Read all of `text`; what is wrong with it is added to `problems`."""
        import yaml

        loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            for event in yaml.parse(text, Loader=loader):
                if not self._take(event):
                    return
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line, mark.column) if mark else (0, 0)
            self._problem(line + self.first_line, column + 1, "bad-yaml", _explain(error, text, line))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            self._problem(self.first_line, 1, "bad-yaml", f"not YAML: {clean_line(error, limit=200)}")

    def _take(self, event: Any) -> bool:
        """One event. False: it makes no sense to go on."""
        kind = type(event).__name__
        line, column = event.start_mark.line + self.first_line, event.start_mark.column + 1
        if kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                return self._stop(line, column, "several-documents", "a second document starts here; expected one")
        elif kind == "AliasEvent":
            return self._alias(event.anchor, line, column)
        elif kind == "ScalarEvent":
            return self._scalar(event, line, column)
        elif kind in ("SequenceStartEvent", "MappingStartEvent"):
            return self._open(event, "list" if kind[0] == "S" else "mapping", line, column)
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            return self._close()
        return True

    def _alias(self, anchor: str, line: int, column: int) -> bool:
        if self._awaits_key():
            return self._stop(line, column, "bad-key", "an alias as a key; expected text")
        node = self._anchors.get(anchor)
        if node is None:
            return self._stop(line, column, "bad-alias", f"*{clean_line(anchor, limit=40)} is not defined above")
        if any(one.node is node for one in self._stack):
            return self._stop(line, column, "bad-alias", f"*{clean_line(anchor, limit=40)} contains itself")
        return self._place(node, line, column)

    def _scalar(self, event: Any, line: int, column: int) -> bool:
        if self._awaits_key():
            self._key(event.value, line, column)
            return True
        node = Node(line, column, "scalar", raw=event.value)
        # implicit[0]: plain and untagged, so that its form decides; everything else is text.
        node.value = resolve(event.value) if event.implicit[0] else event.value
        self._check_tag(event, ("!", "tag:yaml.org,2002:str"), line, column)
        self._remember(event.anchor, node)
        return self._place(node, line, column)

    def _open(self, event: Any, kind: str, line: int, column: int) -> bool:
        if self._awaits_key():
            return self._stop(
                line, column, "bad-key", f"a {kind} as a key; expected text (quote what starts with {{ or [)"
            )
        if len(self._stack) >= MAX_DEPTH:
            return self._stop(line, column, "too-deep", f"nested more than {MAX_DEPTH} deep")
        self._check_tag(event, ("tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"), line, column)
        node = Node(line, column, kind, value=[] if kind == "list" else {})
        self._remember(event.anchor, node)
        self._stack.append(_Open(node))
        return True

    def _close(self) -> bool:
        node = self._stack.pop().node
        return self._place(node, node.line, node.column)

    def _place(self, node: Node, line: int, column: int) -> bool:
        """Put a finished value into what is open."""
        if not self._stack:
            self.root = node
            return True
        top = self._stack[-1]
        into = top.node
        into.size += node.size
        if into.size > MAX_NODES:
            return self._stop(line, column, "too-large", f"stands for more than {MAX_NODES} values")
        if into.kind == "list":
            into.children[len(into.value)] = node
            into.value.append(node.value)
            return True
        key, top.key = top.key, None
        if key is not None and not top.skipping:
            into.children[key] = node
            into.keys[key] = top.key_at
            into.value[key] = node.value
        top.skipping = False
        return True

    def _awaits_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].node.kind == "mapping" and self._stack[-1].key is None

    def _key(self, key: str, line: int, column: int) -> None:
        top = self._stack[-1]
        top.key, top.key_at = key, (line, column)
        shown = clean_line(key, limit=60)
        if key in top.node.keys:
            first = top.node.keys[key][0]
            self._problem(line, column, "duplicate-key", f"key {shown!r} is already given in line {first}")
            top.skipping = True
        elif key == "<<":
            self._problem(line, column, "bad-key", "merge keys (<<) are not supported; repeat the keys")
            top.skipping = True
        elif not key:
            self._problem(line, column, "bad-key", "an empty key; expected a name")
            top.skipping = True

    def _check_tag(self, event: Any, allowed: tuple[str, ...], line: int, column: int) -> None:
        if event.tag is not None and event.tag not in allowed:
            shown = clean_line(event.tag.replace("tag:yaml.org,2002:", "!!"), limit=60)
            self._problem(line, column, "bad-tag", f"tag {shown} is not used here; expected a plain value")

    def _remember(self, anchor: str | None, node: Node) -> None:
        if anchor is not None:
            self._anchors[anchor] = node

    def _problem(self, line: int, column: int, code: str, message: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(self.file, line, column, "error", code, message))

    def _stop(self, line: int, column: int, code: str, message: str) -> bool:
        self._problem(line, column, code, message)
        return False


_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,300}")
_OCT_HEX = re.compile(r"0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INF = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")


def resolve(text: str) -> str | int | float | bool | None:
    """What a plain scalar means under the YAML 1.2 core schema."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    if _OCT_HEX.fullmatch(text):
        return int(text, 0)
    if len(text) <= 400 and _FLOAT.fullmatch(text):
        return float(text)
    if infinite := _INF.fullmatch(text):
        return float(f"{infinite[1]}inf")
    return float("nan") if text in (".nan", ".NaN", ".NAN") else text


def _position(before: str) -> tuple[int, int]:
    """(line, column) of what follows `before`."""
    lines = re.split("\r\n|\r|\n", before)
    return len(lines), len(lines[-1]) + 1


def _refusal(file: str, line: int, column: int, code: str, message: str) -> ContentError:
    return ContentError([Problem(file, line, column, "error", code, message)])


def _explain(error: Any, text: str, line: int) -> str:
    """The parser's complaint, with the advice that the usual causes deserve."""
    parts = [str(part) for part in (error.context, error.problem) if part]
    message = clean_line("not YAML: " + ", ".join(parts), limit=300)
    lines = text.splitlines()
    faulty = lines[line] if line < len(lines) else ""
    indentation = faulty[: len(faulty) - len(faulty.lstrip())]
    if "\t" in indentation or ("cannot start any token" in message and "\t" in faulty):
        return f"{message}; indent with spaces, not tabs"
    if "mapping values are not allowed" in message:
        return f"{message}; quote a value that contains ': ', and check the indentation"
    if "cannot start any token" in message:
        return f"{message}; quote a value that starts with %, @ or `"
    if "expected <block end>" in message:
        return f"{message}; check the indentation, and quote a value whose quotes end early"
    return message
