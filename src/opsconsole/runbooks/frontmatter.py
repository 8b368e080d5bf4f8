"""The metadata before a runbook's text, in YAML, JSON or TOML, and what is made of it.

Metadata that cannot be read costs the metadata, never the text: each finding is a problem with its position.
"""

import difflib
import json
import re
import tomllib
from dataclasses import dataclass
from typing import Any, Literal

from opsconsole.config import schema
from opsconsole.config.document import Document, Node, parse_document
from opsconsole.core.problem import ContentError, Problem, nearest
from opsconsole.runbooks.model import PARAM_TYPES, Param

MAX_FRONT = 64 * 1024
"""Characters. Longer metadata is no metadata, and is not worth a parser's time."""

VARIABLE = r"[A-Z][A-Z0-9_]{0,63}"
_ID = schema.Text(
    pattern=r"[a-z0-9][a-z0-9._-]{0,99}", expected="an id of lower-case letters, digits, '-', '_' and '.'"
)
_NAME = schema.Text(pattern=VARIABLE, expected="a name of capitals, digits and '_', such as DAG_ID")
_VALUE = schema.Text(lenient=True, empty=True)
_LINE = schema.Text(lenient=True, empty=True, limit=1000)
_SHAPE = schema.Record(
    {
        "runbook": schema.Number(whole=True, minimum=1),
        "id": _ID,
        "title": _LINE,
        "owner": _LINE,
        "severity": schema.ListOf(schema.Text(lenient=True), single=True),
        "alerts": schema.ListOf(schema.Text(), single=True),
        "review_by": schema.Day(),
        "params": schema.MapOf(
            schema.Record(
                {
                    "type": schema.Choice(PARAM_TYPES),
                    "required": schema.Flag(),
                    "default": _VALUE,
                    "pattern": schema.Text(limit=1000),
                    "values": schema.ListOf(_VALUE, minimum=1),
                    "help": _LINE,
                    "from_label": schema.Text(),
                },
                what="a parameter",
            ),
            name=_NAME,
        ),
        "secrets": schema.ListOf(_NAME),
        "lock": schema.Text(limit=300),
    },
    required=("id",),
    open=True,
)
_FOREIGN = frozenset({"shell", "cwd", "tag", "tags", "category", "terminalRows", "skipPrompts", "runme", "date"})
"""Keys of runme and of site generators; never taken for a typing error of ours."""


@dataclass(frozen=True, slots=True)
class Front:
    """What stood before the text."""

    form: Literal["none", "yaml", "json", "toml"]
    lines: int
    """How many lines it takes, delimiters included: the text starts after them."""
    read: dict[str, Any]
    """Our keys, checked and converted."""
    raw: dict[str, Any]
    """All keys as they were written."""
    params: tuple[Param, ...]
    problems: tuple[Problem, ...]


def read_front(lines: list[str], file: str) -> Front:
    """The front matter of a file given as `lines` without their breaks and without a byte-order mark."""
    form, text, first, taken = _extent(lines)
    if form == "none":
        return Front("none", 0, {}, {}, (), ())
    if taken == 0:
        warning = Problem(file, 1, 1, "warning", "front-matter-open", "the front matter has no end; read as text")
        return Front("none", 0, {}, {}, (), (warning,))
    try:
        document = _document(form, text, file, first)
    except ContentError as error:
        return Front(form, taken, {}, {}, (), error.problems)
    if document.data is None:
        return Front(form, taken, {}, {}, (), ())
    if not isinstance(document.data, dict):
        wrong = document.problem((), "front-matter", "the front matter is not a mapping of keys to values")
        return Front(form, taken, {}, {}, (), (wrong,))
    if "runbook" not in document.data:
        return Front(form, taken, _foreign(document.data), document.data, (), ())
    read, problems = schema.check(document, _SHAPE)
    problems += _typing_errors(document)
    if read is schema.INVALID:
        read = {}
    return Front(form, taken, read, document.data, _params(document, read), tuple(sorted(problems)))


def _extent(lines: list[str]) -> tuple[Literal["none", "yaml", "json", "toml"], str, int, int]:
    """(form, text, line on which the text starts, number of lines taken; 0 where the end is missing)."""
    opening = lines[0].rstrip() if lines else ""
    if opening in ("---", "+++"):
        form: Literal["yaml", "toml"] = "yaml" if opening == "---" else "toml"
        length = 0
        for number, line in enumerate(lines[1:], start=1):
            if line.rstrip() in ((opening, "...") if form == "yaml" else (opening,)):
                return form, "\n".join(lines[1:number]), 2, number + 1
            length += len(line)
            if length > MAX_FRONT:
                break
        # `---` alone is a horizontal rule in Markdown, and many documents start with one
        return ("none" if form == "yaml" and not _looks_like_keys(lines[1:2]) else form), "", 2, 0
    if opening.startswith("{"):
        return _json_extent(lines)
    return "none", "", 1, 0


def _json_extent(lines: list[str]) -> tuple[Literal["none", "json"], str, int, int]:
    text = "\n".join(lines[:2000])[:MAX_FRONT]
    try:
        read, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return "none", "", 1, 0
    rest = text[end:].split("\n", 1)[0]
    if not isinstance(read, dict) or rest.strip():
        return "none", "", 1, 0
    return "json", text[:end], 1, text.count("\n", 0, end) + 1


def _looks_like_keys(lines: list[str]) -> bool:
    return bool(lines) and re.match(r"[\w.-]+\s*:(\s|$)", lines[0]) is not None


def _document(form: str, text: str, file: str, first: int) -> Document:
    if form != "toml":
        return parse_document(text, file, first)  # JSON is YAML
    try:
        data = tomllib.loads(text)
        return Document(file, _plain(data), _nodes(data, first))
    except (ValueError, RecursionError) as error:
        found = re.search(r"at line (\d+), column (\d+)", str(error))
        line, column = (int(found[1]) + first - 1, int(found[2])) if found else (first, 1)
        raise ContentError([Problem(file, line, column, "error", "bad-toml", f"not TOML: {error}")]) from None


def _plain(value: Any) -> Any:
    """TOML's dates and times become text, as they are in YAML here."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool) else str(value)


def _nodes(value: Any, line: int) -> Node:
    """Nodes for data that came without positions: all at `line`."""
    if isinstance(value, dict):
        return Node(line, 1, "mapping", children={key: _nodes(item, line) for key, item in value.items()})
    if isinstance(value, list):
        return Node(line, 1, "list", children={at: _nodes(item, line) for at, item in enumerate(value)})
    raw = str(value).lower() if isinstance(value, bool) else str(value)
    return Node(line, 1, "scalar", raw=raw, value=value)


def _foreign(data: dict[str, Any]) -> dict[str, Any]:
    """What is worth having of another tool's front matter."""
    title = data.get("title")
    return {"title": title} if isinstance(title, str) and len(title) <= 300 else {}


def _typing_errors(document: Document) -> list[Problem]:
    problems = []
    for key in document.data:
        if key in _SHAPE.keys or key in _FOREIGN or not difflib.get_close_matches(key, _SHAPE.keys, n=1, cutoff=0.75):
            continue
        message = f"unknown key {schema.shown(key)}{nearest(key, _SHAPE.keys)}"
        problems.append(document.problem((key,), "unknown-key", message, on_key=True))
    return problems


def _params(document: Document, read: dict[str, Any]) -> tuple[Param, ...]:
    params = []
    for name, fields in read.get("params", {}).items():
        line, column = document.where_key(("params", name))
        params.append(
            Param(
                name=name,
                type=fields.get("type", "string"),
                required=fields.get("required", False),
                default=fields.get("default"),
                pattern=fields.get("pattern", ""),
                values=tuple(fields.get("values", ())),
                help=fields.get("help", ""),
                from_label=fields.get("from_label", ""),
                line=line,
                column=column,
            )
        )
    return tuple(params)
