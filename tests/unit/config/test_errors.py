"""`errors.yaml`: what it lets through, and in what words and where it refuses."""

from pathlib import Path

import pytest

from opsconsole.config.document import parse_document
from opsconsole.config.errors import ErrorsSettings, LogFormat, load_errors, read_errors, unknown_names
from opsconsole.config.settings import Environment, PostgresSettings, PrometheusSettings

WHOLE = r"""
version: 1
metrics:
  - {name: http, query: "increase(errors_total[$step])", service: app, runbook: restart}
files:
  - {name: api, paths: "logs/*.log", format: json, fields: {message: msg}, levels: [ERROR, Oops], encoding: latin-1}
  - {name: old, paths: [/a, /b], pattern: '(?P<time>\S+) (?P<message>.*)', zone: Europe/Berlin}
loki:
  - {name: all, query: '{app=~".+"}', service: [pod, app]}
postgres: {databases: [app], log: false}
airflow: {enabled: false}
"""


def read(text: str) -> tuple[ErrorsSettings, list[str]]:
    settings, problems = read_errors(parse_document(text, "errors.yaml"), Path("/etc/ops/errors.yaml"))
    return settings, [str(one) for one in problems]


def test_everything_that_can_be_said() -> None:
    settings, problems = read(WHOLE)
    assert problems == []
    api, old = settings.files
    assert (api.paths, api.encoding, api.folder) == (("logs/*.log",), "iso8859-1", Path("/etc/ops"))
    assert (api.written.format, api.written.levels, api.written.fields) == (
        "json",
        ("error", "oops"),
        {"message": "msg"},
    )
    assert (old.written.format, old.written.zone) == ("regex", "Europe/Berlin")
    assert settings.loki[0].service == ("pod", "app")
    assert settings.postgres is not None
    assert (settings.postgres.databases, settings.postgres.log) == (("app",), False)
    assert not settings.airflow
    assert settings.runbook_of("metrics/http") == "restart"
    assert settings.runbook_of("logs/api") == settings.runbook_of("airflow") == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("metrics: [{name: a, query: 'rate(x[5m])'}]", "errors.yaml:2:28: error: query: no [$step] in it"),
        (
            "files: [{name: a, paths: /x, patern: y}]",
            "errors.yaml:2:30: error: unknown key 'patern'; did you mean 'pattern'?",
        ),
        ("files: [{name: a, paths: /x, pattern: '(', format: regex}]", "errors.yaml:2:39: error: pattern: missing )"),
        ("files: [{name: a, paths: /x, pattern: 'x'}]", "errors.yaml:2:39: error: pattern: no group 'message'"),
        ("files: [{name: a, paths: /x, format: regex}]", "format regex without pattern"),
        ("files: [{name: a, paths: /x, format: json, pattern: '(?P<message>.)'}]", "only format regex has one"),
        ("files: [{name: a, paths: /x, encoding: utf-99}]", "errors.yaml:2:40: error: encoding: 'utf-99' is none"),
        ("files: [{name: a, paths: /x, zone: Mars}]", "zone: 'Mars' is none"),
        ("loki: [{name: a, query: x}, {name: a, query: y}]", "name: 'a' a second time"),
        ("files: [{name: a}]", "key 'paths' is missing"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    _, problems = read(f"version: 1\n{text}\n")
    assert len(problems) == 1
    assert said in problems[0]


def test_an_entry_that_is_wrong_is_left_out_and_the_rest_stays() -> None:
    settings, problems = read("version: 1\nfiles: [{name: a}, {name: b, paths: /x}]\n")
    assert [one.name for one in settings.files] == ["b"]
    assert len(problems) == 1


def test_nothing_said_is_airflow_and_every_database() -> None:
    settings, _ = read("version: 1\n")
    assert (settings.metrics, settings.files, settings.airflow) == ((), (), True)
    assert settings.postgres is not None
    assert read("version: 1\npostgres: {enabled: false}\n")[0].postgres is None


def test_names_that_lead_nowhere_are_warnings_with_their_line() -> None:
    settings, _ = read(WHOLE)
    eu = {"eu": PrometheusSettings("http://eu:9090")}
    has = Environment("e", Path(), Path(), prometheuses=eu, postgres={"apps": PostgresSettings("apps")})
    found = [str(one) for one in unknown_names(settings, has, {"restarts"})]
    assert found[0].startswith("/etc/ops/errors.yaml:4:1: warning: no runbook 'restart'; did you mean 'restarts'?")
    assert "no database 'app' under postgres; did you mean 'apps'?" in found[1]
    assert len(found) == 2
    away = "version: 1\nmetrics: [{name: x, query: 'a[$step]', source: prometheus/%s}]\n"
    assert unknown_names(read(away % "eu")[0], has, set()) == []
    (one,) = unknown_names(read(away % "us")[0], has, set())
    assert str(one).startswith("/etc/ops/errors.yaml:2:1: warning: x: no source 'prometheus/us'")


def test_the_shipped_file_is_valid() -> None:
    settings, problems = load_errors(Path("config/errors.yaml"))
    assert (problems, len(settings.metrics), settings.files) == ([], 1, ())
    assert LogFormat().levels[0] == "error"
