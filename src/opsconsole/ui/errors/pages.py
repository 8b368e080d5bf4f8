"""The pages of errors, in the order of their tabs."""

from opsconsole.ui.pages.page import PageSpec


def _spec(name: str, title: str, made_by: str) -> PageSpec:
    return PageSpec(name, title, f"opsconsole.ui.errors.{made_by}")


PAGES = (
    _spec("errors", "Errors", "kinds:KindsPage"),
    _spec("services", "Services", "services:ServicesPage"),
    _spec("recent", "Recent", "recent:RecentPage"),
)
