"""The difference of two plans: which tables are reached in another way, and what that did to time, cost and rows."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from opsconsole.core.units import format_value
from opsconsole.database.plan import Node, Plan
from opsconsole.database.plan_costs import shares_of

CHANGE = 1.5
"""Factor from which a node's own time or cost counts as changed."""
_NOISE = 0.02
"""Part of the larger whole below which a node's change is not worth a line."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A node and what stands for it in the other plan; None where nothing does."""

    before: Node | None
    after: Node | None
    own_before: float = 0.0
    """Seconds where both plans were run, else cost; of the node alone."""
    own_after: float = 0.0

    @property
    def node(self) -> Node:
        """The later one there is."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def rerouted(self) -> bool:
        """The same table, or the same join, in another way."""
        return self.before is not None and self.after is not None and self.before.label != self.after.label


@dataclass(frozen=True, slots=True)
class PlanDiff:
    """Two plans, node by node."""

    before: Plan
    after: Plan
    pairs: tuple[Pair, ...]
    timed: bool
    """Both were run: what is compared is seconds, not cost."""

    @property
    def summary(self) -> str:
        """One sentence: faster or slower by how much, and what became of which tables."""
        parts = [_whole(self)]
        parts += [f"{pair.before.label} → {pair.after.label}" for pair in self.pairs
                  if pair.rerouted and pair.before and pair.after]  # fmt: skip
        added = [pair.node.label for pair in self.pairs if pair.before is None]
        removed = [pair.node.label for pair in self.pairs if pair.after is None]
        parts += [f"new: {', '.join(added)}"] if added else []
        parts += [f"gone: {', '.join(removed)}"] if removed else []
        return "; ".join(parts if len(parts) > 1 else [*parts, "the same nodes"])


def diff(before: Plan, after: Plan) -> PlanDiff:
    """Match the nodes of two plans by what they do: a scan by its table, a join by the tables below it."""
    timed = before.root.time is not None and after.root.time is not None
    earlier, later = dict(_keyed(before.root)), dict(_keyed(after.root))
    first, second = _own(before, timed), _own(after, timed)
    pairs = []
    for key in (*later, *(key for key in earlier if key not in later)):
        one, other = earlier.get(key), later.get(key)
        pairs.append(Pair(one, other, first.get(id(one), 0.0), second.get(id(other), 0.0)))
    return PlanDiff(before, after, tuple(pairs), timed)


def diff_lines(found: PlanDiff) -> list[str]:
    """The summary, then a line for each node that changed."""
    unit = "s" if found.timed else ""
    size = max(_total(found.before, found.timed), _total(found.after, found.timed))
    lines = [found.summary, ""]
    for pair in found.pairs:
        remarks = list(_changes(pair, size, unit))
        if remarks:
            lines.append(f"{pair.node.label}: {'; '.join(remarks)}")
    return lines if len(lines) > 2 else [found.summary]


Key = tuple[object, ...]


def _keyed(root: Node) -> Iterator[tuple[Key, Node]]:
    """Each node by what it does; those that do the same are numbered from above."""
    seen: Counter[Key] = Counter()
    for node in root.walk():
        key = _key(node)
        seen[key] += 1
        yield (*key, seen[key]), node


def _key(node: Node) -> Key:
    covers = _tables(node)
    if node.relation and not node.type.startswith("ModifyTable"):
        return ("scan", node.relation.rpartition(".")[2], node.alias)
    if node.type in ("Nested Loop", "Hash Join", "Merge Join"):
        return ("join", covers)
    return ("other", node.type, covers)


def _tables(node: Node) -> frozenset[str]:
    return frozenset(one.alias or one.relation for one in node.walk() if one.alias or one.relation)


def _own(plan: Plan, timed: bool) -> dict[int, float]:
    return {name: share.time if timed else share.cost for name, share in shares_of(plan).items()}


def _changes(pair: Pair, size: float, unit: str) -> Iterator[str]:
    if pair.before is None or pair.after is None:
        own = pair.own_after if pair.before is None else pair.own_before
        yield f"{'new' if pair.before is None else 'gone'}, {format_value(own, unit or 'none')}"
        return
    if pair.rerouted:
        yield f"was {pair.before.label}"
    low, high = sorted((pair.own_before, pair.own_after))
    if high - low >= _NOISE * size and high >= CHANGE * low:
        what = "own time" if unit else "own cost"
        yield f"{what} {format_value(pair.own_before, unit or 'none')} → {format_value(pair.own_after, unit or 'none')}"
    yield from _rows(pair.before, pair.after)


def _rows(before: Node, after: Node) -> Iterator[str]:
    if before.rows is not None and after.rows is not None:
        was, now, what = before.rows * before.loops, after.rows * after.loops, "rows"
    else:
        was, now, what = before.planned_rows, after.planned_rows, "planned rows"
    if max(was, now) >= CHANGE * max(min(was, now), 1.0):
        yield f"{what} {was:.10g} → {now:.10g}"


def _total(plan: Plan, timed: bool) -> float:
    return (plan.execution or plan.root.inclusive) if timed else plan.root.total_cost


def _whole(found: PlanDiff) -> str:
    was, now = _total(found.before, found.timed), _total(found.after, found.timed)
    unit, what = ("s", "") if found.timed else ("none", "cost ")
    text = f"{what}{format_value(was, unit)} → {format_value(now, unit)}"
    low, high = sorted((was, now))
    if not low or high / low < 1.1:
        return f"{text}, as before"
    better, worse = ("faster", "slower") if found.timed else ("cheaper", "dearer")
    return f"{text}, {high / low:.3g} times {better if now < was else worse}"
