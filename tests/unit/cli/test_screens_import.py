"""opsconsole screens import: the file, the report, the exit codes; over HTTP from a server that is really there."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from opsconsole.cli.main import main
from opsconsole.monitoring.grafana.fetching import dashboard_address
from tests.unit.monitoring.dashboards import classic, panel

LIBRARY = {"libraryPanel": {"uid": "lib", "name": "Shared"}, "title": "Shared"}


class _Grafana(BaseHTTPRequestHandler):
    """The parts of Grafana's HTTP API that an import asks."""

    def do_GET(self) -> None:
        pages: dict[str, object] = {
            "/api/dashboards/uid/abc": {"dashboard": classic(panel(), LIBRARY), "meta": {}},
            "/api/library-elements/lib": {"result": {"model": panel("gauge", "load")}},
        }
        allowed = self.headers["Authorization"] == "Bearer s3cret"
        page = pages.get(self.path)
        self.send_response(401 if not allowed else 200 if page else 404)
        self.end_headers()
        self.wfile.write(json.dumps(page).encode())

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def grafana() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Grafana)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def saved(tmp_path: Path, *panels: dict[str, object]) -> str:
    """A dashboard's file."""
    path = tmp_path / "dashboard.json"
    path.write_text(json.dumps(classic(*panels)))
    return str(path)


def test_a_screen_is_written_once_and_overwritten_only_by_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, to = saved(tmp_path, panel(), panel("logs")), tmp_path / "house.yaml"
    command = ["screens", "import", source, "--to", str(to)]
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert "log lines are not shown" in out
    assert "2 panels: 1 in full, 1 lost" in err
    first = to.read_text()
    assert "id: house" in first
    assert main(command) == 2
    assert to.read_text() == first
    assert main([*command, "--force"]) == 0
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_strict_writes_nothing_that_says_less(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, to = saved(tmp_path, panel(), panel("logs")), tmp_path / "house.yaml"
    assert main(["screens", "import", source, "--to", str(to), "--strict", "--format", "json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["file"], said["panels"]) == (None, {"full": 1, "close": 0, "partial": 0, "lost": 1})
    assert not to.exists()


def test_without_a_file_the_screen_is_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["screens", "import", saved(tmp_path, panel())]) == 0
    assert "\nscreen: 1\nid: house\n" in capsys.readouterr().out


def test_what_is_no_dashboard_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}")
    assert main(["screens", "import", str(path)]) == 2
    assert "neither panels, rows nor elements" in capsys.readouterr().err
    assert main(["screens", "import", str(tmp_path / "missing.json")]) == 2
    capsys.readouterr()
    assert main(["screens", "import", "ftp://grafana/d/abc"]) == 2
    assert "by http:// or https://" in capsys.readouterr().err


def test_a_grafana_is_asked_with_its_token_for_the_dashboard_and_its_library_panels(
    grafana: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRAFANA_TOKEN", "s3cret")
    command = ["screens", "import", f"{grafana}/d/abc/house?orgId=1", "--format", "json"]
    assert main([*command, "--token-env", "GRAFANA_TOKEN"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [one["kind"] for one in said["report"]] == ["timeseries", "gauge"]
    assert main(command) == 1
    assert "refuses (401); a token" in capsys.readouterr().err
    assert main(["screens", "import", f"{grafana}/d/other", "--token-env", "GRAFANA_TOKEN"]) == 1
    assert "knows no such dashboard (404)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("shown", "asked"),
    [
        ("https://g.io/d/abc/name?var=1", "https://g.io/api/dashboards/uid/abc"),
        ("https://g.io/sub/d/abc", "https://g.io/sub/api/dashboards/uid/abc"),
        ("https://grafana.com/grafana/dashboards/1860-node/", "https://grafana.com/api/dashboards/1860/revisions/latest/download"),
        ("https://g.io/raw/x.json", "https://g.io/raw/x.json"),
    ],
)  # fmt: skip
def test_the_address_that_a_person_sees_leads_to_the_json(shown: str, asked: str) -> None:
    assert dashboard_address(shown) == asked
