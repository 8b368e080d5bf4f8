"""What is wrong with an expression that Prometheus takes: it never fires, always fires, or says something else.

Each check is a pure function over the tree. It reports only what is wrong whatever the data are, or nearly so: a lint
that cries wolf is switched off. Most are known from issues of the field; cloudflare/pint has the longest list.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from opsconsole.monitoring.lint.labels import kept_labels
from opsconsole.monitoring.lint.promql import (
    COMPARISONS,
    SET_OPERATORS,
    bare,
    children,
    compares,
    constant,
    function,
    is_scalar,
    within,
)

if TYPE_CHECKING:
    from promql_parser import Expr


class Trap(NamedTuple):
    """What is wrong: a code, and words."""

    code: str
    message: str


_RATES = frozenset({"rate", "irate", "increase"})
_OVER_COUNTERS = _RATES | {"resets", "changes", "absent", "absent_over_time", "present_over_time", "timestamp", "delta"}
_GAUGE = re.compile(
    r"^(up|node_load\d+)$|_(ratio|percent|percentage|celsius|info|timestamp|timestamp_seconds|created|usage|available|free)$"
    r"|_(avail|free|used|resident_memory|MemAvailable|MemTotal|MemFree)_bytes$"
)
_RATIO = re.compile(r"(^|[_:])(ratio|error_ratio|ratio_rate)([0-9_a-z]*)$")


def traps(expr: "Expr", *, alerting: bool, scrape: float) -> Iterator[Trap]:
    """What is wrong with the expression of a rule. `scrape` is seconds between two samples."""
    if alerting:
        yield from _always_fires(expr)
    for one, above in within(expr):
        yield from _ranges(one, scrape)
        yield from _counters(one, above)
        yield from _quantile(one)
        yield from _matching(one)
        yield from _impossible(one)
        yield from _division(one, above, alerting=alerting)


def _always_fires(expr: "Expr") -> Iterator[Trap]:
    """No filter anywhere on the way to its samples."""
    from promql_parser import BinaryExpr

    inner = bare(expr)
    if function(inner) == "vector" or constant(inner) is not None:
        if constant(inner) is not None:
            yield Trap("always-fires", "a number is no condition; a dead-man's switch is vector(1)")
        return
    if isinstance(inner, BinaryExpr) and str(inner.op) in COMPARISONS and compares(inner) is None:
        yield Trap("always-fires", "with bool a comparison gives 0 or 1, and both fire; leave bool out")
    elif not _filters(inner):
        yield Trap("always-fires", "it compares nothing: it fires for every series there is, whatever its value")


def _filters(expr: "Expr") -> bool:
    """Whether something in it decides which samples come out. What a rule recorded may do so itself, and so may a
    selector of what is there only in trouble: `ALERTS`, `…_failed`."""
    from promql_parser import BinaryExpr, VectorSelector

    inner = bare(expr)
    if compares(inner) is not None or function(inner) in ("absent", "absent_over_time"):
        return True
    if isinstance(inner, BinaryExpr):
        operator = str(inner.op)
        if operator in ("and", "unless"):
            return True
        if operator == "or":
            return _filters(inner.lhs) and _filters(inner.rhs)
    if isinstance(inner, VectorSelector):
        return inner.name == "ALERTS" or ":" in (inner.name or "")
    return any(_filters(one) for one in children(inner) if not is_scalar(one))


def _ranges(expr: "Expr", scrape: float) -> Iterator[Trap]:
    """Windows in which there are too few samples: of two scrapes one may fail or be late."""
    from promql_parser import AggregateExpr, MatrixSelector, SubqueryExpr

    name = function(expr)
    if name not in (*_RATES, "delta", "deriv"):
        return
    (argument,) = (bare(one) for one in children(expr))
    if isinstance(argument, MatrixSelector):
        window = argument.range.total_seconds()
        if window < 4 * scrape:
            words = f"{name} over {window:g} s, and samples come every {scrape:g} s"
            yield Trap(
                "short-window", f"{words}: one late scrape, and there is no result; expected {4 * scrape:g} s at least"
            )
        metric = argument.vector_selector.name or ""
        if name in _RATES and _GAUGE.search(metric):
            yield Trap(
                "rate-of-gauge",
                f"{name} of {metric}, which falls too: each fall counts as a restart; take delta or deriv",
            )
    elif isinstance(argument, SubqueryExpr) and isinstance(bare(argument.expr), AggregateExpr) and name in _RATES:
        yield Trap(
            "rate-of-sum",
            f"{name} of a sum: one restart of one counter looks like a jump of all; take the sum of {name}",
        )


def _counters(expr: "Expr", above: "tuple[Expr, ...]") -> Iterator[Trap]:
    """A counter that is compared with a number: it only grows, so it fires for ever once it is above."""
    from promql_parser import VectorSelector

    comparison = compares(expr)
    if comparison is None or constant(comparison.rhs) is None or str(comparison.op) not in (">", ">="):
        return
    side = bare(comparison.lhs)
    while function(side) not in _OVER_COUNTERS and not isinstance(side, VectorSelector):
        below = [bare(one) for one in children(side) if not is_scalar(one)]
        if len(below) != 1:
            return
        side = below[0]
    if isinstance(side, VectorSelector) and (side.name or "").endswith("_total"):
        yield Trap(
            "raw-counter",
            f"{side.name} only grows: once above, this fires until a restart; take increase({side.name}[…])",
        )


def _quantile(expr: "Expr") -> Iterator[Trap]:
    if function(expr) != "histogram_quantile":
        return
    argument = bare(list(children(expr))[1])
    kept = kept_labels(argument)
    if not kept.may_have("le") and "bucket" in argument.prettify():
        yield Trap("no-le", "histogram_quantile without le: the aggregation has dropped it, and there is no result")


def _matching(expr: "Expr") -> Iterator[Trap]:
    """Two sides whose labels can never be the same."""
    from promql_parser import BinaryExpr, LabelModifierType

    if not isinstance(expr, BinaryExpr) or is_scalar(expr.lhs) or is_scalar(expr.rhs) or str(expr.op) == "or":
        return
    left, right = kept_labels(expr.lhs), kept_labels(expr.rhs)
    matching = expr.modifier.matching if expr.modifier is not None else None
    what = "never matches" if str(expr.op) != "unless" else "never takes anything away"
    if matching is not None and matching.type == LabelModifierType.Include:
        for label in matching.labels:
            if left.may_have(label) != right.may_have(label):
                side = "right" if left.may_have(label) else "left"
                yield Trap("never-matches", f"on ({label}) {what}: the {side} side has no label {label}")
        return
    if left.only is None or right.only is None:
        return
    ignored = frozenset(matching.labels) if matching is not None else frozenset()
    if left.only - ignored != right.only - ignored:
        yield Trap(
            "never-matches",
            f"`{expr.op}` {what}: {_words(left.only)} on the left, {_words(right.only)} on the right; say on (…)",
        )


def _words(labels: frozenset[str]) -> str:
    return f"labels {', '.join(sorted(labels))}" if labels else "no labels"


def _impossible(expr: "Expr") -> Iterator[Trap]:
    """A comparison with a number that the left side cannot meet."""
    comparison = compares(expr)
    limit = constant(comparison.rhs) if comparison is not None else None
    if comparison is None or limit is None:
        return
    lowest, highest, why = _bounds(bare(comparison.lhs))
    met = {
        ">": highest > limit, ">=": highest >= limit, "<": lowest < limit, "<=": lowest <= limit,
        "==": lowest <= limit <= highest,
    }.get(str(comparison.op), True)  # fmt: skip
    if not met:
        yield Trap("never-fires", f"{why}, so `{comparison.op} {limit:g}` never holds")


_ANY = (float("-inf"), float("inf"), "")


def _bounds(expr: "Expr") -> tuple[float, float, str]:
    """(lowest, highest value that it can have, in words)."""
    from promql_parser import AggregateExpr, VectorSelector

    name = function(expr)
    if name in _RATES:
        return 0.0, float("inf"), f"{name} is never below 0"
    if name in ("absent", "absent_over_time"):
        return 1.0, 1.0, f"{name} is 1 or nothing"
    if isinstance(expr, AggregateExpr) and str(expr.op) == "count":
        return 1.0, float("inf"), "count of nothing is nothing, not 0 (take absent, or `or vector(0)`)"
    if isinstance(expr, AggregateExpr) and str(expr.op) in ("min", "max", "avg"):
        return _bounds(bare(expr.expr))
    if isinstance(expr, VectorSelector):
        if expr.name == "up":
            return 0.0, 1.0, "up is 0 or 1"
        if _RATIO.search(expr.name or ""):
            return float("-inf"), 1.0, f"{expr.name} is a share, at most 1"
    return _ANY


def _division(expr: "Expr", above: "tuple[Expr, ...]", *, alerting: bool) -> Iterator[Trap]:
    """A share of nothing: 0/0 is no number, and compares with none; recorded, it spoils what is summed over it."""
    from promql_parser import BinaryExpr

    if not isinstance(expr, BinaryExpr) or str(expr.op) != "/" or not _can_be_zero(expr.rhs):
        return
    if alerting and not _is_floor(above):
        return
    then = "and the alert does not fire, while nothing works" if alerting else "and is recorded as NaN"
    yield Trap(
        "zero-division", f"the divisor is 0 while nothing happens, {then}; say `/ (… > 0)`, and what nothing means"
    )


def _is_floor(above: "tuple[Expr, ...]") -> bool:
    """Whether the nearest comparison around it fires below a limit."""
    found = next((one for one in reversed(above) if compares(one) is not None), None)
    comparison = compares(found) if found is not None else None
    return comparison is not None and str(comparison.op) in ("<", "<=")


def _can_be_zero(expr: "Expr") -> bool:
    """Whether it counts what happens within a window, unguarded."""
    from promql_parser import BinaryExpr

    inner = bare(expr)
    if compares(inner) is not None or constant(inner) is not None:
        return False
    if isinstance(inner, BinaryExpr):
        if str(inner.op) in SET_OPERATORS:
            return False
        if str(inner.op) == "+":
            return _can_be_zero(inner.lhs) and _can_be_zero(inner.rhs)
    if function(inner) in ("clamp_min", "absent", "scalar"):
        return False
    return function(inner) in _RATES or any(_can_be_zero(one) for one in children(inner) if not is_scalar(one))
