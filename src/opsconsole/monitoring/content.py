"""The definitions from which `monitoring/` is made, all valid."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from opsconsole.config.alerting import Alerting, load_alerting
from opsconsole.config.escalation import Escalation, load_escalation
from opsconsole.config.services import Service, load_services
from opsconsole.config.settings import Environment
from opsconsole.config.slas import load_slas
from opsconsole.core.problem import ContentError, Problem
from opsconsole.monitoring.objectives import with_objectives
from opsconsole.screens.definition import Screen


@dataclass(frozen=True, slots=True)
class Content:
    """What an environment's files say."""

    alerting: Alerting
    """With the rules of the objectives."""
    escalation: Escalation | None
    services: tuple[Service, ...]
    screens: tuple[Screen, ...]
    runbook_files: Mapping[str, str]
    """The id of a runbook -> the name of its file; empty where no link needs it."""


def load_content(environment: Environment) -> Content:
    """The definitions of `environment`.

    Raises:
        ContentError: with all problems, when one of them is an error: what is made from half a definition would
            silently lack alerts.
    """
    from opsconsole.runbooks.library import Library
    from opsconsole.screens.loading import load_screens

    problems: list[Problem] = []
    alerting, found = load_alerting(environment.alerts) if environment.alerts else (Alerting(), [])
    problems += found
    escalation, found = load_escalation(environment.escalation) if environment.escalation else (None, [])
    problems += found
    slas, found = load_slas(environment.slas) if environment.slas else ([], [])
    problems += found
    services, found = load_services(environment.services) if environment.services else ([], [])
    problems += found
    screens, found = load_screens(environment.screens, environment.airflow_metrics)
    problems += found
    if any(one.severity == "error" for one in problems):
        raise ContentError(problems)
    # Reading every runbook takes a second; only links need their files.
    books = Library(environment.runbooks).all() if alerting.runbook_url else []
    files = {one.id: PurePosixPath(one.path).name for one in books}
    return Content(with_objectives(alerting, slas), escalation, tuple(services), tuple(screens), files)
