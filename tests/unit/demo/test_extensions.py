"""A PostgreSQL with an extension beside it, and the one it is made of left alone."""

from pathlib import Path

import pytest

from opsconsole.demo import extensions, packages
from opsconsole.demo.packages import FetchError

BIN, SHARE = "usr/lib/postgresql/15/bin", "usr/share/postgresql/15"


def file(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def tree(root: Path) -> Path:
    """A PostgreSQL laid out as Debian does it, in files without content; gives the folder of its programs."""
    for name in (f"{BIN}/postgres", f"{BIN}/initdb", "usr/lib/postgresql/15/lib/plpgsql.so"):
        file(root / name, name)
    file(root / BIN / "pg_config", f"#!/bin/sh\necho {root / SHARE}\n").chmod(0o755)
    file(root / SHARE / "extension/plpgsql.control")
    file(root / SHARE / "postgres.bki")
    return root / BIN


@pytest.fixture
def brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of packages that were unpacked: what is in them is an extension called tester."""
    root = tmp_path / "brought"
    file(root / "usr/lib/postgresql/15/lib/tester.so", "library")
    file(root / "usr/lib/postgresql/15/lib/bitcode/tester.bc")
    file(root / SHARE / "extension/tester.control", "control")
    file(root / "usr/share/doc/tester/README")
    asked: list[str] = []

    def unpack(name: str, *given: object, **more: object) -> Path:
        asked.append(name)
        return root

    monkeypatch.setattr(packages, "unpack", unpack)
    monkeypatch.setattr(packages, "available", lambda: True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return asked


def found_at(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(extensions, "postgres_bin", lambda narrate: folder)


def test_the_systems_own_is_linked_to_and_left_alone(
    tmp_path: Path, brought: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    system, place = tmp_path / "system", tmp_path / "place"
    found_at(monkeypatch, tree(system))
    before = sorted(system.rglob("*"))
    program = extensions.postgres_with("tester", place, narrate=print)
    assert program == place / BIN / "postgres"
    assert (program.is_symlink(), program.read_text()) == (False, f"{BIN}/postgres")
    assert (place / BIN / "initdb").resolve() == (system / BIN / "initdb").resolve()
    assert (place / SHARE / "extension/tester.control").read_text() == "control"
    assert (place / SHARE / "extension/plpgsql.control").exists()
    assert (place / "usr/lib/postgresql/15/lib/tester.so").read_text() == "library"
    assert not list(place.rglob("*.bc"))
    assert sorted(system.rglob("*")) == before
    assert brought == ["postgresql-15-tester"]


def test_one_in_the_cache_gets_the_extension_itself(
    tmp_path: Path, brought: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "cache/opsconsole/packages/postgresql"
    tree(root)
    launcher = file(root / "bin/postgres", "launcher")
    found_at(monkeypatch, launcher.parent)
    assert extensions.postgres_with("tester", tmp_path / "place", narrate=print) == launcher
    assert (root / SHARE / "extension/tester.control").read_text() == "control"
    assert not (tmp_path / "place").exists()


def test_what_is_installed_is_not_fetched(tmp_path: Path, brought: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree(tmp_path / "system")
    file(tmp_path / "system" / SHARE / "extension/tester.control")
    found_at(monkeypatch, folder)
    assert extensions.postgres_with("tester", tmp_path / "place", narrate=print) == folder / "postgres"
    assert brought == []


def test_what_cannot_be_had_says_why(tmp_path: Path, brought: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    file(tmp_path / "opt/pgsql/bin/postgres")
    found_at(monkeypatch, tmp_path / "opt/pgsql/bin")
    with pytest.raises(FetchError, match="not laid out as Debian does it"):
        extensions.postgres_with("tester", tmp_path / "place", narrate=print)
    found_at(monkeypatch, tree(tmp_path / "system"))
    monkeypatch.setattr(packages, "available", lambda: False)
    with pytest.raises(FetchError, match="install postgresql-15-tester"):
        extensions.postgres_with("tester", tmp_path / "place", narrate=print)
