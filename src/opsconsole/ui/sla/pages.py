"""The pages of SLAs, in the order of their tabs."""

from opsconsole.ui.pages.page import PageSpec

PAGES = (
    PageSpec("objectives", "Objectives", "opsconsole.ui.sla.objectives:ObjectivesPage"),
    PageSpec("violations", "Violations", "opsconsole.ui.sla.violated:ViolatedPage"),
)
