"""Which sources a screen's file names, and where: of panes, of variables, of facts in the lines of the overview."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from opsconsole.config.document import Where
from opsconsole.screens.areas import AREAS_VIEW
from opsconsole.screens.definition import Pane, Screen

_USUAL = "prometheus"


class AskedSource(NamedTuple):
    """A source, and where the file names it; what asks it, where nothing is said."""

    name: str
    where: Where


def asked_sources(screen: Screen) -> Iterator[AskedSource]:
    """Every source that the screen asks. One that is only meant because nothing is said is named once by each pane."""

    def named(name: str, *where: str | int) -> AskedSource:
        return AskedSource(name, where)

    for variable in screen.variables:
        if variable.query:
            yield named(variable.source, "variables", variable.name, "source")
    for place, pane in enumerate(screen.panes):
        if pane.targets:
            yield named(pane.source, "panes", place, "source")
        elif pane.view == AREAS_VIEW and not pane.broken:
            where = ("panes", place)
            said = list(_facts(pane))
            yield from (named(source, *where, *path, "source") for path, source in said if source)
            if not all(source for _, source in said):
                yield named(_USUAL, *where)


def _facts(pane: Pane) -> Iterator[tuple[Where, str]]:
    """(where below the pane, the source that is named there; empty: none is) of all that asks."""
    for place, area in enumerate(pane.options.get("areas") or ()):
        for key in ("now", "day_ago"):
            facts: Any = area.get(key) or ()
            listed = [((), facts)] if isinstance(facts, Mapping) else [((at,), one) for at, one in enumerate(facts)]
            for at, fact in listed:
                if "pane" not in fact:
                    yield ("options", "areas", place, key, *at), str(fact.get("source", ""))
        if "trend" in area:
            yield ("options", "areas", place, "trend"), ""
