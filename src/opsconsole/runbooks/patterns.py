"""Regular expressions that authors wrote, on text that anybody wrote, within a time.

Python's `re` can take exponential time (`(a+)+$`) and cannot be interrupted from a thread. Patterns that cannot
explode are matched here; the others in a process that is ended when its time is over.
"""

import json
import re
import subprocess
import sys

LIMIT = 2.0
"""Seconds for one match, the start of the process included."""
_SMALL = 4096
_QUANTIFIED_GROUP = re.compile(r"\)[*+?{]")
_UNBOUNDED = re.compile(r"[*+{]")
_MATCHER = """
import json, re, sys
pattern, text, full = json.load(sys.stdin)
found = re.fullmatch(pattern, text) if full else re.search(pattern, text, re.MULTILINE)
print(json.dumps(found and [found.groupdict(), found.groups()]))
"""


Groups = tuple[dict[str, str | None], tuple[str | None, ...]]


class PatternTimeoutError(Exception):
    """The pattern took too long on this text; it says nothing about whether it matches."""


def matches(pattern: str, text: str, *, full: bool = False, limit: float = LIMIT) -> bool:
    """Whether `pattern` is found in `text`, `^` and `$` standing for the ends of any line; `full`: is all of it.

    Raises:
        PatternTimeoutError: it took longer than `limit` seconds.
        re.error: it is no regular expression.
    """
    return _found(pattern, text, full=full, limit=limit) is not None


def groups(pattern: str, text: str, *, limit: float = LIMIT) -> Groups | None:
    """What the groups of `pattern` caught where it is first found in `text`: by name, and by position.

    Raises:
        PatternTimeoutError, re.error: as `matches`.
    """
    return _found(pattern, text, full=False, limit=limit)


def _found(pattern: str, text: str, *, full: bool, limit: float) -> Groups | None:
    compiled = re.compile(pattern, 0 if full else re.MULTILINE)
    if _is_tame(pattern, text, full=full):
        match = compiled.fullmatch(text) if full else compiled.search(text)
        return None if match is None else (match.groupdict(), match.groups())
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _MATCHER],
            input=json.dumps([pattern, text, full]).encode(),
            capture_output=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PatternTimeoutError(f"the pattern {pattern[:80]!r} took longer than {limit:g} s") from None
    read = json.loads(done.stdout or b"null")
    return None if read is None else (read[0], tuple(read[1]))


def _is_tame(pattern: str, text: str, *, full: bool) -> bool:
    """Whether the match is polynomial of a low degree: no group is repeated, and few things are repeated at all."""
    plain = re.sub(r"\\.", "x", pattern)
    if _QUANTIFIED_GROUP.search(plain) or "(?" in plain:
        return False
    repeated = len(_UNBOUNDED.findall(re.sub(r"\[[^\]]*\]", "x", plain))) + plain.count("?")
    # searching starts anew at each character, which is one degree more
    degree = repeated if full else repeated + 1
    return bool(degree <= 1 or (degree == 2 and len(text) <= _SMALL))
