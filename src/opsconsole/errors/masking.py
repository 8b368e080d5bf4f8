"""A message without what differs each time, so that the same error has the same text in every process and every week.

Rules rather than a learned clustering such as Drain: what that makes of a line depends on the lines before it, and a
fingerprint has to be the same after a restart, in the next release, and for two people who look at different times.
"""

import re
from collections.abc import Callable

LONGEST = 300
"""Characters of a normalized message."""
_READ = 4000
"""Characters of a message that are looked at."""

_RULES: tuple[tuple[str, str], ...] = (
    # Numbers that say what an error is: HTTP status, errno, exit code, SQLSTATE, signal.
    ("kept", r"\b(?i:HTTP(?:/\d(?:\.\d)?)?|status(?:[ _]?code)?|errno|exit(?:ed)?(?: with)?(?: (?:code|status))?|code"
             r"|signal|SQLSTATE)[\s=:\"'\[(]{1,3}(?:\d{1,3}|[0-9][0-9A-Z]{4})\b(?![.:\d])"),
    ("url", r"\b[a-zA-Z][a-zA-Z0-9+-]{1,20}://[^\s\"'<>()\[\]{}|,;]+"),
    ("email", r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b"),
    ("id", r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"),
    ("time", r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?\b"
             r"|\b\d{4}/\d\d/\d\d(?: \d\d:\d\d:\d\d(?:[.,]\d{1,9})?)?\b"
             r"|\b\d{1,2}/[A-Z][a-z]{2}/\d{4}(?::\d\d:\d\d:\d\d(?: [+-]\d{4})?)?\b"
             r"|\b[A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d\b"
             r"|\b\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?\b"),
    ("value", r"(?<!\w)(?:'(?:[^'\\]|\\.){0,500}'|`[^`]{0,500}`)(?!\w)"),
    ("name", r"(?<!\w)\"(?:[^\"\\]|\\.){0,500}\"(?!\w)"),
    ("host", r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b"
             r"|(?<![\w:.])\[?(?=[a-fA-F:]{0,39}\d)(?:(?=[0-9a-fA-F:]{0,39}::)(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}"
             r"|(?:[0-9a-fA-F]{1,4}:){5,7}[0-9a-fA-F]{1,4})(?![\w:])\]?(?::\d{1,5})?"),
    ("path", r"(?<![\w<>/.:])~?(?:/[\w.@%+~=-]+){2,40}/?|\b[A-Za-z]:\\[\w.\\ $-]{1,200}"),
    ("address", r"\b0x[0-9a-fA-F]+\b"),
    ("id", r"\b(?=[0-9a-fA-F]{0,63}\d)(?=[0-9a-fA-F]{0,63}[a-fA-F])[0-9a-fA-F]{8,64}\b"
           r"|\b(?=[A-Za-z0-9_-]{0,99}\d)(?=[A-Za-z0-9_-]{0,99}[A-Za-z])(?=\w*\d\w*[A-Za-z]\w*\d)[A-Za-z0-9]{16,100}\b"),
    ("n", r"(?<![\w<])[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?(?=(?:[a-zA-Zµ%]{1,3})?(?!\w))"
          r"|(?<=[_-])\d+(?![A-Za-z])|\d{4,}"),
)  # fmt: skip
_GROUPED: list[str] = []
_WORDS: dict[str, str] = {}
for _place, (_word, _pattern) in enumerate(_RULES):
    _GROUPED.append(f"(?P<r{_place}>{_pattern})")
    _WORDS[f"r{_place}"] = _word
_ANY = re.compile("|".join(_GROUPED))
_NAMED = re.compile(r"\"[A-Za-z_][\w.$]{0,127}\"")
_URL = re.compile(r"([a-zA-Z][\w+-]*://)(?:[^@/\s]*@)?([^/?#]*)(.*)")


def normalized(message: str, *, names: bool = False) -> str:
    """`message` without numbers, ids, times, addresses, paths and quoted values.

    Args:
        names: whether what stands in double quotes and looks like a name is one, and stays: so PostgreSQL writes.
    """
    text = " ".join(message[:_READ].split())
    return _ANY.sub(_with_names if names else _without_names, text)[:LONGEST]


def _replaced(match: re.Match[str], names: bool) -> str:
    found = match.group()
    word = _WORDS[match.lastgroup or ""]
    if word == "kept" or (word == "name" and names and _NAMED.fullmatch(found)):
        return found
    if word == "url":
        return _bare_url(found)
    if word in ("value", "name"):
        return f"{found[0]}<value>{found[-1]}"
    return f"<{word}>"


def _bare_url(url: str) -> str:
    """Scheme and host stay: which system does not answer is what the error is."""
    parts = _URL.fullmatch(url)
    if parts is None:
        return "<url>"
    scheme, host, rest = parts.groups()
    host = re.sub(r"\d+", "<n>", host)
    return f"{scheme}{host}{'/<path>' if rest.strip('/.:') else ''}"


def _with_names(match: re.Match[str]) -> str:
    return _replaced(match, names=True)


_without_names: Callable[[re.Match[str]], str] = lambda match: _replaced(match, names=False)  # noqa: E731
