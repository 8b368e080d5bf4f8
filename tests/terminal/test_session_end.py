"""However the session ends, the program is gone within two seconds and leaves the terminal as it was."""

import os
import signal
import sys
import time

import pytest

from bench.servers import hanging_server
from bench.terminal import Terminal
from tests.terminal.conftest import Open

LIVE = r"Services +\d +[^ ]+ [A-Z]+"
GONE_WITHIN = 2.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_restores_the_terminal(
    open_console: Open, still_prometheus: str, number: signal.Signals
) -> None:
    terminal = open_console("--prometheus", still_prometheus)
    terminal.wait_for(LIVE)
    terminal.signal(number)
    assert terminal.wait_exit(GONE_WITHIN) == 128 + number
    assert terminal.modes_left_on() == []


def test_q_ends_it_and_restores_the_terminal(open_console: Open, still_prometheus: str) -> None:
    terminal = open_console("--prometheus", still_prometheus)
    terminal.wait_for(LIVE)
    terminal.press("q")
    assert terminal.wait_exit(GONE_WITHIN) == 0
    assert terminal.modes_left_on() == []


def test_a_closed_terminal_ends_it(open_console: Open, still_prometheus: str) -> None:
    terminal = open_console("--prometheus", still_prometheus)
    terminal.wait_for(LIVE)
    terminal.hang_up()
    assert terminal.wait_exit(GONE_WITHIN) in {128 + signal.SIGHUP, 128 + signal.SIGTERM}


def test_a_hanging_source_does_not_hold_it_back(open_console: Open) -> None:
    with hanging_server() as port:
        terminal = open_console("--prometheus", f"http://127.0.0.1:{port}")
        terminal.wait_for("Overview")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait_exit(GONE_WITHIN) == 128 + signal.SIGTERM


def test_a_signal_before_the_first_paint_ends_it_too(open_console: Open, still_prometheus: str) -> None:
    terminal = open_console("--prometheus", still_prometheus)
    time.sleep(0.05)  # some moment of start-up; any will do
    terminal.signal(signal.SIGTERM)
    assert terminal.wait_exit(GONE_WITHIN) == 128 + signal.SIGTERM
    assert terminal.modes_left_on() == []


def test_end_of_input_ends_it_without_a_busy_loop(still_prometheus: str, tmp_path: os.PathLike[str]) -> None:
    """Its stdin reaches the end while the terminal lives on, as behind a wrapper whose connection dropped."""
    script = (
        "import os, pty, subprocess, sys\n"
        "reader, writer = os.pipe()\n"
        "child = subprocess.Popen(sys.argv[1:], stdin=reader)\n"
        "os.close(reader)\n"
        "sys.stdin.readline()\n"  # the test says when
        "os.close(writer)\n"
        "sys.exit(child.wait())\n"
    )
    console = (sys.executable, "-m", "opsconsole.cli.main", "--prometheus", still_prometheus)
    environment = {"OPSCONSOLE_STATE": f"{tmp_path}/state"}
    with Terminal((sys.executable, "-c", script, *console), env=environment) as terminal:
        terminal.settle(1.0, 3.0)
        terminal.press("enter")
        begin = time.monotonic()
        terminal.wait_exit(GONE_WITHIN + 0.5)
        assert terminal.usage().cpu < time.monotonic() - begin + 1.0
