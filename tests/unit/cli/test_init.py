"""`init`: what it finds, what it writes, and what it never writes."""

import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from opsconsole.cli import found as looking
from opsconsole.cli import init
from opsconsole.cli.found import Found, look, without_password
from opsconsole.cli.main import main
from opsconsole.config.loading import load_settings
from opsconsole.core.exit_codes import Exit

Say = pytest.CaptureFixture[str]


@contextmanager
def server(answers: Mapping[str, object]) -> Iterator[str]:
    """The URL of a server that answers with JSON; what it is not asked for is 404."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in answers else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answers.get(self.path)).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Silence."""

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}"
    finally:
        listening.shutdown()
        listening.server_close()


PROMETHEUS = {"/api/v1/status/buildinfo": {"status": "success", "data": {"version": "2.53.1"}}}
ALERTMANAGER = {"/api/v2/status": {"versionInfo": {"version": "0.27.0"}, "cluster": {}}}


@pytest.fixture(autouse=True)
def _nothing_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *looking._CONNINFO,
        "PGPASSWORD",
        "PGSERVICEFILE",
        "PROMETHEUS_URL",
        "ALERTMANAGER_URL",
        "OPSCONSOLE_CONFIG",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(looking, "ask_prometheus", lambda url: ("silent", False))
    monkeypatch.setattr(looking, "ask_alertmanager", lambda url: ("silent", False))


def test_where_nothing_is_found_the_file_is_still_valid(tmp_path: Path, capsys: Say) -> None:
    assert main(["init"]) == Exit.DONE
    path = tmp_path / "xdg" / "opsconsole" / "opsconsole.yaml"
    said = capsys.readouterr()
    assert said.out == f"{path}\n"
    assert "nothing was found" in said.err
    environment = load_settings(path).environment
    assert (environment.name, environment.prometheus, dict(environment.postgres)) == ("local", None, {})


def test_what_the_environment_says_is_written_without_its_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Say
) -> None:
    (tmp_path / "services.conf").write_text("# mine\n[airflow_meta]\nhost=x\npassword=hunter2\n\n[no good name]\n")
    for name, value in {
        "PROMETHEUS_URL": "http://bob:hunter2@prom:9090/p/", "PGHOST": "db", "PGUSER": "o'neil \\ co",
        "PGPASSWORD": "hunter2", "PGSERVICEFILE": str(tmp_path / "services.conf"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert main(["init", str(tmp_path)]) == Exit.DONE
    path = tmp_path / "opsconsole.yaml"
    said = capsys.readouterr()
    assert "hunter2" not in path.read_text() + said.out + said.err
    settings = load_settings(path)
    assert [one.code for one in settings.warnings] == ["plain-text-secret"]  # it was http before, too
    environment = settings.environment
    assert environment.prometheus is not None
    assert (environment.prometheus.url, environment.prometheus.username) == ("http://prom:9090/p", "bob")
    assert environment.prometheus.password is not None
    assert environment.prometheus.password.env == "PROMETHEUS_PASSWORD"
    assert {name: database.dsn.reveal() for name, database in environment.postgres.items()} == {
        "app": r"host=db user='o\'neil \\ co'",
        "airflow_meta": "service=airflow_meta",
    }
    assert "set PROMETHEUS_PASSWORD" in said.err
    assert "PGPASSWORD is not written down" in said.err


def test_the_command_line_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_URL", "http://other:1")
    monkeypatch.setenv("PGHOST", "other")
    target = tmp_path / "c.yaml"
    arguments = [
        "--prometheus",
        "http://this:9090",
        "--postgres",
        "postgresql://u:hunter2@h/db?password=x&sslmode=require",
    ]
    assert main(["init", str(target), *arguments]) == Exit.DONE
    environment = load_settings(target).environment
    assert environment.prometheus is not None
    assert environment.prometheus.url == "http://this:9090"
    assert environment.postgres["app"].dsn.reveal() == "postgresql://u@h/db?sslmode=require"


def test_a_file_that_is_there_is_kept_unless_forced(tmp_path: Path, capsys: Say) -> None:
    target = tmp_path / "c.yaml"
    target.write_text("mine")
    assert main(["init", str(target)]) == Exit.USAGE
    assert "exists; overwrite it with --force" in capsys.readouterr().err
    assert target.read_text() == "mine"
    assert main(["init", str(target), "--force", "--format", "json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out) == {
        "file": str(target), "prometheus": None, "alertmanager": None, "postgres": [],
    }  # fmt: skip
    assert target.read_text().startswith("# The configuration")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("arguments", [["--prometheus", "prom:9090"], ["--postgres", "nonsense"]])
def test_what_is_no_address_is_refused_and_nothing_is_written(
    tmp_path: Path, arguments: list[str], capsys: Say
) -> None:
    assert main(["init", str(tmp_path / "c.yaml"), *arguments]) == Exit.USAGE
    assert arguments[0] in capsys.readouterr().err
    assert not (tmp_path / "c.yaml").exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, capsys: Say) -> None:
    (tmp_path / "file").write_text("")
    assert main(["init", str(tmp_path / "file" / "c.yaml")]) == Exit.USAGE
    assert "cannot be written" in capsys.readouterr().err


def test_the_products_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with server(PROMETHEUS) as prometheus, server(ALERTMANAGER) as alertmanager:
        assert looking.ask_prometheus(prometheus) == ("Prometheus 2.53.1", True)
        assert looking.ask_alertmanager(alertmanager) == ("Alertmanager 0.27.0", True)
        assert looking.ask_prometheus(alertmanager) == ("answers 404", False)
        assert looking.ask_alertmanager(prometheus) == ("answers 404", False)
    said, right = looking.ask_prometheus(prometheus)
    assert (said, right) == ("does not answer: Connection refused", False)


@pytest.mark.parametrize(
    ("dsn", "bare"),
    [
        ("postgresql://u:p%40@h:1/d", "postgresql://u@h:1/d"),
        ("postgresql://h/d?user=u&password=p", "postgresql://h/d?user=u"),
        ("host=h password='x y' dbname='a b'", "host=h dbname='a b'"),
        ("service=x", "service=x"),
    ],
)
def test_passwords_are_taken_out_of_connection_strings(dsn: str, bare: str) -> None:
    assert without_password(dsn) == bare


def test_usual_ports_count_only_where_the_product_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "ask_alertmanager", lambda url: ("Alertmanager 0.27.0", True))
    found = look({}, home=tmp_path)
    assert found.prometheus is None
    assert found.alertmanager is not None
    assert found.alertmanager.url == "http://127.0.0.1:9093"


def test_any_text_is_quoted_so_that_it_reads_back() -> None:
    text = init.configuration(Found(postgres={"app": "host=/tmp/ü: \"x\" #no options='-c a\\\\b'"}))
    assert 'app: {dsn: "host=/tmp/ü: \\"x\\" #no options=' in text
