"""A secret that would be read on its way is a warning, once, where it is configured."""

from pathlib import Path

import pytest

from opsconsole.config.loading import load_settings
from opsconsole.config.plaintext import is_here


def warnings_of(folder: Path, source: str) -> list[str]:
    file = folder / "opsconsole.yaml"
    file.write_text(f"version: 1\nenvironments:\n  prod:\n    {source}\n", "utf-8")
    return [str(one).partition(" warning: ")[2] for one in load_settings(file).warnings]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ('alertmanager: {url: "http://am.internal:9093", username: u, password: {env: P}}', "a password"),
        ('prometheus: {url: "http://p.internal", bearer_token: {env: T}}', "a token"),
        ('airflow: {url: "http://airflow", token_command: [gcloud, token]}', "a token"),
        ('loki: {url: "http://10.0.0.7:3100", headers: {authorization: {env: H}}}', "the header authorization"),
    ],
)
def test_a_secret_over_http_to_another_machine(tmp_path: Path, source: str, what: str) -> None:
    (warning,) = warnings_of(tmp_path, source)
    assert warning.startswith(f"url: {what} goes to ")
    assert "in plain text; use https, or a tunnel to 127.0.0.1 [plain-text-secret]" in warning


@pytest.mark.parametrize(
    "source",
    [
        'alertmanager: {url: "https://am.internal", username: u, password: {env: P}}',
        'alertmanager: {url: "http://127.0.0.1:9093", username: u, password: {env: P}}',
        'alertmanager: {url: "http://am.internal:9093"}',
        'loki: {url: "http://loki.internal", headers: {X-Scope-OrgID: "7"}}',
        "airflow: {metadata: app}\n    postgres: {app: {dsn: 'postgresql://h/app'}}",
    ],
)
def test_what_is_no_secret_or_stays_here_or_is_encrypted(tmp_path: Path, source: str) -> None:
    assert warnings_of(tmp_path, source) == []


def test_a_password_in_the_url_is_not_repeated(tmp_path: Path) -> None:
    found = warnings_of(tmp_path, 'prometheus: {url: "http://bob:s3cret@p.internal"}')
    assert len(found) == 2
    assert not any("s3cret" in one for one in found)


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("am.localhost", True),
     ("localhost.example.org", False), ("10.0.0.1", False), ("", False)],
)  # fmt: skip
def test_what_stays_on_this_machine(host: str, here: bool) -> None:
    assert is_here(host) is here
