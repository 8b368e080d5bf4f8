"""Whether the queries of a pane are PromQL once their variables are written out; by the optional parser."""

from collections.abc import Callable
from functools import cache

from opsconsole.core.clean import clean_line
from opsconsole.screens.definition import Pane, Screen
from opsconsole.screens.interpolation import Selection
from opsconsole.screens.queries import pane_queries
from opsconsole.screens.timerange import TimeRange
from opsconsole.screens.variables import EVERYTHING

_SAMPLE = "word"


def promql_problem(screen: Screen, pane: Pane) -> str:
    """Why a query of `pane` is no PromQL; empty where all are, or where nothing here can tell (extra `promql`)."""
    parse = _parser()
    if parse is None or pane.source != "prometheus":
        return ""
    chosen = {
        one.name: Selection(everything=True, pattern=one.everything)
        if one.multi or one.default == EVERYTHING
        else Selection((one.values[0] if one.values else _SAMPLE,))
        for one in screen.variables
    }
    try:
        for query in pane_queries(pane, chosen, TimeRange(screen.window)):
            parse(query.text)
    except ValueError as error:
        return f"no PromQL: {clean_line(error, limit=200)}"
    return ""


@cache
def _parser() -> Callable[[str], object] | None:
    try:
        import promql_parser
    except ImportError:
        return None
    parse: Callable[[str], object] = promql_parser.parse
    return parse
