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

DATABASE = "database"
FAMILY_PAGES = {
    DATABASE: DATABASE_PAGES,
    "sla": ("objectives", "violations"),
    "pipelines": ("dags", "sla", "failures", "dependencies", "imports", "parts", "pools"),
    "errors": ("errors", "services", "recent"),
    "alerts": ("alerts", "silences", "history", "receivers", "watch"),
}
"""The ids of the pages of each family; each is also the view `FAMILY.PAGE`. `ui.families` has what they are made of."""

_BY_OTHER_NAMES = {"database.activity": "database.sessions"}
VIEWS = (ATTENTION_VIEW, AREAS_VIEW, *(f"{family}.{page}" for family, pages in FAMILY_PAGES.items() for page in pages))


def page_of(view: str) -> tuple[str, str] | None:
    """(family, page) of a view that is a page: of the workbench, or of pipelines. None where it is none."""
    family, _, page = _BY_OTHER_NAMES.get(view, view).partition(".")
    return (family, page) if page in FAMILY_PAGES.get(family, ()) else None


def lint_view(place: Place, pane: Pane, given: Mapping[str, object]) -> None:
    """Report a view that is none, and options or a source that it cannot use.

    Args:
        place: the pane's.
        given: its keys, as the file has them.
    """
    if not pane.view:
        return
    page = page_of(pane.view)
    if pane.view not in VIEWS and page is None:
        expected = f"expected one of {', '.join(VIEWS)}{nearest(pane.view, VIEWS)}"
        place.child("view").report("unknown-view", f"view: {pane.view!r} is none; {expected}")
    elif page is not None and page[0] == DATABASE and "source" in given and not is_sql(pane.source):
        message = f"source: {pane.source!r} is no database; expected postgres/NAME"
        place.child("source").report("wrong-source", message)
    elif pane.view == AREAS_VIEW:
        lint_areas(place.child("options"), pane.options)
