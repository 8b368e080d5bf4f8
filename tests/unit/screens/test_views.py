"""The views of panes are the pages that there are."""

from opsconsole.screens.views import DATABASE_PAGES, FAMILY_PAGES, page_of
from opsconsole.ui.families import FAMILIES
from opsconsole.ui.workbench import pages as workbench


def test_each_page_is_a_view() -> None:
    assert tuple(spec.id for spec in workbench.PAGES) == DATABASE_PAGES
    pages = {name: tuple(spec.id for spec in family.specs()) for name, family in FAMILIES.items()}
    assert {"database": DATABASE_PAGES, **pages} == FAMILY_PAGES


def test_each_family_has_a_view_of_its_own_name() -> None:
    assert {name: family.view_class().family for name, family in FAMILIES.items()} == {name: name for name in FAMILIES}


def test_a_view_names_its_page() -> None:
    assert page_of("database.locks") == ("database", "locks")
    assert page_of("database.activity") == ("database", "sessions")
    assert page_of("pipelines.dags") == ("pipelines", "dags")
    assert page_of("database.nothing") is None
    assert page_of("overview.areas") is None
