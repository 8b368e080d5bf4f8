"""Every content file that a configuration leads to, validated; for `check`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from opsconsole.config.document import load_document, read_text
from opsconsole.config.services import Service, load_services
from opsconsole.config.settings import Environment, Settings
from opsconsole.config.slas import Sla, load_slas
from opsconsole.core.problem import ContentError, Problem, nearest

if TYPE_CHECKING:
    from opsconsole.screens.definition import Screen

T = TypeVar("T")


@dataclass(slots=True)
class Findings:
    """What was looked at, and what is wrong with it."""

    files: list[str] = field(default_factory=list)
    """In the order in which they were looked at, each once."""
    problems: list[Problem] = field(default_factory=list)

    def add(self, file: Path | str, problems: Iterable[Problem] = ()) -> None:
        """`file` was looked at, and has `problems`."""
        if str(file) not in self.files:
            self.files.append(str(file))
        self.problems += (problem for problem in problems if problem not in self.problems)

    @property
    def errors(self) -> list[Problem]:
        """The problems that are more than warnings."""
        return [problem for problem in self.problems if problem.severity == "error"]

    def sort(self) -> None:
        """Put the problems into the order of file and line."""
        self.problems.sort()


def check_content(settings: Settings, environments: Iterable[Environment]) -> Findings:
    """Look at the content of `environments`: services, screens, runbooks, and whether they fit each other."""
    findings = Findings()
    if settings.file is not None:
        findings.add(settings.file, settings.warnings)
    for environment in environments:
        services = _services(environment, findings)
        screens = _screens(environment, findings)
        runbooks = _runbooks(environment, findings)
        slas = _slas(environment, findings)
        _readable(environment.quality, findings)
        _alerting(environment, runbooks, findings)
        _references(environment, services, screens, runbooks, findings)
        _sla_references(environment, slas, runbooks, findings)
        _errors(environment, runbooks, findings)
    findings.sort()
    return findings


def _services(environment: Environment, findings: Findings) -> list[Service]:
    if environment.services is None:
        return []
    try:
        services, problems = load_services(environment.services)
    except ContentError as error:
        services, problems = [], list(error.problems)
    findings.add(environment.services, problems)
    return services


def _slas(environment: Environment, findings: Findings) -> list[Sla]:
    if environment.slas is None:
        return []
    try:
        slas, problems = load_slas(environment.slas)
    except ContentError as error:
        slas, problems = [], list(error.problems)
    findings.add(environment.slas, problems)
    return slas


def _errors(environment: Environment, runbooks: set[str], findings: Findings) -> None:
    """Look at where errors are looked for, and report names in it that lead nowhere."""
    from opsconsole.config.errors import load_errors, unknown_names

    if environment.errors is None:
        return
    try:
        settings, problems = load_errors(environment.errors)
    except ContentError as error:
        findings.add(environment.errors, error.problems)
        return
    findings.add(environment.errors, [*problems, *unknown_names(settings, environment, runbooks)])


def _alerting(environment: Environment, runbooks: set[str], findings: Findings) -> None:
    """Alerts, who is told of them, and whether the two fit each other."""
    from opsconsole.config.alerting import Alerting, load_alerting
    from opsconsole.config.escalation import Escalation, load_escalation
    from opsconsole.monitoring.hearing import unheard
    from opsconsole.monitoring.lint.definitions import lint_alerting

    alerting, escalation = Alerting(), None
    if environment.alerts is not None:
        alerting, problems = _loaded(load_alerting, environment.alerts, Alerting())
        findings.add(environment.alerts, [*problems, *lint_alerting(alerting)])
    if environment.escalation is not None:
        nobody: Escalation | None = None
        escalation, problems = _loaded(load_escalation, environment.escalation, nobody)
        findings.add(environment.escalation, problems)
    for alert in alerting.alerts:
        if alert.runbook and alert.runbook not in runbooks:
            hint = nearest(alert.runbook, runbooks)
            message = f"no runbook {alert.runbook!r} in environment {environment.name}{hint}"
            findings.add(alerting.file, [Problem(alerting.file, *alert.runbook_at, "warning", "unknown-name", message)])
    if escalation is not None:
        findings.problems += (one for one in unheard(alerting, escalation) if one not in findings.problems)


def _loaded(load: Callable[[Path], tuple[T, list[Problem]]], path: Path, nothing: T) -> tuple[T, list[Problem]]:
    """What `load` makes of the file, or `nothing` and why."""
    try:
        return load(path)
    except ContentError as error:
        return nothing, list(error.problems)


def _sla_references(environment: Environment, slas: list[Sla], runbooks: set[str], findings: Findings) -> None:
    """Report runbooks and databases of SLAs that are not there, and alerts that could never fire."""
    from opsconsole.sla.burn import burn_windows, silent

    file, known = str(environment.slas), source_names(environment)
    # A DAG's runs may come from the metadata database alone.
    known += ["airflow"] if environment.airflow else []

    def warn(at: tuple[int, int], code: str, message: str) -> None:
        findings.add(file, [Problem(file, *at, "warning", code, message)])

    for sla in slas:
        if sla.runbook and sla.runbook not in runbooks:
            missing = f"no runbook {sla.runbook!r} in environment {environment.name}{nearest(sla.runbook, runbooks)}"
            warn(sla.runbook_at, "unknown-name", missing)
        if sla.source not in known:
            missing = (
                f"{sla.name}: no source {sla.source!r} in environment {environment.name}{nearest(sla.source, known)}"
            )
            warn((sla.line, 1), "unknown-name", missing)
        if mute := silent(burn_windows(sla.window), sla.objective):
            factors = ", ".join(f"{one.factor:g}" for one in mute)
            message = (
                f"objective: a budget of {sla.budget:.4g} cannot burn {factors} times as fast; those alerts never fire"
            )
            warn(sla.objective_at, "never-fires", message)


def _screens(environment: Environment, findings: Findings) -> "list[Screen]":
    from opsconsole.screens.loading import PATTERNS, load_screens

    paths = _files(environment.screens, PATTERNS, "screens", findings)
    if paths is None:
        return []
    for path in paths:
        findings.add(path)
    screens, problems = load_screens(environment.screens, environment.airflow_metrics)
    findings.problems += (problem for problem in problems if problem not in findings.problems)
    return screens


def _runbooks(environment: Environment, findings: Findings) -> set[str]:
    """The ids of the runbooks."""
    from opsconsole.runbooks.library import Library
    from opsconsole.runbooks.lint import lint

    if _files(environment.runbooks, ("*.md",), "runbooks", findings) is None:
        return set()
    library = Library(environment.runbooks)
    runbooks = sorted(library.all(), key=lambda runbook: runbook.path)
    for runbook in runbooks:
        findings.add(runbook.path, lint(runbook))
    for problem in library.problems():
        findings.add(problem.file, [problem])
    return {runbook.id for runbook in runbooks}


def _files(folder: Path, patterns: Iterable[str], what: str, findings: Findings) -> list[Path] | None:
    """The files in `folder`; None, and a problem, where it is no folder that can be read."""
    try:
        if not folder.is_dir():
            raise NotADirectoryError
        return sorted(path for pattern in patterns for path in folder.glob(pattern))
    except OSError as error:
        reason = f"cannot be read: {error.strerror}" if error.strerror else "is no folder"
        message = f"{reason}; expected the folder with {what}"
        findings.add(folder, [Problem(str(folder), 0, 0, "error", "unreadable", message)])
        return None


def _readable(path: Path | None, findings: Findings) -> None:
    if path is None:
        return
    try:
        read_text(path)
    except ContentError as error:
        findings.add(path, error.problems)
    else:
        findings.add(path)


def _references(
    environment: Environment,
    services: list[Service],
    screens: "list[Screen]",
    runbooks: set[str],
    findings: Findings,
) -> None:
    """Report names that lead nowhere: a runbook that is not there, a database that is not configured."""

    def report(file: str, at: tuple[int, int], name: str, what: str, known: Iterable[str]) -> None:
        message = f"no {what} {name!r} in environment {environment.name}{nearest(name, known)}"
        findings.add(file, [Problem(file, *at, "warning", "unknown-name", message)])

    for service in services:
        if service.runbook and service.runbook not in runbooks:
            report(str(environment.services), service.runbook_at, service.runbook, "runbook", runbooks)
    sources, ids = source_names(environment), [screen.id for screen in screens]
    for screen in screens:
        for pane in screen.panes:
            checks: tuple[tuple[str, str, Iterable[str]], ...] = (
                (pane.runbook.id if pane.runbook else "", "runbook", runbooks),
                (pane.drill.screen if pane.drill else "", "screen", ids),
            )
            for name, what, known in checks:
                if name and name not in known:
                    report(screen.file, (pane.line, 1), name, what, known)
        for name, at in _unknown_sources(screen, sources):
            report(screen.file, at, name, "source", sources)


def _unknown_sources(screen: "Screen", known: Sequence[str]) -> list[tuple[str, tuple[int, int]]]:
    """(name, (line, column)) of the sources that a screen asks and that are not `known`."""
    from opsconsole.screens.asked_sources import asked_sources

    unknown = [one for one in asked_sources(screen) if one.name not in known]
    if not unknown:
        return []
    document = load_document(Path(screen.file))  # nobody keeps it: what is right needs no positions
    return [(one.name, document.where(one.where)) for one in unknown]


def source_names(environment: Environment) -> list[str]:
    """The sources that content can name in `environment`."""
    present: tuple[tuple[str, object], ...] = (
        *environment.every_prometheus.items(),
        ("alertmanager", environment.alertmanager),
        ("airflow", environment.airflow and environment.airflow.url),
        ("redis", environment.redis),
        # What is worked out from others: the shipped screen of SLAs is no mistake of who promised nothing.
        ("sla", True),
        ("alerts", True),
        ("errors", True),
    )
    return [*(name for name, settings in present if settings), *(f"postgres/{name}" for name in environment.postgres)]
