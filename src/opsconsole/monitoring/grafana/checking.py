"""Whether the queries of a pane are PromQL once their variables are written out; by the optional parser."""

from opsconsole.core.clean import clean_line
from opsconsole.screens.definition import Pane, Screen
from opsconsole.screens.interpolation import Selection
from opsconsole.screens.queries import pane_queries
from opsconsole.screens.timerange import TimeRange
from opsconsole.screens.variables import EVERYTHING, is_promql
from opsconsole.sources.promqltree import MissingParserError, TooDeepError, parse

_SAMPLE = "word"


def promql_problem(screen: Screen, pane: Pane) -> str:
    """Why a query of `pane` is no PromQL; empty where all are, or where nothing here can tell (extra `promql`)."""
    if not is_promql(pane.source):
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
    except MissingParserError:
        return ""
    except TooDeepError as error:
        return f"the query is {error}"
    except ValueError as error:
        return f"no PromQL: {clean_line(error, limit=200)}"
    return ""
