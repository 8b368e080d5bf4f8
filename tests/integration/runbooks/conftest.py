"""The stage on which shipped runbooks are walked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.demo.stage import DemoStage
from tests.platform import DemoPlatform, quickened


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where cases share their files."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def stage(demo_platform: DemoPlatform) -> Iterator[DemoStage]:
    """The demo, which sees and alerts sooner than usual."""
    with quickened(demo_platform):
        yield DemoStage(demo_platform.running)
