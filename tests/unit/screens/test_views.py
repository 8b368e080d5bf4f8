"""The views of panes are the pages that there are."""

from opsconsole.screens.views import DATABASE_PAGES, database_page
from opsconsole.ui.workbench.pages import PAGES


def test_each_page_of_the_workbench_is_a_view() -> None:
    assert tuple(spec.id for spec in PAGES) == DATABASE_PAGES


def test_a_view_names_its_page() -> None:
    assert database_page("database.locks") == "locks"
    assert database_page("database.activity") == "sessions"
    assert not database_page("database.nothing")
    assert not database_page("overview.areas")
