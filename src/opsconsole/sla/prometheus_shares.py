"""Which series were bad, from Prometheus: the counts of an SLA without the sum around them, over a whole window."""

import asyncio
import re
from collections.abc import Mapping

from opsconsole.core.reading import Answer
from opsconsole.core.values import Vector
from opsconsole.sla.burn import DAY, MINUTE
from opsconsole.sla.expressions import Counts
from opsconsole.sla.shares import Share, ranked
from opsconsole.sources.prometheus import PrometheusSource

_SPLIT = frozenset({"le", "code", "status", "status_code", "result", "outcome"})
"""Labels that tell good from bad, and not whose it was."""
_COARSE = 5 * MINUTE
"""How often a value is looked at in more than a week: enough to rank."""
_TOKEN = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|[()]""")

Labels = tuple[tuple[str, str], ...]


async def shares_of(source: PrometheusSource, counts: Counts, start: float, end: float) -> tuple[Share, ...]:
    """The series that were bad from `start` to `end`, unix seconds; none where the counts cannot be taken apart.

    Raises:
        SourceError: they cannot be asked for, as when they are too many.
    """
    if counts.sampled:
        return await _of_minutes(source, counts, start, end)
    if counts.bad_text:
        bad = await _each(source, counts.bad_text, start, end)
    else:
        total, good = await asyncio.gather(
            _each(source, counts.total_text, start, end), _each(source, counts.good_text, start, end)
        )
        total, good = _joined(total), _joined(good)
        bad = {of: count - good.get(of, 0.0) for of, count in total.items()}
    if set(bad) <= {()}:
        return ()
    return ranked((dict(of), count) for of, count in bad.items())


async def _of_minutes(source: PrometheusSource, counts: Counts, start: float, end: float) -> tuple[Share, ...]:
    step = _COARSE if end - start > 7 * DAY else MINUTE
    # A second less than the window: older servers count both ends of a subquery.
    over = f"[{max(1, round(end - start) - 1)}s:{step:.0f}s]"
    text = f"count_over_time(({counts.value_text}){over}) - sum_over_time(({counts.good_each_text}){over})"
    bad = _by_labels(await source.instant(f"({text}) > 0", at=end))
    if set(bad) <= {()}:
        return ()
    return ranked((dict(of), count * step / MINUTE) for of, count in bad.items())


async def _each(source: PrometheusSource, text: str, start: float, end: float) -> dict[Labels, float]:
    filled = inside_sum(text).replace("$window", f"{round(end - start)}s")
    return _by_labels(await source.instant(f"({filled}) > 0", at=end))


def _by_labels(answer: Answer) -> dict[Labels, float]:
    assert isinstance(answer.value, Vector)
    return {_key(one.labels): one.value for one in answer.value.samples if one.value == one.value}


def _joined(counts: Mapping[Labels, float]) -> dict[Labels, float]:
    """By whose they are: without the labels by which good and total differ."""
    found: dict[Labels, float] = {}
    for of, count in counts.items():
        kept = tuple(pair for pair in of if pair[0] not in _SPLIT)
        found[kept] = found.get(kept, 0.0) + count
    return found


def _key(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted(pair for pair in labels.items() if pair[0] != "__name__"))


def inside_sum(text: str) -> str:
    """`text` without a `sum(…)` around all of it, so that it has a sample for each series; else as it is."""
    whole = text.strip()
    begun = re.match(r"sum\s*\(", whole)
    if begun is None:
        return whole
    depth = 0
    for token in _TOKEN.finditer(whole):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if token[0] == ")" and depth == 0:
            return whole[begun.end() : -1] if token.end() == len(whole) else whole
    return whole
