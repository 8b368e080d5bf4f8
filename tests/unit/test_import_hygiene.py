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
try:
    code = main(sys.argv[1:])
except SystemExit as end:
    code = end.code
sys.stdout.flush()
print(json.dumps({"code": code, "modules": sorted({name.partition(".")[0] for name in sys.modules})}), file=sys.stderr)
"""


def loaded(state: Path, *arguments: str) -> tuple[int, set[str]]:
    """(exit code, top-level modules loaded) of `opsconsole ARGUMENTS`."""
    said = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        env={**os.environ, "OPSCONSOLE_STATE": str(state)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    report = json.loads(said.stderr.splitlines()[-1])
    return report["code"], set(report["modules"])


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    (tmp_path / "state").mkdir(mode=0o700)
    path = tmp_path / "opsconsole.yaml"
    path.write_text('version: 1\nenvironments: {a: {prometheus: {url: "http://127.0.0.1:9"}}}\n')
    return str(path)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["--no-such-option"]])
def test_help_loads_nothing_but_the_standard_library(tmp_path: Path, arguments: list[str]) -> None:
    _, modules = loaded(tmp_path, *arguments)
    assert not modules & (HEAVY | PARSER | {"asyncio", "sqlite3"})


@pytest.mark.parametrize("command", ["check", "init", "status", "runbook", "alert", "db", "pipeline", "audit", "demo"])
def test_a_commands_help_loads_neither_screen_nor_drivers(tmp_path: Path, command: str) -> None:
    code, modules = loaded(tmp_path, command, "--help")
    assert code == 0
    assert not modules & HEAVY


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
