"""Asking an Alertmanager: faults that a real one cannot be made to show."""

import json
from pathlib import Path

import pytest

from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import AlertmanagerSettings
from opsconsole.core.reading import Query, SourceError
from opsconsole.sources.alertmanager import AlertmanagerSource
from tests.faults import FaultServer, Request, refusing_port


def answering(content: object, status: int = 200) -> FaultServer:
    return FaultServer("ok", lambda _: (status, "application/json", json.dumps(content).encode()))


async def failure(url: str, **more: object) -> SourceError:
    source = AlertmanagerSource(AlertmanagerSettings(url, timeout=0.5, **more))  # type: ignore[arg-type]
    try:
        with pytest.raises(SourceError) as caught:
            await source.alerts()
    finally:
        await source.close()
    return caught.value


@pytest.mark.parametrize(
    ("mode", "kind", "words"),
    [
        ("hang", "timeout", "no answer within 0.5 s"),
        ("html", "garbage", "is no Alertmanager"),
        ("garbage", "garbage", "is no Alertmanager"),
        ("500", "internal", "answered HTTP 500"),
        ("401", "refused", "wants credentials"),
        ("403", "refused", "forbids this"),
        ("redirect", "garbage", "log-in page"),
        ("close", "unreachable", "closed"),
    ],
)
async def test_each_fault_is_said_in_its_own_words(mode: str, kind: str, words: str) -> None:
    with FaultServer(mode) as server:
        error = await failure(server.url)
    assert (error.kind, words in str(error)) == (kind, True), str(error)


async def test_nobody_there() -> None:
    with refusing_port() as port:
        error = await failure(f"http://127.0.0.1:{port}")
    assert (error.kind, error.message) == ("unreachable", f"connection refused at 127.0.0.1:{port}")


async def test_what_alertmanager_says_about_it_is_a_bare_string() -> None:
    with answering("unknown receiver \x1b[31m", 400) as server:
        error = await failure(server.url)
    assert "HTTP 400" in error.message
    assert error.message.endswith("unknown receiver ␛[31m")


async def test_json_of_another_program_is_no_list_of_alerts() -> None:
    with answering({"status": "success"}) as server:
        assert (await failure(server.url)).kind == "garbage"


async def test_a_token_that_was_refused_is_fetched_again(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")

    def answer(request: Request) -> tuple[int, str, bytes]:
        assert request.path == "/am/api/v2/silences"
        return 200, "application/json", b"[]"

    with FaultServer("401", answer) as server:
        settings = AlertmanagerSettings(f"{server.url}/am", bearer_token=SecretRef(file=token))
        source = AlertmanagerSource(settings)
        with pytest.raises(SourceError, match="wants credentials"):
            await source.silences()
        token.write_text("good")
        assert await source.silences() == []
        await source.close()


async def test_panes_cannot_ask_it() -> None:
    with pytest.raises(SourceError, match="no query language"):
        await AlertmanagerSource(AlertmanagerSettings("http://127.0.0.1:9")).read(Query("alertmanager", "up"))
