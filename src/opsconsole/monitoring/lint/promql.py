"""A few questions to a tree of PromQL."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from opsconsole.sources.promqltree import MissingParserError, TooDeepError, parse

if TYPE_CHECKING:
    from promql_parser import BinaryExpr, Expr

COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
SET_OPERATORS = frozenset({"and", "or", "unless"})
_ARITHMETIC = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "^": lambda a, b: a**b, "%": math.fmod,
}  # fmt: skip


def normalized(text: str) -> str:
    """The expression in one spelling: spaces, order of matchers and units of durations do not matter. Text that is no
    PromQL, or cannot be parsed here, with single spaces."""
    try:
        return " ".join(parse(text).prettify().split())
    except (ValueError, MissingParserError, TooDeepError):
        return " ".join(text.split())


def bare(expr: "Expr") -> "Expr":
    """Without the parentheses around it."""
    from promql_parser import ParenExpr

    while isinstance(expr, ParenExpr):
        expr = expr.expr
    return expr


def children(expr: "Expr") -> "Iterator[Expr]":
    """The expressions right below."""
    from promql_parser import AggregateExpr, BinaryExpr, Call, MatrixSelector, ParenExpr, SubqueryExpr, UnaryExpr

    match expr:
        case BinaryExpr():
            yield from (expr.lhs, expr.rhs)
        case Call():
            yield from expr.args
        case AggregateExpr() | ParenExpr() | SubqueryExpr() | UnaryExpr():
            yield expr.expr
        case MatrixSelector():
            yield expr.vector_selector


def within(expr: "Expr", above: "tuple[Expr, ...]" = ()) -> "Iterator[tuple[Expr, tuple[Expr, ...]]]":
    """Every expression of the tree, each with those above it, the nearest last."""
    yield expr, above
    for child in children(expr):
        yield from within(child, (*above, expr))


def function(expr: "Expr") -> str:
    """The name of the function that it calls; empty: it calls none."""
    from promql_parser import Call

    return expr.func.name if isinstance(expr, Call) else ""


def constant(expr: "Expr") -> float | None:
    """Its value, where it is made of numbers alone."""
    from promql_parser import BinaryExpr, NumberLiteral, UnaryExpr

    match bare(expr):
        case NumberLiteral(val=value):
            return value
        case UnaryExpr(expr=inner):
            negated = constant(inner)
            return None if negated is None else -negated
        case BinaryExpr() as binary:
            left, right, fold = constant(binary.lhs), constant(binary.rhs), _ARITHMETIC.get(str(binary.op))
            if left is None or right is None or fold is None:
                return None
            try:
                return float(fold(left, right))
            except (ArithmeticError, ValueError):
                return None
    return None


def is_scalar(expr: "Expr") -> bool:
    """Whether it has no labels to be matched."""
    from promql_parser import BinaryExpr, UnaryExpr

    match bare(expr):
        case UnaryExpr(expr=inner):
            return is_scalar(inner)
        case BinaryExpr() as binary:
            return is_scalar(binary.lhs) and is_scalar(binary.rhs)
        case inner:
            return constant(inner) is not None or function(inner) in ("scalar", "time", "pi")


def compares(expr: "Expr") -> "BinaryExpr | None":
    """The expression as a comparison that filters; None: it is none."""
    from promql_parser import BinaryExpr

    inner = bare(expr)
    if isinstance(inner, BinaryExpr) and str(inner.op) in COMPARISONS and not _gives_numbers(inner):
        return inner
    return None


def _gives_numbers(expr: "BinaryExpr") -> bool:
    """`bool`: 0 and 1 instead of a filter."""
    return expr.modifier is not None and expr.modifier.return_bool
