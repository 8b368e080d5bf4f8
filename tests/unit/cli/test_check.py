"""`check --offline`: every file that a configuration leads to, and whether they fit each other."""

# ruff: noqa: E501  messages stand here as they are printed, on one line

import json
import re
from pathlib import Path

import pytest

from opsconsole.cli.main import main
from opsconsole.config.document import parse_document
from opsconsole.config.format import CONFIGURATION
from opsconsole.config.schema import check
from opsconsole.config.services import SERVICES
from opsconsole.core.content import shipped_content
from opsconsole.core.exit_codes import Exit

Say = pytest.CaptureFixture[str]

CONFIG = """\
version: 1
environments:
  a:
    prometheus: {url: "http://127.0.0.1:9"}
    postgres: {app: {dsn: ""}}
    services: services.yaml
    screens: screens
    runbooks: runbooks
"""
SCREEN = """\
screen: 1
id: one
title: One
panes:
  - {id: up, title: Up, kind: stat, source: prometheus, query: up, runbook: fix-it}
  - {id: rows, title: Rows, kind: stat, source: postgres/app, query: select 1}
"""
RUNBOOK = """\
---
runbook: 1
id: fix-it
title: Fix it
owner: ops
severity: [P1]
---
## Look
```sh {"name":"look","risk":"read","timeout":"5s"}
true
```
"""
SERVICES_FILE = "version: 1\nservices:\n  api: {runbook: fix-it}\n"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with content in which nothing is wrong."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    for name in ("OPSCONSOLE_CONFIG", "PROMETHEUS_URL", "PGHOST", "PGSERVICE", "PGDATABASE", "PGHOSTADDR"):
        monkeypatch.delenv(name, raising=False)
    for path, text in {
        "config/opsconsole.yaml": CONFIG, "config/services.yaml": SERVICES_FILE,
        "config/screens/one.yaml": SCREEN, "config/runbooks/FIX-IT.md": RUNBOOK,
    }.items():  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path / "config"


def lines(capsys: Say, house: Path) -> list[str]:
    return capsys.readouterr().out.replace(f"{house}/", "").splitlines()


def test_where_nothing_is_wrong_nothing_is_said_on_stdout(house: Path, capsys: Say) -> None:
    assert main(["check", "--offline"]) == Exit.DONE
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "4 files: 0 errors, 0 warnings\n")


def test_json_lists_the_files_and_no_sources_when_offline(house: Path, capsys: Say) -> None:
    assert main(["check", "--offline", "--format", "json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out) == {
        "files": [
            "config/opsconsole.yaml",
            *(f"{house}/{name}" for name in ("services.yaml", "screens/one.yaml", "runbooks/FIX-IT.md")),
        ],
        "problems": [],
    }


def test_errors_in_all_files_are_told_at_once(house: Path, capsys: Say) -> None:
    (house / "services.yaml").write_text("version: 1\nservices:\n  api: {restrat: [x]}\n")
    (house / "screens" / "one.yaml").write_text(SCREEN.replace("kind: stat", "kind: start"))
    (house / "runbooks" / "FIX-IT.md").write_text(RUNBOOK.replace('"risk":"read"', '"risk":"raed"'))
    assert main(["check", "--offline"]) == Exit.USAGE
    said = lines(capsys, house)
    assert "services.yaml:3:9: error: unknown key 'restrat'; did you mean 'restart'? [unknown-key]" in said
    for file in ("services.yaml", "screens/one.yaml", "runbooks/FIX-IT.md"):
        assert any(re.match(rf"{file}:\d+:\d+: error: ", line) for line in said), file


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("services.yaml", "fix-it", "fix-if", "services.yaml:3:18: warning: no runbook 'fix-if' in environment a; did you mean 'fix-it'? [unknown-name]"),
        ("screens/one.yaml", "runbook: fix-it", "runbook: nope", "screens/one.yaml:5:1: warning: no runbook 'nope' in environment a [unknown-name]"),
        ("screens/one.yaml", "source: prometheus", "source: prometheus/eu", "screens/one.yaml:5:45: warning: no source 'prometheus/eu' in environment a; did you mean 'prometheus'? [unknown-name]"),
        ("screens/one.yaml", "postgres/app", "postgres/ap", "screens/one.yaml:6:49: warning: no source 'postgres/ap' in environment a; did you mean 'postgres/app'? [unknown-name]"),
    ],
)  # fmt: skip
def test_names_that_lead_nowhere_are_warnings(
    house: Path, capsys: Say, file: str, old: str, new: str, expected: str
) -> None:
    (house / file).write_text((house / file).read_text().replace(old, new))
    assert main(["check", "--offline"]) == Exit.DONE
    assert expected in lines(capsys, house)


def test_sources_of_variables_and_of_lines_of_the_overview_are_looked_for(house: Path, capsys: Say) -> None:
    (house / "screens" / "one.yaml").write_text(
        """\
screen: 1
id: one
title: One
variables:
  job: {query: "label_values(up, job)", source: prometheus/eu}
  fixed: {values: [a], source: prometheus/us}
panes:
  - id: areas
    title: Areas
    kind: view
    view: overview.areas
    options:
      areas:
        - id: api
          now:
            - {query: up, source: postgres/no, text: "{value}"}
            - {query: up}
          day_ago: {query: up, source: prometheus/nn, text: "{value}"}
          trend: {query: up}
"""
    )
    known = CONFIG.replace("prometheus:", "prometheuses: {na: {url: http://na}}\n    #")
    (house / "opsconsole.yaml").write_text(known)
    assert main(["check", "--offline"]) == Exit.DONE
    end = "in environment a"
    assert [one.removesuffix(" [unknown-name]") for one in lines(capsys, house)] == [
        f"screens/one.yaml:5:49: warning: no source 'prometheus/eu' {end}; did you mean 'prometheus/na'?",
        f"screens/one.yaml:8:5: warning: no source 'prometheus' {end}; did you mean 'prometheus/na'?",
        f"screens/one.yaml:16:35: warning: no source 'postgres/no' {end}; did you mean 'postgres/app'?",
        f"screens/one.yaml:18:40: warning: no source 'prometheus/nn' {end}; did you mean 'prometheus/na'?",
    ]


def test_what_is_missing_is_an_error(house: Path, capsys: Say) -> None:
    (house / "services.yaml").unlink()
    (house / "opsconsole.yaml").write_text(CONFIG.replace("screens: screens", "screens: scrines\n    slas: slas.yaml"))
    assert main(["check", "--offline"]) == Exit.USAGE
    assert lines(capsys, house) == [
        "scrines: error: is no folder; expected the folder with screens [unreadable]",
        "services.yaml: error: cannot be read: No such file or directory [unreadable]",
        "slas.yaml: error: cannot be read: No such file or directory [unreadable]",
    ]


def test_a_configuration_that_is_wrong_is_reported_as_json_too(house: Path, capsys: Say) -> None:
    (house / "opsconsole.yaml").write_text(CONFIG.replace("prometheus:", "promethues:"))
    assert main(["check", "--format", "json"]) == Exit.USAGE
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == ["config/opsconsole.yaml"]
    assert said["problems"] == [
        {
            "file": "config/opsconsole.yaml", "line": 4, "column": 5, "severity": "error", "code": "unknown-key",
            "message": "unknown key 'promethues'; did you mean 'prometheus'?",
        }
    ]  # fmt: skip


def test_an_environment_that_is_not_there(house: Path, capsys: Say) -> None:
    assert main(["check", "--offline", "--env", "b"]) == Exit.USAGE
    assert "no environment 'b'" in capsys.readouterr().err


def test_all_shipped_content_is_valid(house: Path, capsys: Say) -> None:
    config = shipped_content() / "config" / "opsconsole.yaml"
    assert main(["check", "--offline", "--config", str(config)]) == Exit.DONE
    # From the day on that a review is overdue that is said, and is no fault of the content.
    assert [one for one in capsys.readouterr().out.splitlines() if not one.endswith("[review-overdue]")] == []


def test_the_examples_in_the_documentation_are_valid() -> None:
    text = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 2
    assert check(parse_document(examples[0], "docs"), CONFIGURATION)[1] == []
    service = examples[1].replace("depends_on: [postgres, keycloak]", "depends_on: []")
    assert check(parse_document(service, "docs"), SERVICES)[1] == []


def test_alerts_and_who_is_told_are_looked_at_together(house: Path, capsys: Say) -> None:
    (house / "c.yaml").write_text(CONFIG + "    alerts: alerts.yaml\n    escalation: escalation.yaml\n")
    (house / "alerts.yaml").write_text(
        "version: 1\ngroups:\n  g:\n    alerts:\n"
        "      Down: {severity: critical, expr: up > 1, for: 1m, summary: x, runbook: fix-t, always: true}\n"
    )
    (house / "escalation.yaml").write_text("version: 1\nreceivers: {nobody: []}\notherwise: nobody\n")
    assert main(["check", "--offline", "--format", "json", "--config", str(house / "c.yaml")]) == Exit.DONE
    found = json.loads(capsys.readouterr().out)
    assert {"alerts.yaml", "escalation.yaml"} <= {Path(one).name for one in found["files"]}
    assert [(one["line"], one["column"], one["code"]) for one in found["problems"]] == [
        (5, 7, "unheard"),
        (5, 40, "never-fires"),
        (5, 78, "unknown-name"),
    ]
