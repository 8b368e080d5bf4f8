"""Families of pages: pipelines, and whatever else a source is looked at by pages.

One entry makes all of it: the views `FAMILY.PAGE` as panes of screens, the command `:FAMILY [PAGE]` with its
completion, and the view that `enter` on a pane leads to. `Session.families` says what a family's pages take their
readings of.
"""

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opsconsole.ui.pages.page import PageSpec
    from opsconsole.ui.screens.pages_view import FamilyView


@dataclass(frozen=True, slots=True)
class Family:
    """Pages that belong together. What they are made of is imported when it is first looked at."""

    name: str
    """As in `view: NAME.PAGE` and `:NAME`."""
    help: str
    """What the command is listed with."""
    absent: str
    """Why there is none, where the environment has no such source."""
    pages: str = field(repr=False)
    """`module:constant`: a tuple of PageSpec."""
    view: str = field(repr=False)
    """`module:class`: a FamilyView that can be `opened_at` each of the pages."""
    aliases: tuple[str, ...] = ()
    """More words for the command."""

    def specs(self) -> "tuple[PageSpec, ...]":
        """Its pages, in the order of their tabs."""
        specs: tuple[PageSpec, ...] = _imported(self.pages)
        return specs

    def view_class(self) -> "type[FamilyView]":
        """What shows all of its pages."""
        view: type[FamilyView] = _imported(self.view)
        return view


def _imported(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


FAMILIES = {
    family.name: family
    for family in (
        Family(
            "pipelines",
            help="DAGs of Airflow, and what is around them",
            absent="no airflow is configured in this environment",
            pages="opsconsole.ui.pipelines.pages:PAGES",
            view="opsconsole.ui.screens.pipelines:PipelinesView",
            aliases=("pipeline", "dags", "airflow"),
        ),
        Family(
            "sla",
            help="what was promised, what is left of the budgets, violations",
            absent="nothing is promised in this environment: slas: names no file",
            pages="opsconsole.ui.sla.pages:PAGES",
            view="opsconsole.ui.screens.slas:SlasView",
            aliases=("slas", "slo"),
        ),
        Family(
            "errors",
            help="what goes wrong everywhere, by kind",
            absent="no source of errors is configured in this environment",
            pages="opsconsole.ui.errors.pages:PAGES",
            view="opsconsole.ui.screens.errors:ErrorsView",
            aliases=("error",),
        ),
        Family(
            "alerts",
            help="what fires, silences, history, who is notified",
            absent="neither prometheus nor alertmanager is configured in this environment",
            pages="opsconsole.ui.alerts.pages:PAGES",
            view="opsconsole.ui.screens.alerts:AlertsView",
            aliases=("alert", "silences"),
        ),
    )
}
