"""Errors in a Loki. It may not be had here (its licence), so a small server answers as its documentation says:
pages of at most `limit` lines, the latest first, the end exclusive.
"""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from opsconsole.config.errors import LogFormat, LokiErrors
from opsconsole.config.settings import LokiSettings
from opsconsole.core.reading import Query, SourceError
from opsconsole.errors import loki_logs
from opsconsole.errors.loki_logs import LokiLogs
from opsconsole.errors.model import Heard
from opsconsole.sources.loki import LokiSource
from tests.faults import FaultServer, Request

NOW = 1_795_960_800.0
BILLION = 1_000_000_000
Lines = list[tuple[float, str, str]]
"""(unix seconds, app, text)."""


class Loki:
    """Holds lines, and answers queries for all of them."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.server = FaultServer("ok", self.answer)

    def answer(self, request: Request) -> tuple[int, str, bytes]:
        url = urlsplit(request.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/loki/api/v1/status/buildinfo":
            return 200, "application/json", b'{"version": "3.4.1"}'
        if "broken" in asked["query"]:
            return 400, "text/plain", b"parse error at line 1, col 1: syntax error: unexpected IDENTIFIER"
        assert (url.path, asked["direction"]) == ("/loki/api/v1/query_range", "backward")
        wanted = [
            (round(at * BILLION), app, text)
            for at, app, text in self.lines
            if int(asked["start"]) <= round(at * BILLION) < int(asked["end"])
        ]
        latest = sorted(wanted, reverse=True)[: int(asked["limit"])]
        streams: dict[str, list[list[str]]] = {}
        for at_ns, app, text in latest:
            streams.setdefault(app, []).append([str(at_ns), text])
        result = [{"stream": {"app": app, "pod": "p"}, "values": values} for app, values in streams.items()]
        data = {"status": "success", "data": {"resultType": "streams", "result": result}}
        return 200, "application/json", json.dumps(data).encode()


async def heard(loki: Loki, settings: LokiErrors, *moments: float) -> list[Heard]:
    now = [0.0]
    with loki.server as server:
        source = LokiSource(LokiSettings(server.url, timeout=2.0))
        logs = LokiLogs(settings, source, 86_400.0, clock=lambda: now[0])
        try:
            found = []
            for now[0] in moments:
                found.append(await logs.hear())
            return found
        finally:
            await source.close()


ALL = LokiErrors("all", '{app=~".+"}')


async def test_lines_are_counted_by_kind_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loki_logs, "PAGE", 10)
    lines: Lines = [(NOW - 3600 + at, "api", f'level=error msg="meter {at} failed"') for at in range(35)]
    lines += [(NOW - 60, "web", '{"level":"error","msg":"no"}'), (NOW - 59, "web", '{"level":"info","msg":"yes"}')]
    loki = Loki(lines)
    first, again = await heard(loki, ALL, NOW, NOW + 5)
    api, web = sorted(first.kinds, key=lambda one: one.service)
    assert (api.source, api.service, api.count, api.before) == ("loki/all", "api", 35, 0)
    assert (web.service, web.count, web.samples[0].where) == ("web", 1, '{app="web", pod="p"}')
    assert sum(one.count for one in again.kinds) == 36
    assert first.covers_from_at == NOW - 2 * 86_400


async def test_what_comes_late_is_counted_too_and_a_trace_in_one_line_or_many() -> None:
    loki = Loki([(NOW - 8, "api", "2026-11-29 13:59:52 ERROR it broke\nTraceback (most recent call last):\n"
                  '  File "a.py", line 1, in f\nKeyError: 1')])  # fmt: skip
    with loki.server as server:
        source = LokiSource(LokiSettings(server.url))
        now = NOW
        logs = LokiLogs(ALL, source, 86_400.0, clock=lambda: now)
        (one,) = (await logs.hear()).kinds
        assert (one.type, one.frame, one.count) == ("KeyError", "a.py:f", 1)
        loki.lines.append((NOW - 3, "api", "panic: no"))
        loki.lines.append((NOW - 2, "api", "ERROR no"))
        now = NOW + 5
        kinds = (await logs.hear()).kinds
        await source.close()
    assert sum(one.count for one in kinds) == 1, "lines without time and level are no entries of their own"


async def test_too_many_lines_are_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loki_logs, "PAGE", 10)
    monkeypatch.setattr(loki_logs, "MOST_PAGES", 3)
    loki = Loki([(NOW - 3600 + at, "api", "level=error msg=no") for at in range(100)])
    (only,) = await heard(loki, ALL, NOW)
    assert (only.kinds[0].count, only.kinds[0].before) == (28, None)
    assert only.covers_from_at == NOW - 3600 + 72
    assert "more than 30 lines" in only.notes[0]


async def test_a_query_that_is_wrong_and_a_server_that_is_none() -> None:
    with pytest.raises(SourceError, match="syntax error") as caught:
        await heard(Loki([]), LokiErrors("x", "broken"), NOW)
    assert caught.value.kind == "bad-query"
    for mode in ("html", "garbage", "500", "401", "hang"):
        with FaultServer(mode) as server:
            source = LokiSource(LokiSettings(server.url, timeout=0.3))
            with pytest.raises(SourceError):
                await source.probe()
            await source.close()


async def test_panes_cannot_ask_it_and_its_version_is_known() -> None:
    with Loki([]).server as server:
        source = LokiSource(LokiSettings(server.url))
        found = await source.probe()
        assert (found.product, found.version) == ("Loki", "3.4.1")
        with pytest.raises(SourceError, match="panes cannot ask it"):
            await source.read(Query("loki", "x"))
        await source.close()


async def test_a_format_of_ones_own() -> None:
    written = LogFormat("regex", r"(?P<level>\w)\|(?P<message>.*)", levels=("e",))
    (only,) = await heard(Loki([(NOW - 5, "api", "E|broken 7"), (NOW - 4, "api", "I|fine")]),
                          LokiErrors("x", "{}", ("pod", "app"), written), NOW)  # fmt: skip
    (one,) = only.kinds
    assert (one.service, one.message, one.last_at) == ("p", "broken <n>", NOW - 5)
