"""PromQL as a tree: the one way to the library promql-parser (the extra `promql`), which is Prometheus's own grammar.

Expressions come from servers and files of others. The parser is machine code that ends the process where an expression
is nested more deeply than its stack, so what no person wrote never gets to it.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from promql_parser import Expr

LONGEST = 20_000
"""Characters; the longest of public rules have a tenth."""
_DEEPEST = 100
"""Parentheses within parentheses."""
_MOST_OPERATORS = 800
"""Each may be a level more: `2^2^2`, `---1`, `a or a or a`. What walks the tree is recursive, too."""
_PARENTHESIS = re.compile("[()]")
_OPERATOR = re.compile(r"[-+*/%^=<>]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)


class MissingParserError(Exception):
    """The library is not installed."""

    def __init__(self) -> None:
        super().__init__("PromQL is not looked at: promql-parser is missing; pip install 'opsconsole[promql]'")


class TooDeepError(Exception):
    """An expression that no person wrote."""

    def __init__(self) -> None:
        super().__init__("too long, or nested too deeply, to be looked at")


@lru_cache(maxsize=4096)
def parse(text: str) -> "Expr":
    """The tree of an expression.

    Raises:
        ValueError: it is no PromQL; with what the parser says.
        TooDeepError: it would take more stack than there is.
        MissingParserError: the library is not there.
    """
    if len(text) > LONGEST or _depth(text) > _DEEPEST or _operators(text) > _MOST_OPERATORS:
        raise TooDeepError
    try:
        from promql_parser import parse as parsed
    except ImportError:
        raise MissingParserError from None
    return parsed(text)


def _depth(text: str) -> int:
    """Of parentheses; those in strings count, too."""
    deepest = depth = 0
    for char in _PARENTHESIS.findall(text):
        depth += 1 if char == "(" else -1
        deepest = max(deepest, depth)
    return deepest


def _operators(text: str) -> int:
    return sum(1 for _ in _OPERATOR.finditer(text))
