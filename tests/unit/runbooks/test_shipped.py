"""What every shipped runbook promises: complete, linted, undoable or saying why not, and written for people."""

import re
from datetime import date

import pytest

from opsconsole.actions.action import Risk
from opsconsole.core.content import shipped_content
from opsconsole.runbooks.library import Library
from opsconsole.runbooks.lint import lint
from opsconsole.runbooks.model import Kind, Runbook
from opsconsole.runbooks.testfile import SUFFIX

FOLDER = shipped_content() / "runbooks"
BOOKS = Library(FOLDER).all()
SECTIONS = {
    "dag-failure-recovery": (
        "pre-recovery checks", "single task", "dag run", "multiple dag", "root cause", "common failure scenarios",
        "escalation",
    ),
    "service-restart-procedures": (
        "pre-restart checks", "airflow worker", "airflow scheduler", "airflow dag processor", "airflow triggerer",
        "energy service", "profile service", "keycloak", "nginx", "redis", "postgresql", "monitoring",
        "full system restart", "emergency procedures", "post-restart verification", "escalation",
    ),
    "database-maintenance": (
        "regular maintenance tasks", "vacuum", "analyze", "index checks", "performance monitoring", "backup",
        "recovery", "index maintenance", "connection management",
    ),
    "data-quality-issues": (
        "data quality monitoring", "stale data", "missing data", "incomplete data", "anomalies", "resolution",
        "prevention",
    ),
    "performance-troubleshooting": (
        "cpu", "memory", "disk i/o", "database performance", "application performance", "network performance",
        "performance monitoring",
    ),
    "backup-recovery": (
        "backup strategy", "database backup", "manual", "automated", "configuration backup", "volume backup",
        "full recovery", "partial recovery", "disaster recovery plan", "backup testing",
    ),
    "incident-response": (
        "incident classification", "incident detection", "response process", "escalation", "common scenarios",
        "post-incident review",
    ),
    "deployment": ("checklist", "rollback", "blue-green", "canary"),
    "security-review": ("access control", "roles", "network", "secrets", "vulnerabilities"),
    "full-system-restart": ("pre-restart checks", "post-restart verification", "escalation"),
}  # fmt: skip
SERVICES = (
    "airflow-worker", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer", "energy-service",
    "profile-service", "keycloak", "nginx", "redis", "postgres", "prometheus", "alertmanager",
)  # fmt: skip
every_book = pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.id)


def test_nothing_is_missing_from_the_library() -> None:
    assert {book.id for book in BOOKS} == set(SECTIONS)


@every_book
def test_the_linter_has_nothing_to_say(book: Runbook) -> None:
    assert lint(book, today=date.fromisoformat(book.review_by)) == ()


@every_book
def test_the_front_matter_is_complete(book: Runbook) -> None:
    assert all((book.title, book.owner, book.severity, book.review_by == "2027-05-31"))
    assert book.lock or book.id == "incident-response"
    assert all(param.help for param in book.params)


@every_book
def test_each_section_that_an_operator_looks_for_is_there(book: Runbook) -> None:
    titles = [group.title.lower() for group in book.groups]
    missing = [wanted for wanted in SECTIONS[book.id] if not any(wanted in title for title in titles)]
    assert not missing, titles


@every_book
def test_it_has_tests(book: Runbook) -> None:
    assert (FOLDER / book.path).with_suffix(SUFFIX).exists()


@every_book
def test_a_step_has_a_timeout_and_one_that_changes_something_a_verification(book: Runbook) -> None:
    undoing = {step.undo for step in book.steps}
    for step in book.steps:
        if step.kind in (Kind.SHELL, Kind.SQL, Kind.PROM, Kind.HTTP):
            assert step.timeout, step.name
        if step.risk is not Risk.READ and step.name not in undoing and step.kind is not Kind.ACTION:
            assert step.verify, step.name


@every_book
def test_it_reads_well_where_nothing_is_executed(book: Runbook) -> None:
    source = book.source.decode()
    assert "\t" not in source
    fences = re.findall(r"^```", source, re.MULTILINE)
    assert len(fences) % 2 == 0
    prose = re.sub(r"^```.*?^```", "", source.split("---", 2)[2], flags=re.DOTALL | re.MULTILINE)
    tables = [line for line in prose.splitlines() if line.startswith("|")]
    long = [line for line in prose.splitlines() if len(line) > 140 and line not in tables]
    assert not long


@every_book
def test_its_links_lead_somewhere(book: Runbook) -> None:
    for target in re.findall(r"\]\(([^)#]+\.md)\)", book.source.decode()):
        assert (FOLDER / target).exists(), target


def test_service_restart_knows_every_service() -> None:
    book = next(book for book in BOOKS if book.id == "service-restart-procedures")
    text = book.source.decode()
    assert not [name for name in SERVICES if f"**{name}**" not in text]
    assert not [
        driver for driver in ("systemd", "docker", "docker compose", "supervisor", "kubectl") if driver not in text
    ]
