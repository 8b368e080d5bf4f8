"""Every case of every shipped runbook's own test file. Two modules walk them, so that two processes can share them."""

from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from opsconsole.core.content import shipped_content
from opsconsole.runbooks.model import Runbook
from opsconsole.runbooks.testfile import SUFFIX, Case, load_test_file
from opsconsole.runbooks.testing import CaseOutcome, check_tests, run_case

FOLDER = shipped_content() / "runbooks"
# What these slow down, break or restart shows in the alerts for a minute: last, so that nobody waits for that.
OF_SERVICES = ("SERVICE-RESTART-PROCEDURES", "PERFORMANCE-TROUBLESHOOTING", "DEPLOYMENT", "FULL-SYSTEM-RESTART")
OF_DATA = tuple(
    name
    for name in sorted(path.name.removesuffix(SUFFIX) for path in FOLDER.glob(f"*{SUFFIX}"))
    if name not in OF_SERVICES
)


def cases(names: tuple[str, ...]) -> list[tuple[Runbook, Case]]:
    """The cases of these runbooks, in this order."""
    found = []
    for name in names:
        tests, problems = load_test_file(FOLDER / f"{name}{SUFFIX}")
        assert tests is not None, problems
        runbook, wrong = check_tests(tests)
        assert not [*problems, *wrong], problems + wrong
        found += [(runbook, case) for case in tests.cases]
    return found


def as_parameters(names: tuple[str, ...]) -> list[ParameterSet]:
    """The same, as tests with names for people."""
    return [pytest.param(runbook, case, id=f"{runbook.id}: {case.title}") for runbook, case in cases(names)]


async def walk(runbook: Runbook, case: Case, shared: Path, request: pytest.FixtureRequest) -> None:
    """Run one case, on the demo if it asks for it; fails with everything that is not as expected."""
    stage = request.getfixturevalue("stage") if case.demo is not None else None
    files = shared / f"{runbook.id}-{case.scratch}" if case.scratch else None
    result = await run_case(runbook, case, stage, files)
    assert result.outcome is CaseOutcome.PASSED, "\n".join(result.complaints)
