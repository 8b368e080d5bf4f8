"""What a stack trace says: the exception, its message, and the place in the application it came from.

Python (chained ones and groups, too), Java and what runs on its machine, JavaScript and Go. Line numbers and the
numbers of generated names are left out: they change with every release and every start.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trace:
    """What was thrown, and from where."""

    type: str
    message: str
    frame: str = ""
    """`loader.py:load`, `c.e.tariff.Loader.load`; empty where there is none."""


_PYTHON_START = "Traceback (most recent call last):"
_PYTHON_FRAME = re.compile(r'File "(?P<file>[^"]{1,500})", line \d+(?:, in (?P<function>.{1,200}))?')
_PYTHON_TYPE = re.compile(r"(?P<type>(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)(?::\s?(?P<message>.*))?")
_GROUP_MARK = re.compile(r"^\s*(?:\+-[+-]*-+ ?\d* ?-*|\|) ?")
_FOREIGN_FILES = ("site-packages/", "dist-packages/", "/lib/python", "<frozen ")

_AT = re.compile(r"^\s+at (?:(?:[\w.@-]+/){1,3})?(?P<frame>[\w.$<>\[\]/ ]{1,300}?)\s*\((?P<where>[^()]{0,300})\)")
_THROWN = re.compile(
    r"^(?:Exception in thread \"[^\"]{0,200}\" |Caused by: |Uncaught |Unhandled exception: )?"
    r"(?P<type>(?:[A-Za-z_$][\w$]*\.)*[A-Z][\w$]*)(?::\s?(?P<message>.*))?$"
)
_CAUSED = "Caused by: "
_FOREIGN_CODE = ("java.", "javax.", "jdk.", "sun.", "com.sun.", "kotlin.", "scala.", "internal/", "node:")
_GENERATED = re.compile(r"/0x[0-9a-f]+|\d+")

_GO_PANIC = re.compile(r"^(?:panic|fatal error): (?P<message>.*)$")
_GO_FRAME = re.compile(r"^(?P<frame>[\w./*()-]{1,300})\([^)]*\)$")

_NAMED = re.compile(
    r"(?:^|(?<=[\s:\[(]))(?P<type>(?:[A-Za-z_]\w*\.){0,8}[A-Z]\w{0,80}"
    r"(?:Error|Exception|Timeout|Failure|Interrupt|Exit))\b(?::\s*(?P<message>.*))?"
)


def parse_trace(text: str) -> Trace | None:
    """What the stack trace in `text` says; None where there is none."""
    if _PYTHON_START in text or ('File "' in text and ", line " in text):
        found = _python(text)
        if found is not None:
            return found
    if "\tat " in text or " at " in text:
        found = _with_at(text)
        if found is not None:
            return found
    return _go(text) if "goroutine " in text else None


def named_error(message: str) -> str:
    """The exception that a message without a trace names: `psycopg.OperationalError`; empty where it names none."""
    match = _NAMED.search(message[:1000])
    return match["type"] if match is not None else ""


def _python(text: str) -> Trace | None:
    """Of chained tracebacks the last one counts: that is what reached the top."""
    frame, foreign, last = "", "", None
    in_frames = False
    for line in _ungrouped(text):
        stripped = line.strip()
        if stripped == _PYTHON_START:
            frame, foreign, in_frames = "", "", True
            continue
        place = _PYTHON_FRAME.match(stripped)
        if place is not None:
            in_frames = True
            named = f"{_module(place['file'])}:{_GENERATED.sub('', place['function'] or '<module>')}"
            if any(sign in place["file"] for sign in _FOREIGN_FILES):
                foreign = named
            else:
                frame = named
            continue
        if in_frames and line[:1] not in (" ", "\t", "") and (thrown := _PYTHON_TYPE.fullmatch(stripped)):
            last = Trace(thrown["type"], (thrown["message"] or "").strip(), frame or foreign)
            in_frames = False
    return last


def _ungrouped(text: str) -> Iterator[str]:
    """The lines, without the margin that Python draws beside the members of an exception group."""
    for line in text.splitlines():
        yield _GROUP_MARK.sub("", line, count=1) if line.lstrip()[:1] in ("|", "+") else line


def _module(file: str) -> str:
    return file.replace("\\", "/").rsplit("/", 1)[-1]


def _with_at(text: str) -> Trace | None:
    """Java and JavaScript. The innermost `Caused by` counts: the rest only wraps it."""
    found: Trace | None = None
    thrown: re.Match[str] | None = None
    frame, foreign = "", ""
    for line in [*text.splitlines(), ""]:
        at = _AT.match(line)
        if at is not None and thrown is not None:
            name = _GENERATED.sub("", at["frame"]).strip()
            if name.startswith(_FOREIGN_CODE) or at["where"].startswith(_FOREIGN_CODE):
                foreign = foreign or name
            else:
                frame = frame or name
            continue
        if thrown is not None and (frame or foreign):
            found = Trace(thrown["type"], (thrown["message"] or "").strip(), frame or foreign)
            thrown, frame, foreign = None, "", ""
        match = _THROWN.match(line.strip())
        if match is not None and (found is None or line.lstrip().startswith(_CAUSED)):
            thrown = match
    return found


def _go(text: str) -> Trace | None:
    message, frame = "", ""
    for line in text.splitlines():
        panic = _GO_PANIC.match(line)
        if panic is not None:
            message = panic["message"]
        elif message and not frame and (place := _GO_FRAME.match(line.strip())):
            name = place["frame"]
            frame = "" if name.startswith(("panic", "runtime.", "runtime/")) else name
    return Trace("panic", message.strip(), frame) if message else None
