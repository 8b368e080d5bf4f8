"""Asking a Loki for lines of logs (`/loki/api/v1/query_range`). What they mean is for `opsconsole.errors`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsconsole.config.settings import LokiSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import Answer, Capabilities, Query, SourceError
from opsconsole.sources.json_http import JsonHttp

PAGE = 2000
"""Lines of one answer; Loki refuses more than 5000 unless told otherwise (max_entries_limit_per_query)."""
_BILLION = 1_000_000_000


@dataclass(frozen=True, slots=True)
class LokiLine:
    """One line. Nothing in it is cleaned."""

    at_ns: int
    """Nanoseconds since 1970: what a page ends with is asked for by it."""
    text: str
    labels: Mapping[str, str]

    @property
    def at(self) -> float:
        """Unix seconds."""
        return self.at_ns / _BILLION


class LokiSource:
    """One Loki. Every method raises SourceError."""

    def __init__(self, settings: LokiSettings, *, name: str = "loki") -> None:
        self.name = name
        self._http = JsonHttp(name, "Loki", settings, "loki/api/v1")

    async def lines(self, query: str, start_ns: int, end_ns: int, *, limit: int = PAGE) -> list[LokiLine]:
        """The latest `limit` lines that LogQL `query` brings from `start_ns` (inclusive) to `end_ns`, latest first."""
        parameters = (
            ("query", query), ("start", str(start_ns)), ("end", str(end_ns)), ("limit", str(limit)),
            ("direction", "backward"),
        )  # fmt: skip
        answer = await self._http.get("query_range", parameters)
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict) or data.get("resultType") != "streams":
            if isinstance(data, dict) and data.get("resultType") == "matrix":
                raise SourceError(self.name, "bad-query", "the query brings numbers; one that brings lines is needed")
            raise self._http.garbage("query_range")
        try:
            found = [line for stream in data["result"] for line in _lines(stream)]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._http.garbage("query_range") from None
        return sorted(found, key=lambda one: -one.at_ns)

    async def probe(self) -> Capabilities:
        """Which version this is."""
        build = await self._http.get("status/buildinfo")
        if not isinstance(build, dict) or "version" not in build:
            raise self._http.garbage("buildinfo")
        return Capabilities("Loki", clean_line(build["version"], limit=80), frozenset({"logql"}))

    async def read(self, query: Query) -> Answer:
        """Panes cannot ask it yet.

        Raises:
            SourceError: always.
        """
        raise SourceError(self.name, "unsupported", "panes cannot ask it", hint="view: errors.errors shows its errors")

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()


def _lines(stream: Any) -> list[LokiLine]:
    labels = {str(name): str(value) for name, value in stream["stream"].items()}
    return [LokiLine(int(at), str(text), labels) for at, text, *_ in stream["values"]]
