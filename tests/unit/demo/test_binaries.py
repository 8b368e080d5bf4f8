"""Where servers are found, and what is said where they are not."""

import os
import subprocess
from pathlib import Path

import pytest

from opsconsole.demo import binaries, install_commands, packages
from opsconsole.demo.binaries import MissingBinary
from opsconsole.demo.install_commands import install_command


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty PATH and cache; gives the folder on its PATH."""
    path = tmp_path / "bin"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(binaries, "_POSTGRES_PLACES", ())
    monkeypatch.setattr(packages, "available", lambda: False)
    return path


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_program_on_path_comes_first_under_either_name(nothing_installed: Path) -> None:
    debian = program(nothing_installed / "prometheus-alertmanager")
    assert binaries.find("alertmanager") == debian
    upstream = program(nothing_installed / "alertmanager")
    assert binaries.find("alertmanager") == upstream


def test_then_the_cache(nothing_installed: Path, tmp_path: Path) -> None:
    cached = program(tmp_path / "cache/opsconsole/packages/prometheus/usr/bin/promtool")
    assert binaries.find("promtool") == cached


def test_the_tools_of_postgres_come_from_one_folder(nothing_installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pg15"
    for name in ("postgres", "initdb", "psql"):
        program(folder / name)
    (nothing_installed / "postgres").symlink_to(folder / "postgres")
    program(nothing_installed / "psql")
    assert binaries.find("psql") == folder / "psql"
    with pytest.raises(MissingBinary, match="has no pg_dump"):
        binaries.find("pg_dump")


def test_the_newest_installed_postgres_is_taken(
    nothing_installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("9", "15", "16"):
        for name in ("postgres", "initdb"):
            program(tmp_path / version / "bin" / name)
    monkeypatch.setattr(binaries, "_POSTGRES_PLACES", (f"{tmp_path}/*/bin",))
    assert binaries.postgres_bin() == tmp_path / "16" / "bin"


def test_what_is_missing_says_how_to_install_it(nothing_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install_commands, "_family", lambda: "fedora")
    with pytest.raises(MissingBinary) as missing:
        binaries.find("promtool")
    assert missing.value.command == "sudo dnf install golang-github-prometheus"
    assert missing.value.command in str(missing.value)
    assert binaries.find_optional("redis-server") is None


@pytest.mark.parametrize(
    ("release", "family"),
    [
        ({"ID": "debian"}, "debian"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "debian"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "fedora"),
        ({"ID": "plan9"}, ""),
        ({}, ""),
    ],
)
def test_the_platform_is_known_by_its_release_file(release: dict[str, str], family: str) -> None:
    assert install_commands._family_of(release) == family


def test_each_platform_has_a_command_for_what_the_demo_cannot_do_without() -> None:
    for family in ("debian", "fedora", "arch", "alpine", "darwin"):
        for name in ("postgres", "prometheus", "alertmanager"):
            assert name.split("-")[0] in install_command(name, family) or "prometheus" in install_command(name, family)
    assert "https://prometheus.io/download/" in install_command("prometheus", "unheard-of")


def test_a_launcher_finds_its_tree_wherever_it_is_moved(tmp_path: Path) -> None:
    root = tmp_path / "one"
    (root / "usr/lib/x86_64-linux-gnu").mkdir(parents=True)
    (root / "usr/lib/x86_64-linux-gnu/libx.so.1").touch()
    (root / "usr/share/thing").mkdir(parents=True)
    program(root / "usr/bin/thing", '#!/bin/sh\npwd -P\necho "$LD_LIBRARY_PATH" "$1"\n')
    packages.launcher(root, root / "usr/bin/thing", "usr/share/thing")
    moved = tmp_path / "two words"
    root.rename(moved)
    done = subprocess.run([moved / "bin/thing", "argument"], capture_output=True, text=True, check=True)
    where, rest = done.stdout.splitlines()
    assert where == os.path.realpath(moved / "usr/share/thing")
    libraries, _, argument = rest.rpartition(" ")
    assert argument == "argument"
    assert Path(libraries.split(":")[0], "libx.so.1").exists()


@pytest.mark.parametrize("built_in", ["/usr/share/abc", "/usr/share/abcd"])
def test_a_relocated_program_keeps_its_length_and_looks_where_it_stands(tmp_path: Path, built_in: str) -> None:
    path = tmp_path / "program"
    path.write_bytes(b"\0before" + built_in.encode() + b"after" + built_in.encode() + b"/ui/\0")
    length = path.stat().st_size
    packages.relocate(path, built_in)
    assert path.stat().st_size == length
    assert built_in.encode() not in path.read_bytes()
    relative = path.read_bytes()[7 : 7 + len(built_in)].decode()
    assert os.path.normpath(relative + "/default.tmpl") == "default.tmpl"
