"""A screen's file as a person would write it: a pane in a few lines, and beside it what was lost."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from opsconsole.core.clean import clean, clean_line
from opsconsole.monitoring.grafana.fidelity import Fate
from opsconsole.monitoring.grafana.variables import Variables

_WIDTH = 118
# What any reader of YAML takes for text: no number, no date, no word of its own; a duration is one.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./ -]*(?<! )|\d+[smhd]")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A pane or a section in a file, or the place of a panel that is none."""

    pane: Mapping[str, Any] | None
    notes: tuple[str, ...] = ()
    fate: Fate | None = None
    description: str = ""
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """Everything that goes into a file."""

    head: Mapping[str, Any]
    variables: Variables
    entries: Sequence[Entry]
    source: str
    lost: tuple[str, ...]


def written(file: Written, *, sample: bool = False) -> str:
    """The file's text. With `sample` it has a pane whatever happens, to try out its variables."""
    lines: list[str] = []
    if file.source:
        lines += _comment(f"Imported from the Grafana dashboard {file.source}.")
        lines += _comment("Thresholds colour and make no checks; take `check: false` away where they should.")
    if file.lost:
        lines += _comment("Not taken over:")
        lines += [line for one in file.lost for line in _comment(f"- {one}", hang="  ")]
    lines += [f"{key}: {_scalar(value)}" for key, value in file.head.items()]
    if file.variables.said:
        lines.append("variables:")
        for name, said in file.variables.said.items():
            if note := file.variables.notes.get(name):
                lines += _comment(note, indent="  ")
            lines.append(f"  {name}: {_flow(said)}")
    shown = sample or any(entry.pane is not None for entry in file.entries)
    lines.append("panes:" if file.entries or sample else "panes: []")
    for entry in file.entries:
        lines += _entry(entry)
    if not shown or sample:
        lines.append('  - {id: nothing, kind: text, text: "Nothing of this dashboard could be taken over."}')
    return "\n".join(lines) + "\n"


def _entry(entry: Entry) -> Iterable[str]:
    if entry.pane is None:
        fate = entry.fate
        if fate is None:
            return
        yield ""
        yield from _comment(f"Not taken over: {fate.title!r} ({fate.type}): {'; '.join(fate.notes)}", indent="  ")
        return
    yield ""
    yield from _comment(entry.description, indent="  ")
    yield from (line for note in entry.notes for line in _comment(f"Differs: {note}", indent="  "))
    yield from (line for link in entry.links for line in _comment(link, indent="  "))
    for place, (key, value) in enumerate(entry.pane.items()):
        lead = "  - " if place == 0 else "    "
        yield from _key(lead, key, value)


def _key(lead: str, key: str, value: Any) -> Iterable[str]:
    if key == "queries":
        yield f"{lead}{key}:"
        for one in value:
            if "\n" in one["query"]:
                yield from _block("      - ", "query", one["query"])
                yield from (f"        {name}: {_scalar(said)}" for name, said in one.items() if name != "query")
            else:
                yield f"      - {_flow(one)}"
    elif key == "columns":
        yield f"{lead}{key}:"
        yield from (f"      - {_flow(one)}" for one in value)
    elif isinstance(value, str) and "\n" in value:
        yield from _block(lead, key, value)
    else:
        yield f"{lead}{key}: {_flow(value)}"


def _block(lead: str, key: str, text: str) -> Iterable[str]:
    """Text of several lines, as it is."""
    lines = text.split("\n")
    if lines[0][:1] in (" ", "") or text.endswith("\n"):
        # Its indentation would be taken for YAML's.
        yield f"{lead}{key}: {_scalar(text)}"
        return
    yield f"{lead}{key}: |-"
    indent = " " * (len(lead) + 2)
    yield from (f"{indent}{line}".rstrip() for line in lines)


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_name(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _name(key: object) -> str:
    return f"{key:g}" if isinstance(key, float) and abs(key) < 1e15 and float(f"{key:g}") == key else _scalar(key)


def _scalar(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case int() | float():
            return repr(value)
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    """Text in the quotes it needs. JSON's strings are YAML's, and hold everything on one line."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    # What single quotes hold stands as it is written: queries stay readable.
    if "'" not in text and text.isprintable() and '"' in text:
        return f"'{text}'"
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in json.dumps(text, ensure_ascii=False))


def _comment(text: str, *, indent: str = "", hang: str = "") -> list[str]:
    """A comment of as many lines as it takes."""
    lines: list[str] = []
    for paragraph in clean(text).split("\n"):
        shown = clean_line(paragraph, limit=2000).strip()
        parts = wrap(
            shown, _WIDTH - len(indent) - 2, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False
        )
        lines += [f"{indent}# {part}" for part in parts]
    return lines
