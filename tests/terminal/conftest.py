"""The console on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.servers import frozen_prometheus
from bench.terminal import Terminal
from tests.faults import FaultServer
from tests.terminal.seat import answer

CONSOLE = (sys.executable, "-m", "opsconsole.cli.main")
Open = Callable[..., Terminal]
Terminal.patience = 4.0  # that it comes is tested here; how fast it comes, in bench/


@pytest.fixture
def open_console(tmp_path: Path) -> Iterator[Open]:
    """Opens the console with the arguments given; closes it when the test is over."""
    with ExitStack() as stack:

        def open_it(*arguments: str, columns: int = 120, lines: int = 40, **env: str) -> Terminal:
            environment = {"OPSCONSOLE_STATE": str(tmp_path / "state"), **env}
            return stack.enter_context(Terminal((*CONSOLE, *arguments), columns=columns, lines=lines, env=environment))

        yield open_it


@pytest.fixture
def still_prometheus() -> Iterator[str]:
    """The URL of a Prometheus whose values stand still."""
    with frozen_prometheus() as url:
        yield url


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    """A Prometheus of thirty jobs, each with its number at every moment."""
    with FaultServer(answer=answer) as running:
        yield running
