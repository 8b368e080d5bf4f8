"""Connection parameters: what is added, and that what the user says goes first."""

from pathlib import Path
from typing import Any

import pytest

from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import PostgresSettings
from opsconsole.sources.postgres_conninfo import service_entry, target_of


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE", "PGSYSCONFDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))


def parameters(dsn: str, **more: Any) -> dict[str, str]:
    return target_of("postgres/app", PostgresSettings("app", SecretRef.of(dsn), **more)).parameters


def test_waiting_for_a_network_that_is_gone_is_bounded() -> None:
    found = parameters("postgresql://ann@db.internal/app", connect_timeout=0.5)
    assert found["connect_timeout"] == "2"
    assert found["tcp_user_timeout"] == "15000"
    assert found["application_name"] == "opsconsole"
    assert (found["host"], found["user"], found["dbname"]) == ("db.internal", "ann", "app")


def test_what_the_user_says_goes_first() -> None:
    found = parameters("host=a connect_timeout=30 tcp_user_timeout=1 application_name=x client_encoding=LATIN1")
    assert (found["connect_timeout"], found["tcp_user_timeout"]) == ("30", "1")
    assert (found["application_name"], found["client_encoding"]) == ("opsconsole", "UTF8")


def test_the_host_of_a_service_is_known_before_libpq_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "services").write_text(
        "[a]\nhost=wrong\n# c\n[mine]\nhost=db.internal\nport=6000\nuser=ann\n[z]\nport=1\n"
    )
    monkeypatch.setenv("PGHOST", "elsewhere")
    found = parameters("service=mine")
    assert (found["service"], found["host"], found["port"]) == ("mine", "db.internal", "6000")
    assert "user" not in found, "the rest is libpq's business"
    assert parameters("service=mine host=given")["host"] == "given"
    monkeypatch.setenv("PGSERVICE", "mine")
    assert parameters("")["host"] == "db.internal"
    assert service_entry("unknown") == {}


def test_the_place_is_named_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    def place(dsn: str) -> str:
        return target_of("postgres/app", PostgresSettings("app", SecretRef.of(dsn))).place

    assert place("host=db port=6000 password=hush") == "db:6000"
    assert place("host=/run/pg") == "/run/pg/.s.PGSQL.5432"
    assert place("host=a,b") == "a,b"
    monkeypatch.setenv("PGHOST", "envhost")
    assert place("") == "envhost:5432"


def test_a_target_does_not_show_its_password() -> None:
    target = target_of("postgres/app", PostgresSettings("app", SecretRef.of("host=db password=hush")))
    assert "hush" not in f"{target!r} {target}"
