"""What an alert's expression compares with what: split at its comparisons, so that each side can be asked for.

    (slo:err:ratio_rate5m > (14.4*0.005) and slo:err:ratio_rate1h > (14.4*0.005)) or absent(up)

is fulfilled where one of its alternatives is, each of which is a conjunction of conditions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.sources.promqltree import MissingParserError, TooDeepError, parse

COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
_ENDS_IN_WINDOW = re.compile(r"(\d+(?:ms|[smhdwy]))$")
_DURATION = re.compile(r"\[(\d+(?:ms|[smhdwy]))+")
_OTHER_WAY = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}


class CannotSplit(Exception):  # noqa: N818 - an answer, not a fault
    """Why an expression is not split, in words."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that has to hold: `asked OP limit`; without an operator, that `asked` gives anything at all."""

    asked: str
    """PromQL whose value is compared. Like `limit` it is as the rule has it: to be cleaned before it is shown."""
    op: str = ""
    limit: str = ""
    """What it is compared with, as written."""
    limit_value: float | None = None
    """The same as a number; None where it has to be asked for, too."""
    window: str = ""
    """The span of time that it looks at, such as `1h`, where one can be seen: of several the longest."""
    factor: float | None = None
    """Of a limit `14.4 * 0.005`, as burn rates have it: the 14.4."""
    negated: bool = False
    """It must not give anything: what stands after `unless`."""

    def holds(self, value: float, limit: float | None = None) -> bool | None:
        """Whether it is fulfilled by `value`; None where the limit is not known."""
        against = self.limit_value if limit is None else limit
        if not self.op:
            return True
        if against is None:
            return None
        return {
            "==": value == against, "!=": value != against, ">": value > against,
            "<": value < against, ">=": value >= against, "<=": value <= against,
        }[self.op]  # fmt: skip


Alternative = tuple[Condition, ...]
"""Conditions that have to hold together."""


def split(expression: str) -> tuple[Alternative, ...]:
    """The alternatives of `expression`, any of which makes the alert.

    Raises:
        CannotSplit: the parser is not installed, or does not take it.
    """
    try:
        return tuple(_alternatives(parse(expression)))
    except MissingParserError:
        raise CannotSplit("the expression is not taken apart: pip install 'opsconsole[promql]'") from None
    except TooDeepError as error:
        raise CannotSplit(f"the expression is not taken apart: {error}") from None
    except ValueError as error:
        raise CannotSplit(f"the expression is not taken apart: {clean_line(error, limit=200)}") from None


def _alternatives(node: Any) -> Iterator[Alternative]:
    node = _bare(node)
    if _op(node) == "or":
        yield from _alternatives(node.lhs)
        yield from _alternatives(node.rhs)
    else:
        yield tuple(_conjunction(node))


def _conjunction(node: Any) -> Iterator[Condition]:
    node = _bare(node)
    match _op(node):
        case "and":
            yield from _conjunction(node.lhs)
            yield from _conjunction(node.rhs)
        case "unless":
            yield from _conjunction(node.lhs)
            text = _text(node.rhs)
            yield Condition(text, window=_window(text), negated=True)
        case op if op in COMPARISONS and not (node.modifier is not None and node.modifier.return_bool):
            yield _compared(node, op)
        case _:
            text = _text(node)
            yield Condition(text, window=_window(text))


def _compared(node: Any, op: str) -> Condition:
    left, right = node.lhs, node.rhs
    if _number(left) is not None and _number(right) is None:
        left, right, op = right, left, _OTHER_WAY[op]
    text = _text(left)
    return Condition(text, op, _text(_bare(right)), _number(right), _window(text), _factor(right))


def _op(node: Any) -> str:
    return str(node.op) if type(node).__name__ == "BinaryExpr" else ""


def _bare(node: Any) -> Any:
    while type(node).__name__ == "ParenExpr":
        node = node.expr
    return node


def _text(node: Any) -> str:
    """As Prometheus is asked for it; not cleaned, for a label's value has to stay what it is."""
    return str(node.prettify())


def _number(node: Any) -> float | None:
    """What a term of numbers comes to; None where it is more than that."""
    node = _bare(node)
    kind = type(node).__name__
    if kind == "NumberLiteral":
        return float(node.val)
    if kind == "UnaryExpr":
        inner = _number(node.expr)
        return None if inner is None else -inner
    if kind != "BinaryExpr":
        return None
    left, right = _number(node.lhs), _number(node.rhs)
    if left is None or right is None:
        return None
    try:
        match str(node.op):
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                return left / right
    except (ZeroDivisionError, OverflowError):
        pass
    return None


def _factor(node: Any) -> float | None:
    node = _bare(node)
    return _number(node.lhs) if _op(node) == "*" else None


def _window(text: str) -> str:
    """The longest span of time in `text`, or the one that the name of a recorded series ends with."""
    from opsconsole.core.duration import parse_duration

    ranges = [found[0].strip("[") for found in _DURATION.finditer(text)]
    if ranges:
        return max(ranges, key=parse_duration)
    name = re.split(r"[{(\s]", text, maxsplit=1)[0]
    found = _ENDS_IN_WINDOW.search(name)
    return found[1] if found is not None and ":" in name else ""
