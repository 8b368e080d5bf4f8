"""The verbs of `db` that change something: each is a run of one step on a real PostgreSQL, asked about and recorded."""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from opsconsole.cli.main import main
from opsconsole.core.exit_codes import Exit
from opsconsole.database.naming import parsed
from opsconsole.runbooks.starting import Supervision
from tests.servers import PostgresServer, start_postgres
from tests.unit.cli.carried_here import CarriedHere

Said = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with start_postgres(settings=["shared_preload_libraries=pg_stat_statements"]) as started:
        started.psql(
            'create table readings (id int primary key, "Odd ""name" int);'
            "insert into readings select i, i from generate_series(1, 1000) i; delete from readings where id < 400"
        )
        yield started


@pytest.fixture
def configured(server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that wants a yes for writes, and names typed for what destroys."""
    config = {"version": 1, "environments": {"test": {"mode": "guarded", "postgres": {"app": {"dsn": server.dsn()}}}}}
    (tmp_path / "opsconsole.yaml").write_text(json.dumps(config))
    monkeypatch.setenv("OPSCONSOLE_CONFIG", str(tmp_path / "opsconsole.yaml"))
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "s"))


@pytest.fixture
def db(configured: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """`db(verb, …)` there, without anybody to ask. This process carries the run; two more for each would take two
    seconds of a processor, and `test_a_command_of_its_own` has those."""
    monkeypatch.setattr(Supervision, "prepare", CarriedHere.prepare)
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = main(["db", *arguments])
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, said.out, said.err)

    return run


def step(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The only step, as the command's JSON has it."""
    (found,) = json.loads(done.stdout)["steps"]
    return dict(found)


def test_a_rehearsal_prints_the_statement_and_sends_nothing(db: Said, server: PostgresServer) -> None:
    done = db("vacuum", "readings", "--analyze", "--dry-run")
    assert done.returncode == Exit.DONE
    assert '-- on app\nVACUUM (ANALYZE) "public"."readings";' in done.stdout
    assert server.psql("select vacuum_count from pg_stat_all_tables where relname = 'readings'") == "0"


def test_without_a_yes_nothing_is_begun(db: Said) -> None:
    done = db("vacuum", "readings")
    assert done.returncode == Exit.USAGE
    assert "nothing was begun; this would have to be asked" in done.stderr


def test_a_vacuum_is_a_run_that_says_what_it_brought(db: Said) -> None:
    done = db("vacuum", "readings", "--yes", "--format", "json")
    assert done.returncode == Exit.DONE, done.stderr
    assert step(done)["state"] == "ok"
    assert "dead rows 399 -> 0" in step(done)["detail"]
    assert "the file is gone" not in done.stderr
    assert db("analyze-table", "readings", "--yes").returncode == Exit.DONE


def test_a_rewrite_wants_the_name_typed(db: Said) -> None:
    done = db("vacuum", "readings", "--full", "--yes")
    assert (done.returncode, "typing readings" in done.stderr) == (Exit.USAGE, True)
    done = db("vacuum", "readings", "--full", "--confirm", "readings", "--format", "json")
    assert done.returncode == Exit.DONE, done.stderr
    assert "it was rewritten" in step(done)["detail"]


def test_an_index_comes_is_rebuilt_and_goes(db: Said, server: PostgresServer) -> None:
    done = db("create-index", "readings", 'Odd "name', "id", "--name", "by.odd", "--yes")
    assert done.returncode == Exit.DONE, done.stderr
    definition = server.psql("select indexdef from pg_indexes where indexname = 'by.odd'")
    assert definition.endswith('USING btree ("Odd ""name", id)')
    assert db("reindex", 'public."by.odd"', "--yes").returncode == Exit.DONE
    done = db("drop-index", '"by.odd"', "--confirm", "fix=by.odd", "--format", "json")
    assert done.returncode == Exit.DONE, done.stderr
    assert "CREATE INDEX" in done.stderr
    done = db("drop-index", "readings_pkey", "--confirm", "readings_pkey", "--format", "json")
    assert done.returncode == Exit.FAILED or done.returncode == Exit.GUARDED
    assert "it is the primary key" in step(done)["detail"]


def test_the_session_that_has_the_number_is_ended_and_no_other(db: Said, server: PostgresServer) -> None:
    with closing(psycopg.connect(server.dsn(application_name="stuck"))) as connection:
        connection.execute("select 1")
        pid = str(connection.info.backend_pid)
        assert db("kill", pid, "--yes").returncode == Exit.USAGE
        assert db("kill", pid, "--cancel", "--yes").returncode != Exit.DONE  # it does nothing that could be cancelled
        done = db("kill", pid, "--confirm", pid)
        assert done.returncode == Exit.DONE, done.stderr
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    done = db("kill", pid, "--confirm", pid)
    assert (done.returncode, f"there is no session {pid}" in done.stderr) == (Exit.USAGE, True)


def test_smaller_changes(db: Said, server: PostgresServer) -> None:
    assert db("create-extension", "pg_stat_statements", "--yes").returncode == Exit.DONE
    assert db("reset-statements", "--yes").returncode == Exit.DONE
    done = db("autovacuum", "readings", "--scale-factor", "0.05", "--yes")
    assert done.returncode == Exit.DONE, done.stderr
    assert server.psql("select reloptions from pg_class where relname = 'readings'") == (
        "{autovacuum_vacuum_scale_factor=0.05}"
    )
    done = db("autovacuum", "readings", "--scale-factor", "0.05); drop table readings; --", "--yes")
    assert done.returncode == Exit.USAGE, done.stderr


def test_a_command_of_its_own(configured: None) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "opsconsole.cli.main", "db", "vacuum", "readings", "--yes", "--format", "json"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == Exit.DONE, done.stderr
    assert step(done)["state"] == "ok"
    assert "the file is gone" not in done.stderr


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("readings", ("public", "readings")),
        ("app.Readings", ("app", "Readings")),
        ('"a.b"."c ""d"', ("a.b", 'c "d')),
        ("app.☃ %s", ("app", "☃ %s")),
    ],
)
def test_names_are_taken_as_they_are_shown(text: str, name: tuple[str, str]) -> None:
    assert parsed(text) == name


@pytest.mark.parametrize("text", ["", ".", "a.", "a.b.c", '"', 'a"b', '""'])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        parsed(text)
