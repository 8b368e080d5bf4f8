"""From parser events to nodes: without recursion, with every limit checked as the events come."""

import re
from dataclasses import dataclass, field
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.core.problem import Problem

MAX_DEPTH = 32
MAX_PROBLEMS = 100
MAX_NODES = 100_000
"""Values after aliases are followed: a file of a few lines of aliases can stand for billions."""


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


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    node: Node
    key: str | None = None
    key_at: tuple[int, int] = (0, 0)
    skipping: bool = False
    """The key was refused; its value is read and dropped."""


class Composer:
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
