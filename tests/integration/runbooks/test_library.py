"""The shipped runbooks about data and incidents (databases, backups, DAGs, quality, security), on the real platform."""

from pathlib import Path

import pytest

from opsconsole.runbooks.model import Runbook
from opsconsole.runbooks.testfile import Case
from tests.integration.runbooks.library import OF_DATA, OF_SERVICES, as_parameters, cases, walk


@pytest.mark.parametrize(("runbook", "case"), as_parameters(OF_DATA))
async def test_case(runbook: Runbook, case: Case, shared: Path, request: pytest.FixtureRequest) -> None:
    await walk(runbook, case, shared, request)


def test_no_step_that_changes_something_is_left_untried() -> None:
    """Each is really run, and verified, by a case with the demo. Those it has nothing for are listed here."""
    tried: dict[str, set[str]] = {}
    changing: dict[str, set[str]] = {}
    for runbook, case in cases((*OF_DATA, *OF_SERVICES)):
        names = {step.name for step in runbook.steps if step.risk != "read"}
        changing[runbook.id] = names
        if case.demo is not None:
            done = {name for name, state in case.expect.steps.items() if state == "ok"}
            tried.setdefault(runbook.id, set()).update((names & done) - case.stubs.keys())
    untried = {(name, step) for name, steps in changing.items() for step in steps - tried.get(name, set())}
    assert untried == {
        ("deployment", "release"),
        ("deployment", "undo-release"),
        ("performance-troubleshooting", "cancel-statement"),
        ("performance-troubleshooting", "restart.stop-it"),  # in service-restart-procedures it is
    }
