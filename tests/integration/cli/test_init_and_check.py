"""`init` writes what `check` accepts, on real servers; and `check` says what a dead one says."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.faults import refusing_port
from tests.servers import PostgresServer, WebServer


def opsconsole(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PG", "PROMETHEUS", "OPSCONSOLE"))
    }
    own = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "xdg"), "OPSCONSOLE_STATE": str(folder / "state")}
    return subprocess.run(
        [sys.executable, "-m", "opsconsole.cli.main", *arguments],
        env={**kept, **own, **env}, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


def test_what_init_writes_from_the_environment_check_accepts(
    tmp_path: Path, prometheus: WebServer, postgres: PostgresServer
) -> None:
    env = {
        "PROMETHEUS_URL": prometheus.url, "PGHOST": "127.0.0.1", "PGPORT": str(postgres.port),
        "PGUSER": "postgres", "PGDATABASE": "postgres", "PGPASSWORD": "not-to-be-written",
    }  # fmt: skip
    written = opsconsole(tmp_path, "init", **env)
    assert (written.returncode, written.stdout) == (0, f"{tmp_path}/xdg/opsconsole/opsconsole.yaml\n")
    assert f"{prometheus.url}: Prometheus 2." in written.stderr
    assert "not-to-be-written" not in Path(written.stdout.strip()).read_text()

    checked = opsconsole(tmp_path, "check", "--format", "json")
    said = json.loads(checked.stdout)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert [problem for problem in said["problems"] if problem["severity"] == "error"] == []
    sources = {source["source"]: source for source in said["sources"]}
    assert set(sources) == {"prometheus", "postgres/app"}
    assert all(source["ok"] for source in sources.values())
    assert (sources["prometheus"]["product"], sources["postgres/app"]["product"]) == ("Prometheus", "PostgreSQL")


def test_what_init_writes_from_its_options_check_accepts(
    tmp_path: Path, prometheus: WebServer, postgres: PostgresServer
) -> None:
    options = ("--prometheus", prometheus.url, "--postgres", postgres.dsn(password="hunter2"))
    written = opsconsole(tmp_path, "init", "mine.yaml", *options)
    assert written.returncode == 0, written.stderr
    assert "hunter2" not in (tmp_path / "mine.yaml").read_text()
    checked = opsconsole(tmp_path, "check", "--config", "mine.yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    table = [line.split() for line in checked.stdout.splitlines() if line.startswith("local")]
    assert [(row[1], row[2]) for row in table] == [("prometheus", "OK"), ("postgres/app", "OK")]


def test_a_source_that_does_not_answer_is_named_with_its_reason_beside_those_that_do(
    tmp_path: Path, prometheus: WebServer
) -> None:
    with refusing_port() as port:
        checked = opsconsole(
            tmp_path, "check", "--format", "json",
            "--prometheus", prometheus.url, "--postgres", f"postgresql://ops:hunter2@127.0.0.1:{port}/app",
        )  # fmt: skip
    said = json.loads(checked.stdout)
    assert checked.returncode == 1
    sources = {source["source"]: source for source in said["sources"]}
    assert sources["prometheus"]["ok"] is True
    assert sources["postgres/app"]["ok"] is False
    assert "refused" in sources["postgres/app"]["error"]
    assert "hunter2" not in checked.stdout + checked.stderr


def test_a_secret_that_cannot_be_had_fails_its_source_only(tmp_path: Path, prometheus: WebServer) -> None:
    (tmp_path / "c.yaml").write_text(
        f"version: 1\nenvironments:\n  a:\n    prometheus: {{url: '{prometheus.url}'}}\n"
        "    postgres: {app: {dsn: {env: NO_SUCH_DSN}}}\n"
    )
    checked = opsconsole(tmp_path, "check", "--config", "c.yaml")
    assert checked.returncode == 1
    assert "environment variable NO_SUCH_DSN is not set" in checked.stdout
    assert "prometheus" in checked.stdout


def test_sources_are_asked_at_once(tmp_path: Path) -> None:
    """Three that never answer take as long as one."""
    import socket

    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [one.getsockname()[1] for one in listening]
    databases = ", ".join(
        f"d{port}: {{dsn: 'postgresql://u@127.0.0.1:{port}/d', connect_timeout: 2s}}" for port in ports
    )
    (tmp_path / "c.yaml").write_text(f"version: 1\nenvironments: {{a: {{postgres: {{{databases}}}}}}}\n")
    began = time.monotonic()
    checked = opsconsole(tmp_path, "check", "--config", "c.yaml", "--format", "json")
    took = time.monotonic() - began
    for one in listening:
        one.close()
    assert checked.returncode == 1
    said = json.loads(checked.stdout)["sources"]
    assert [source["ok"] for source in said] == [False, False, False]
    assert took < sum(source["took"] for source in said)
