"""Every case of every shipped runbook's own test file, on the real platform."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.core.content import shipped_content
from opsconsole.demo.stage import DemoStage
from opsconsole.runbooks.model import Runbook
from opsconsole.runbooks.testfile import SUFFIX, Case, RunbookTests, load_test_file
from opsconsole.runbooks.testing import CaseOutcome, check_tests, run_case
from tests.platform import DemoPlatform, quickened

FOLDER = shipped_content() / "runbooks"
# What these slow down, break or restart shows in the alerts for a minute: last, so that nobody waits for that.
LAST = ("PERFORMANCE-TROUBLESHOOTING", "DEPLOYMENT", "FULL-SYSTEM-RESTART")


def loaded() -> list[tuple[RunbookTests, Runbook, Case]]:
    found = []
    places = {f"{name}{SUFFIX}": at for at, name in enumerate(LAST)}
    for path in sorted(FOLDER.glob(f"*{SUFFIX}"), key=lambda one: (places.get(one.name, -1), one.name)):
        tests, problems = load_test_file(path)
        assert tests is not None, problems
        runbook, wrong = check_tests(tests)
        assert not [*problems, *wrong], problems + wrong
        found += [(tests, runbook, case) for case in tests.cases]
    return found


CASES = loaded()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where cases share their files."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def stage(demo_platform: DemoPlatform) -> Iterator[DemoStage]:
    """The demo, which sees and alerts sooner than usual."""
    with quickened(demo_platform):
        yield DemoStage(demo_platform.running)


@pytest.mark.parametrize(
    ("runbook", "case"),
    [pytest.param(runbook, case, id=f"{runbook.id}: {case.title}") for _, runbook, case in CASES],
)
async def test_case(runbook: Runbook, case: Case, shared: Path, request: pytest.FixtureRequest) -> None:
    stage = None
    if case.demo is not None:
        stage = request.getfixturevalue("stage")
    files = shared / f"{runbook.id}-{case.scratch}" if case.scratch else None
    result = await run_case(runbook, case, stage, files)
    assert result.outcome is CaseOutcome.PASSED, "\n".join(result.complaints)


def test_no_step_that_changes_something_is_left_untried() -> None:
    """Each is really run, and verified, by a case with the demo. Those it has nothing for are listed here."""
    tried: dict[str, set[str]] = {}
    changing: dict[str, set[str]] = {}
    for _, runbook, case in CASES:
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
