"""The views of panes are the pages that there are."""

from opsconsole.screens.views import DATABASE_PAGES, PIPELINE_PAGES, page_of
from opsconsole.ui.pipelines import pages as pipelines
from opsconsole.ui.workbench import pages as workbench


def test_each_page_is_a_view() -> None:
    assert tuple(spec.id for spec in workbench.PAGES) == DATABASE_PAGES
    assert tuple(spec.id for spec in pipelines.PAGES) == PIPELINE_PAGES


def test_a_view_names_its_page() -> None:
    assert page_of("database.locks") == ("database", "locks")
    assert page_of("database.activity") == ("database", "sessions")
    assert page_of("pipelines.dags") == ("pipelines", "dags")
    assert page_of("database.nothing") is None
    assert page_of("overview.areas") is None
