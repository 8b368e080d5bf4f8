"""Secrets: fetched when needed, from where the file says, and never seen."""

import pickle
import sys
from pathlib import Path

import pytest

from opsconsole.config.secrets import SecretError, SecretRef, conninfo, dsn_password, known_secrets
from opsconsole.core.secret import Secret, mask


def test_a_variable_is_read_when_the_secret_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    ref = SecretRef(env="OPS_TEST_TOKEN")
    monkeypatch.delenv("OPS_TEST_TOKEN", raising=False)
    with pytest.raises(SecretError, match="environment variable OPS_TEST_TOKEN is not set"):
        ref.resolve()
    monkeypatch.setenv("OPS_TEST_TOKEN", "first")
    assert ref.reveal() == "first"
    monkeypatch.setenv("OPS_TEST_TOKEN", "second")
    assert ref.reveal() == "second"


def test_a_file_is_read_without_its_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(" abc \n")
    assert SecretRef(file=tmp_path / "token").reveal() == " abc "


def test_a_command_gives_its_output() -> None:
    assert SecretRef(command=(sys.executable, "-c", "print('from-a-vault')")).reveal() == "from-a-vault"


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        (SecretRef(file=Path("/nowhere/token")), "secret file /nowhere/token cannot be read: No such file"),
        (SecretRef(file=Path("/dev/zero")), "secret file /dev/zero is not a regular file"),
        (SecretRef(command=("/nowhere/vault",)), "secret command /nowhere/vault cannot be run: No such file"),
        (SecretRef(command=("sh", "-c", "echo hunter2; exit 3")), "secret command sh ended with exit code 3"),
        (SecretRef(command=("true",)), "secret command true gave nothing"),
        (SecretRef(command=("printf", r"\377")), "secret command printf gave bytes that are not UTF-8"),
        (SecretRef(command=("sh", "-c", "head -c 70000 /dev/zero")), "gave more than 65536 bytes"),
    ],
)
def test_a_secret_that_cannot_be_had_says_why_and_nothing_of_itself(ref: SecretRef, message: str) -> None:
    with pytest.raises(SecretError, match=message) as caught:
        ref.resolve()
    assert "hunter2" not in str(caught.value)


def test_what_was_fetched_is_masked_from_then_on_and_so_is_the_password_in_a_dsn() -> None:
    SecretRef.of("postgresql://ops:pa%73s-w0rd@db/app").resolve()
    text = mask("password pass-w0rd, dsn postgresql://ops:pa%73s-w0rd@db/app", known_secrets())
    assert text == "password ***, dsn ***"


def test_a_reference_does_not_show_its_literal() -> None:
    ref = SecretRef.of("hunter2")
    assert "hunter2" not in f"{ref} {ref!r} {ref.describe()}"
    with pytest.raises(TypeError):
        pickle.dumps(ref)


@pytest.mark.parametrize(
    ("dsn", "password"),
    [
        ("postgresql://u:p%40ss@h/db", "p@ss"), ("postgresql://h/db?user=u&password=p%26x", "p&x"),
        ("redis://:pw@h", "pw"), ("host=h password='it''s'", ""),
        (r"password='a\'b' host=h", "a'b"), ("host = h password = x", "x"),
        ("host=h user=u", ""), ("", ""), ("postgresql://u@h/db", ""), ("no dsn at all", ""), ("http://[", ""),
    ],
)  # fmt: skip
def test_the_password_in_a_connection_string_is_found(dsn: str, password: str) -> None:
    assert dsn_password(dsn) == password


@pytest.mark.parametrize(
    ("text", "pairs"),
    [("a=1 b='x y'", {"a": "1", "b": "x y"}), ("a=", {"a": ""}), ("x", {}), ("a=1 x", {}), ("a b=1", {}), ("=1", {})],
)
def test_connection_strings_are_taken_apart(text: str, pairs: dict[str, str]) -> None:
    assert conninfo(text) == pairs


def test_secrets_compare_by_value() -> None:
    assert SecretRef.of("a") == SecretRef(literal=Secret("a"))
