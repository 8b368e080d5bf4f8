"""What `/` understands: `api` shows what contains it, `!api` what does not, `~^api-[12]` what an expression finds."""

import re
from collections.abc import Callable

Matcher = Callable[[str], bool]

_LONGEST = 200
"""Characters of a pattern, and 1000 of the text it looks at: an expression must not be able to hold the screen."""


def matcher(text: str) -> Matcher | None:
    """The test that a filter stands for, or None where it lets everything pass.

    Case does not matter. `!` excludes, `~` announces a regular expression, `!~` both.

    Raises:
        ValueError: a regular expression that is none, in words for the operator.
    """
    wanted = text.strip()[:_LONGEST]
    inverse = wanted.startswith("!")
    wanted = wanted.removeprefix("!")
    if not wanted.removeprefix("~"):
        return None
    finds = _expression(wanted[1:]) if wanted.startswith("~") else _substring(wanted)
    return (lambda candidate: not finds(candidate)) if inverse else finds


def _substring(wanted: str) -> Matcher:
    folded = wanted.casefold()
    return lambda candidate: folded in candidate.casefold()


def _expression(pattern: str) -> Matcher:
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    return lambda candidate: compiled.search(candidate[:1000]) is not None
