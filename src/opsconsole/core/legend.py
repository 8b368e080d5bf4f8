"""The names of series, from a template or from the labels that tell them apart."""

import re
from collections.abc import Mapping, Sequence

from opsconsole.core.clean import clean_line

_SLOT = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_LIMIT = 120
# What says which measurement it is rather than whose.
_UNTELLING = frozenset({"__name__"})


def legend_text(template: str, labels: Mapping[str, str]) -> str:
    """`template` with each `{{label}}` replaced by the label's value, or by nothing where it is missing."""
    text = _SLOT.sub(lambda slot: labels.get(slot.group(1), ""), template)
    return clean_line(" ".join(text.split()), limit=_LIMIT)


def legends(template: str, series: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """A name for each of `series`.

    Without a template it is made of the values of those labels that differ between them; a single series
    is named by its metric, or not at all.
    """
    if template:
        return tuple(legend_text(template, labels) for labels in series)
    if len(series) == 1:
        return (clean_line(series[0].get("__name__", ""), limit=_LIMIT),)
    telling = _telling_apart(series)
    return tuple(clean_line(" ".join(filter(None, map(one.get, telling))), limit=_LIMIT) for one in series)


def _telling_apart(series: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    names = sorted({name for labels in series for name in labels})
    differing = [name for name in names if len({labels.get(name) for labels in series}) > 1]
    return tuple(name for name in differing if name not in _UNTELLING) or tuple(differing)
