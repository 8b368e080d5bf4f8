"""The shipped runbooks about services (restarts, performance, deployments), on the real platform."""

from pathlib import Path

import pytest

from opsconsole.runbooks.model import Runbook
from opsconsole.runbooks.testfile import Case
from tests.integration.runbooks.library import OF_SERVICES, as_parameters, walk


@pytest.mark.parametrize(("runbook", "case"), as_parameters(OF_SERVICES))
async def test_case(runbook: Runbook, case: Case, shared: Path, request: pytest.FixtureRequest) -> None:
    await walk(runbook, case, shared, request)
