"""From the command line to settings: which of file, options and variables counts."""

import argparse
from pathlib import Path

import pytest

from opsconsole.cli.main import build_parser
from opsconsole.cli.wiring import UsageError, pick_environment, resolve_settings, runbook_secrets
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import Environment
from opsconsole.core.problem import ContentError
from opsconsole.runbooks.parsing import parse_runbook

CONFIG = """\
version: 1
default_environment: one
environments:
  one: {prometheus: {url: "http://file:9090"}, postgres: {app: {dsn: "host=file"}, two: {dsn: "host=two"}}}
  two: {mode: read-only}
"""


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    for name in ("OPSCONSOLE_CONFIG", "PROMETHEUS_URL", "PGHOST", "PGSERVICE", "PGDATABASE", "PGHOSTADDR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "c.yaml").write_text(CONFIG)
    return str(tmp_path / "c.yaml")


def options(*arguments: str) -> argparse.Namespace:
    return build_parser().parse_args(arguments)


def seen(*arguments: str) -> tuple[str, str | None, dict[str, str]]:
    """(environment, Prometheus, databases) that the arguments lead to."""
    args = options(*arguments)
    environment = pick_environment(resolve_settings(args), args)
    prometheus = environment.prometheus.url if environment.prometheus else None
    return environment.name, prometheus, {name: one.dsn.reveal() for name, one in environment.postgres.items()}


def test_the_file_counts(config: str) -> None:
    assert seen("--config", config) == ("one", "http://file:9090", {"app": "host=file", "two": "host=two"})
    assert seen("--config", config, "--env", "two") == ("two", None, {})


def test_options_beside_a_file_take_the_place_of_what_it_says(config: str) -> None:
    assert seen("--config", config, "--prometheus", "http://option:1", "--postgres", "host=option") == (
        "one", "http://option:1", {"app": "host=option", "two": "host=two"},
    )  # fmt: skip
    assert seen("--config", config, "--env", "two", "--prometheus", "http://option:1")[:2] == ("two", "http://option:1")


def test_options_alone_mean_just_those(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen("--prometheus", "http://option:1") == ("default", "http://option:1", {})
    assert seen("--postgres", "host=option") == ("default", None, {"app": "host=option"})
    here = Path("config/opsconsole.yaml")
    here.parent.mkdir()
    here.write_text(CONFIG)
    assert seen("--prometheus", "http://option:1") == ("default", "http://option:1", {})
    assert seen()[1] == "http://file:9090"
    monkeypatch.setenv("OPSCONSOLE_CONFIG", config)
    assert seen("--prometheus", "http://option:1") == (
        "one", "http://option:1", {"app": "host=file", "two": "host=two"},
    )  # fmt: skip


def test_without_a_file_the_variables_count_beside_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_URL", "http://variable:1")
    assert seen() == ("default", "http://variable:1", {})
    assert seen("--postgres", "") == ("default", "http://variable:1", {"app": ""})
    assert seen("--prometheus", "http://option:1") == ("default", "http://option:1", {})


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ([], UsageError, "opsconsole demo"),
        (["--config", "nowhere.yaml"], ContentError, "nowhere.yaml:0:0: error: cannot be read: No such file"),
        (["--env", "x"], UsageError, "opsconsole init"),
        (["--prometheus", "prom"], ContentError, "--prometheus: does not start with http://"),
        (["--postgres", "x"], ContentError, "--postgres: neither a URL nor key=value text"),
    ],
)
def test_what_cannot_be_is_said(arguments: list[str], error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        seen(*arguments)
    assert said in str(caught.value)


def test_an_unknown_environment_names_the_nearest(config: str) -> None:
    with pytest.raises(UsageError, match="no environment 'onw'; did you mean 'one'"):
        seen("--config", config, "--env", "onw")


def test_a_runbooks_secrets_come_from_the_environment_first_then_from_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "own-value")
    monkeypatch.setenv("BOTH", "own-value")
    runbook = parse_runbook(b"---\nrunbook: 1\nid: x\nsecrets: [MINE, BOTH, NOWHERE]\n---\n# X\n", "x.md")
    environment = Environment("a", Path(), Path(), env={"BOTH": SecretRef.of("configured")})
    found = runbook_secrets(environment, runbook)
    assert {name: secret.reveal() for name, secret in found.items()} == {"MINE": "own-value", "BOTH": "configured"}
