"""What a headless command loads: never the screen, and no driver that it does not use.

The import contracts say who may import what; this looks at what really is in `sys.modules`, in a process of its own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "textual",
    "rich",
    "psycopg",
    "httpx",
    "requests",
    "prometheus_api_client",
    "redis",
    "pandas",
    "numpy",
    "pglast",
}
PARSER = {"markdown_it", "yaml"}

_PROGRAM = """
import json, sys
from opsconsole.cli.main import main
reports = []
for arguments in json.loads(sys.argv[1]):
    try:
        code = main(arguments)
    except SystemExit as end:
        code = end.code
    reports.append({"code": code, "modules": sorted({name.partition(".")[0] for name in sys.modules})})
sys.stdout.flush()
print(json.dumps(reports), file=sys.stderr)
"""


def loaded(state: Path, *arguments: str) -> tuple[int, set[str]]:
    """(exit code, top-level modules loaded) of `opsconsole ARGUMENTS`."""
    (report,) = loaded_in_turn(state, [list(arguments)])
    return report


def loaded_in_turn(state: Path, commands: list[list[str]]) -> list[tuple[int, set[str]]]:
    """The same of several, one after the other in one process: each has loaded what those before it have, too."""
    said = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps(commands)],
        env={**os.environ, "OPSCONSOLE_STATE": str(state)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    reports = json.loads(said.stderr.splitlines()[-1])
    return [(report["code"], set(report["modules"])) for report in reports]


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    (tmp_path / "state").mkdir(mode=0o700)
    path = tmp_path / "opsconsole.yaml"
    path.write_text('version: 1\nenvironments: {a: {prometheus: {url: "http://127.0.0.1:9"}}}\n')
    return str(path)


def test_help_loads_nothing_but_the_standard_library(tmp_path: Path) -> None:
    for _, modules in loaded_in_turn(tmp_path, [["--help"], ["--version"], ["--no-such-option"]]):
        assert not modules & (HEAVY | PARSER | {"asyncio", "sqlite3"})


def test_a_commands_help_loads_neither_screen_nor_drivers(tmp_path: Path) -> None:
    commands = ["check", "init", "status", "runbook", "alert", "db", "pipeline", "audit", "demo"]
    reports = loaded_in_turn(tmp_path, [[command, "--help"] for command in commands])
    for command, (code, modules) in zip(commands, reports, strict=True):
        assert (command, code, modules & HEAVY) == (command, 0, set())


def test_checking_files_loads_neither_screen_nor_drivers(tmp_path: Path, configuration: str) -> None:
    code, modules = loaded(tmp_path / "state", "check", "--offline", "--config", configuration)
    assert code == 0
    assert not modules & HEAVY


def test_reading_the_journal_loads_neither_screen_nor_drivers_nor_the_runbook_parser(
    tmp_path: Path, configuration: str
) -> None:
    code, modules = loaded(tmp_path / "state", "audit", "list", "--config", configuration)
    assert code == 0
    assert not modules & (HEAVY | {"markdown_it"})


def test_listing_runbooks_loads_neither_screen_nor_drivers(tmp_path: Path, configuration: str) -> None:
    code, modules = loaded(tmp_path / "state", "runbook", "list", "--config", configuration)
    assert code == 0
    assert not modules & HEAVY
