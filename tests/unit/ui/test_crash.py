"""What a crash leaves behind."""

from pathlib import Path

from opsconsole.core.secret import Secret
from opsconsole.ui import clipboard, crash


def _fail() -> None:
    password = "hunter2-in-a-local"
    raise RuntimeError(f"cannot connect to postgresql://ops:s3cret-word@db/app {len(password)}")


def caught() -> RuntimeError:
    try:
        _fail()
    except RuntimeError as error:
        return error
    raise AssertionError


def test_the_log_holds_the_place_but_no_values_and_no_secret(tmp_path: Path) -> None:
    path = crash.write_log(caught(), [Secret("s3cret-word")], folder=tmp_path)
    assert path is not None
    text = path.read_text()
    assert "_fail" in text
    assert "s3cret-word" not in text
    assert "hunter2-in-a-local" not in text
    assert path.stat().st_mode & 0o077 == 0


def test_the_message_is_short_names_the_log_and_holds_no_secret(tmp_path: Path) -> None:
    said = crash.message(caught(), tmp_path / "crash.log", [Secret("s3cret-word")])
    assert "RuntimeError" in said
    assert "crash.log" in said
    assert "s3cret-word" not in said
    assert len(said.splitlines()) == 2


def test_a_folder_that_cannot_be_written_is_no_second_crash(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert crash.write_log(caught(), folder=blocked / "logs") is None


def test_large_copies_go_to_a_file(tmp_path: Path) -> None:
    assert clipboard.fits("short")
    assert not clipboard.fits("x" * 80_000)
    path = clipboard.save("text", folder=tmp_path)
    assert path.read_text() == "text"
    assert path.stat().st_mode & 0o077 == 0
