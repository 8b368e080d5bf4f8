"""Which labels the samples of an expression can have: what aggregations, matching and functions leave of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsconsole.monitoring.lint.promql import SET_OPERATORS, bare, is_scalar

if TYPE_CHECKING:
    from promql_parser import AggregateExpr, BinaryExpr, Call, Expr, Matcher

_CHOOSING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
"""Aggregations that leave samples as they are."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Labels that can be there: `only` these (None: any), but none of `never`."""

    only: frozenset[str] | None = None
    never: frozenset[str] = frozenset()

    def may_have(self, label: str) -> bool:
        """Whether a sample can have it."""
        return label not in self.never and (self.only is None or label in self.only)

    def without(self, labels: Iterable[str]) -> "Kept":
        """But none of `labels`."""
        gone = frozenset(labels)
        return Kept(self.only - gone, self.never) if self.only is not None else Kept(None, self.never | gone)

    def limited(self, labels: Iterable[str]) -> "Kept":
        """Of these only those in `labels`."""
        return Kept(frozenset(label for label in labels if self.may_have(label)))

    def with_(self, labels: Iterable[str]) -> "Kept":
        """And `labels`, too."""
        more = frozenset(labels)
        return Kept(None if self.only is None else self.only | more, self.never - more)

    def or_(self, other: "Kept") -> "Kept":
        """Those of either."""
        if self.only is not None and other.only is not None:
            return Kept(self.only | other.only)
        if self.only is not None:
            return Kept(None, other.never - self.only)
        if other.only is not None:
            return Kept(None, self.never - other.only)
        return Kept(None, self.never & other.never)


NOTHING = Kept(frozenset())


def kept_labels(expr: "Expr") -> Kept:
    """The labels of its samples, the metric's name left aside."""
    from promql_parser import AggregateExpr, BinaryExpr, Call, MatrixSelector, SubqueryExpr, UnaryExpr, VectorSelector

    match bare(expr):
        case VectorSelector() as selector:
            return Kept(None, frozenset(one.name for one in selector.matchers.matchers if _is_absent(one)))
        case MatrixSelector(vector_selector=inner) | SubqueryExpr(expr=inner) | UnaryExpr(expr=inner):
            return kept_labels(inner)
        case Call() as call:
            return _of_call(call)
        case AggregateExpr() as aggregation:
            return _of_aggregation(aggregation)
        case BinaryExpr() as binary:
            return _of_binary(binary)
    return NOTHING


def _is_absent(matcher: "Matcher") -> bool:
    """`label=""`."""
    from promql_parser import MatchOp

    return matcher.op == MatchOp.Equal and not matcher.value


def _of_call(call: "Call") -> Kept:
    from promql_parser import StringLiteral

    name = call.func.name
    if name in ("vector", "time", "scalar", "pi"):
        return NOTHING
    if name in ("absent", "absent_over_time"):
        return _of_absent(call.args[0])
    vectors = [one for one in call.args if not is_scalar(one) and not isinstance(one, StringLiteral)]
    kept = kept_labels(vectors[-1]) if vectors else Kept()
    if name in ("label_replace", "label_join") and isinstance(call.args[1], StringLiteral):
        return kept.with_([call.args[1].val])
    if name == "histogram_quantile":
        return kept.without(["le"])
    return kept if vectors else Kept()


def _of_absent(argument: "Expr") -> Kept:
    """Only what the selector says with `=`, and only where it is a selector."""
    from promql_parser import MatchOp, MatrixSelector, VectorSelector

    inner = bare(argument)
    if isinstance(inner, MatrixSelector):
        inner = inner.vector_selector
    if not isinstance(inner, VectorSelector):
        return NOTHING
    return Kept(frozenset(one.name for one in inner.matchers.matchers if one.op == MatchOp.Equal))


def _of_aggregation(expr: "AggregateExpr") -> Kept:
    from promql_parser import AggModifierType, StringLiteral

    kept = kept_labels(expr.expr)
    name, modifier = str(expr.op), expr.modifier
    if name in _CHOOSING:
        return kept
    if modifier is None:
        kept = NOTHING
    elif modifier.type == AggModifierType.By:
        kept = kept.limited(modifier.labels)
    else:
        kept = kept.without(modifier.labels)
    if name == "count_values" and isinstance(expr.param, StringLiteral):
        return kept.with_([expr.param.val])
    return kept


def _of_binary(expr: "BinaryExpr") -> Kept:
    from promql_parser import LabelModifierType, VectorMatchCardinality

    if is_scalar(expr.lhs):
        return NOTHING if is_scalar(expr.rhs) else kept_labels(expr.rhs)
    left = kept_labels(expr.lhs)
    if is_scalar(expr.rhs):
        return left
    operator, modifier = str(expr.op), expr.modifier
    if operator in SET_OPERATORS:
        return left.or_(kept_labels(expr.rhs)) if operator == "or" else left
    if modifier is None:
        return left
    copied = modifier.group_labels or []
    if modifier.card == VectorMatchCardinality.ManyToOne:
        return left.with_(copied)
    if modifier.card == VectorMatchCardinality.OneToMany:
        return kept_labels(expr.rhs).with_(copied)
    if modifier.matching is None:
        return left
    if modifier.matching.type == LabelModifierType.Include:
        return left.limited(modifier.matching.labels)
    return left.without(modifier.matching.labels)
