"""The front door: exit codes, what is said when something goes wrong, and what never is."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from opsconsole import __version__
from opsconsole.cli import main as front
from opsconsole.config.secrets import SecretError, SecretRef
from opsconsole.core.exit_codes import Exit
from opsconsole.core.problem import ContentError, Problem
from opsconsole.core.reading import SourceError
from opsconsole.store.journal import JournalError

Say = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    for name in ("OPSCONSOLE_CONFIG", "PROMETHEUS_URL", "PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def opsconsole(*arguments: str, stdout: int = subprocess.PIPE, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "opsconsole.cli.main", *arguments],
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    """The exit code when the command raises `error`."""

    def run(_args: object) -> int:
        raise error

    command = SimpleNamespace(__doc__="Fails.", add_arguments=lambda parser: None, run=run)
    monkeypatch.setitem(sys.modules, "opsconsole.cli.check", command)
    return front.main(["check"])


def test_the_help_names_every_command_and_the_version(capsys: Say) -> None:
    with pytest.raises(SystemExit) as caught:
        front.main(["--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    assert all(f"\n    {command} " in said for command in front.COMMANDS)
    with pytest.raises(SystemExit):
        front.main(["--version"])
    assert capsys.readouterr().out == f"opsconsole {__version__}\n"


@pytest.mark.parametrize("command", list(front.COMMANDS))
def test_every_command_has_a_help_with_an_example(command: str, capsys: Say) -> None:
    with pytest.raises(SystemExit) as caught:
        front.main([command, "--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    assert "example" in said
    assert f"opsconsole {command}" in said.partition("example")[2]


@pytest.mark.parametrize("arguments", [["--no-such"], ["chekc"], ["check", "--format", "xml"], ["check", "extra"]])
def test_wrong_usage_is_two_lines_and_code_2(arguments: list[str], capsys: Say) -> None:
    with pytest.raises(SystemExit) as caught:
        front.main(arguments)
    assert caught.value.code == Exit.USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 2
    assert said.err.splitlines()[1].startswith("Try: opsconsole")


def test_an_argument_cannot_send_an_escape_to_the_terminal(capsys: Say) -> None:
    with pytest.raises(SystemExit):
        front.main(["\x1b]0;title\x07"])
    assert "\x1b" not in capsys.readouterr().err


def test_options_can_stand_before_and_after_the_command() -> None:
    parser = front.build_parser()
    before = parser.parse_args(["--config", "a", "--read-only", "check"])
    after = front.build_parser().parse_args(["check", "--config", "b", "--env", "e"])
    assert (before.config, before.read_only, before.env, before.module) == ("a", True, None, "opsconsole.cli.check")
    assert (after.config, after.read_only, after.env) == ("b", False, "e")
    assert front.build_parser().parse_args(["--screen", "x"]).module == "opsconsole.cli.console"


def test_where_nothing_is_configured_it_says_how_to_start(capsys: Say) -> None:
    assert front.main([]) == Exit.USAGE
    said = capsys.readouterr().err
    assert "opsconsole demo" in said
    assert "opsconsole init" in said
    assert "--prometheus" in said


def test_the_console_needs_a_terminal(capsys: Say) -> None:
    assert front.main(["--prometheus", "http://127.0.0.1:9"]) == Exit.USAGE
    assert "needs a terminal" in capsys.readouterr().err


def test_every_problem_of_content_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: Say) -> None:
    problems = [Problem("b.yaml", 2, 3, "error", "x", "wrong\x1b[2J"), Problem("a.yaml", 0, 0, "error", "y", "missing")]
    assert failing(monkeypatch, ContentError(problems)) == Exit.USAGE
    assert capsys.readouterr().err == "a.yaml: error: missing [y]\nb.yaml:2:3: error: wrong␛[2J [x]\n"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (SourceError("prometheus", "timeout", "no answer"), 1, "opsconsole: prometheus: no answer\n"),
        (SecretError("environment variable X is not set"), 1, "opsconsole: environment variable X is not set\n"),
        (
            JournalError("full", "the journal is full", hint="make room"),
            1,
            "opsconsole: the journal is full (make room)\n",
        ),
        (PermissionError(13, "Permission denied", "/x"), 1, "opsconsole: [Errno 13] Permission denied: '/x'\n"),
        (OSError(28, "No space left on device"), 1, "opsconsole: [Errno 28] No space left on device\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_what_is_expected_to_go_wrong_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Say, error: BaseException, code: int, said: str
) -> None:
    monkeypatch.setattr(os, "dup2", lambda *_: None)
    assert failing(monkeypatch, error) == code
    assert capsys.readouterr().err == said


def test_a_crash_is_short_logged_and_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: Say, tmp_path: Path
) -> None:
    SecretRef.of("hunter2-is-secret").resolve()
    password = "a-local-variable"  # noqa: F841 - what a traceback with locals would show
    assert failing(monkeypatch, ZeroDivisionError("with hunter2-is-secret")) == Exit.FAILED
    said = capsys.readouterr().err
    (log,) = (tmp_path / "state" / "logs").glob("crash-*.log")
    assert len(said.splitlines()) == 2
    assert "ZeroDivisionError: with ***" in said
    assert str(log) in said
    written = log.read_text()
    assert "in run" in written
    assert "hunter2" not in written
    assert "= 'a-local-variable'" not in written
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_reader_that_leaves_early_causes_no_noise(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("".join(f"key{n}: 1\n" for n in range(500)))
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = opsconsole("check", "--offline", "--config", "c.yaml", "--format", "json", stdout=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_full_disk_is_said_and_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("version: 1\nenvironments: {a: {}}\n")
    with open("/dev/full", "w") as full:
        done = opsconsole("check", "--offline", "--config", "c.yaml", "--format", "json", stdout=full.fileno())
    assert done.returncode == Exit.FAILED
    assert "No space left" in done.stderr


def test_output_survives_a_terminal_that_knows_only_ascii(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("größe: 1\n")
    done = opsconsole("check", "--offline", "--config", "c.yaml", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == Exit.USAGE
    assert "gr\\xf6\\xdfe" in done.stdout


def test_a_closed_stdout_is_no_crash(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -m opsconsole.cli.main --version >&- 2>&-', sys.executable], timeout=60, check=False
    )
    assert done.returncode in (0, 1)
