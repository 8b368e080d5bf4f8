"""Where the time of a plan goes: each node's own part, the dearest one, and what is wrong with each, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from opsconsole.core.units import format_value
from opsconsole.database.plan import FILTERED, FILTERED_ROWS, MISESTIMATE, Node, Plan, awaited


@dataclass(frozen=True, slots=True)
class Share:
    """What is a node's own."""

    time: float
    """Seconds; 0 where it was not run."""
    cost: float
    """In the planner's units."""
    part: float
    """Of the whole, by time where there is one, else by cost; 0 to 1."""
    temp_blocks: float


Shares = Mapping[int, Share]
"""`id(node)` -> its share: equal nodes of one plan are still two."""


def shares_of(plan: Plan) -> Shares:
    """Each node's own part of time and cost. Never negative: the server measures with gaps."""
    elsewhere = _work_done_elsewhere(plan.root)
    times = {id(node): _own_time(node, elsewhere) for node in plan.root.walk()}
    costs = {
        id(node): _own(node.total_cost, [child.total_cost for child in node.children]) for node in plan.root.walk()
    }
    weights = times if any(times.values()) else costs
    total = sum(weights.values())
    return {
        id(node): Share(
            times[id(node)],
            costs[id(node)],
            weights[id(node)] / total if total else 0.0,
            _own(node.temp_blocks, [child.temp_blocks for child in node.children]),
        )
        for node in plan.root.walk()
    }


def dearest(plan: Plan, shares: Shares) -> Node:
    """The node whose own part is the largest."""
    return max(plan.root.walk(), key=lambda node: shares[id(node)].part)


def remarks(node: Node, share: Share, *, limited: bool = False) -> list[str]:
    """What is wrong with `node`, in words; `limited`: something above may have stopped it early, as it should."""
    found = []
    error = node.error
    # A merge reads the rows of its inner side again for equal keys, and each time counts.
    if error is not None and error >= MISESTIMATE and not (limited and node.role == "Inner" and node.type == "Sort"):
        found.append(f"{error:.3g} times the rows that were planned")
    elif error is not None and error <= 1 / MISESTIMATE and not limited:
        found.append(f"planned for {1 / error:.3g} times the rows that came")
    found += dict.fromkeys(node.spills)
    if share.temp_blocks and not node.spills:
        found.append(f"{share.temp_blocks:.0f} blocks of temporary files")
    kept = (node.rows or 0.0) * node.loops
    if node.removed >= FILTERED_ROWS and node.removed >= FILTERED * max(kept, 1.0):
        found.append(f"{node.removed:.0f} rows read and thrown away, {kept:.0f} kept")
    if node.workers_planned and node.workers_launched is not None and node.workers_launched < node.workers_planned:
        found.append(f"{node.workers_launched} of {node.workers_planned} workers were to be had")
    return found


def plan_lines(plan: Plan) -> list[str]:
    """The plan as a tree, one line or more for each node, with what is wrong; the dearest node is marked."""
    shares = shares_of(plan)
    lines: list[str] = []
    _lines(plan.root, shares, dearest(plan, shares), "", "", False, lines)
    for name, seconds in plan.triggers:
        lines.append(f"trigger {name}: {format_value(seconds, 's')}")
    times = [("planning", plan.planning), ("execution", plan.execution)]
    lines += [", ".join(f"{name} {format_value(value, 's')}" for name, value in times if value is not None)]
    return [line for line in lines if line]


def _lines(node: Node, shares: Shares, top: Node, lead: str, below: str, limited: bool, lines: list[str]) -> None:
    share = shares[id(node)]
    name = f"{node.subplan}: {node.label}" if node.subplan else node.label
    mark = "  ◀ dearest" if node is top else ""
    lines.append(f"{lead}{name}  ({_numbers(node, share)}){mark}")
    inner = below + ("│ " if node.children else "  ")
    lines += [f"{inner}  {kind}: {text}" for kind, text in node.conditions]
    lines += [f"{inner}  ! {remark}" for remark in remarks(node, share, limited=limited)]
    limited = limited or node.type in ("Limit", "Merge Join") or node.join in ("Semi", "Anti")
    for place, child in enumerate(node.children):
        last = place == len(node.children) - 1
        _lines(
            child, shares, top, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "), limited, lines
        )


def _numbers(node: Node, share: Share) -> str:
    planned = f"cost {node.total_cost:.6g}, {node.planned_rows:.0f} rows planned"
    if not node.analyzed:
        return f"{format_value(share.part, 'percentunit')} of the cost; {planned}"
    if node.never:
        return f"never executed; {planned}"
    loops = f" in each of {node.loops:.0f} loops" if node.loops != 1 else ""
    own = (
        f"{format_value(share.part, 'percentunit')}, own {format_value(share.time, 's')}; "
        if node.time is not None
        else ""
    )
    return f"{own}{node.rows:.10g} rows{loops}; {planned}"


def _own(whole: float, parts: list[float]) -> float:
    return max(0.0, whole - sum(parts))


def _own_time(node: Node, elsewhere: Mapping[int, float]) -> float:
    here = [child.inclusive for child in node.children if child.role != "InitPlan"]
    return max(0.0, node.inclusive - sum(here) - elsewhere.get(id(node), 0.0))


def _work_done_elsewhere(root: Node) -> dict[int, float]:
    """`id(node)` -> seconds of InitPlans and CTEs whose work was done inside that node, wherever they are written."""
    found: dict[int, float] = {}
    for node in root.walk():
        for subplan in (child for child in node.children if child.role == "InitPlan"):
            left = subplan.inclusive
            # Several scans of one CTE: the first to come does the work; which one was it is not said.
            for user in awaited(root if subplan.subplan.startswith("CTE ") else node, subplan) or [node]:
                taken = min(left, max(0.0, user.inclusive - found.get(id(user), 0.0)))
                found[id(user)] = found.get(id(user), 0.0) + taken
                left -= taken
    return found
