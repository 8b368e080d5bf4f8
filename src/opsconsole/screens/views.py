"""The views that a pane of kind `view` can show."""

from collections.abc import Mapping

from opsconsole.config.schema import Place
from opsconsole.core.problem import nearest
from opsconsole.screens.areas import AREAS_VIEW, lint_areas
from opsconsole.screens.definition import Pane
from opsconsole.screens.overview import ATTENTION_VIEW
from opsconsole.screens.variables import is_sql

DATABASE_PAGES = (
    "sessions", "locks", "queries", "tables", "indexes", "connections", "progress", "replication", "server", "findings",
)  # fmt: skip
"""The pages of the PostgreSQL workbench; each is also the view `database.PAGE`."""

_DATABASE = "database."
_BY_OTHER_NAMES = {"activity": "sessions"}
VIEWS = (ATTENTION_VIEW, AREAS_VIEW, *(_DATABASE + page for page in DATABASE_PAGES))


def database_page(view: str) -> str:
    """The page of the workbench that a view is; empty where it is none."""
    if not view.startswith(_DATABASE):
        return ""
    page = view.removeprefix(_DATABASE)
    page = _BY_OTHER_NAMES.get(page, page)
    return page if page in DATABASE_PAGES else ""


def lint_view(place: Place, pane: Pane, given: Mapping[str, object]) -> None:
    """Report a view that is none, and options or a source that it cannot use.

    Args:
        place: the pane's.
        given: its keys, as the file has them.
    """
    if not pane.view:
        return
    if pane.view not in VIEWS and not database_page(pane.view):
        expected = f"expected one of {', '.join(VIEWS)}{nearest(pane.view, VIEWS)}"
        place.child("view").report("unknown-view", f"view: {pane.view!r} is none; {expected}")
    elif database_page(pane.view) and "source" in given and not is_sql(pane.source):
        message = f"source: {pane.source!r} is no database; expected postgres/NAME"
        place.child("source").report("wrong-source", message)
    elif pane.view == AREAS_VIEW:
        lint_areas(place.child("options"), pane.options)
