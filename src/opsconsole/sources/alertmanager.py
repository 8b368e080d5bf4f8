"""Asking an Alertmanager (API version 2). What its answers mean is for `opsconsole.alerts`."""

from typing import Any

from opsconsole.config.settings import AlertmanagerSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import Answer, Capabilities, Query, SourceError
from opsconsole.sources.json_http import JsonHttp


class AlertmanagerSource:
    """One Alertmanager. Connects when first asked; equal questions under way are one request.

    Every method raises SourceError. Answers are JSON as it came: nothing in them is cleaned.
    """

    def __init__(self, settings: AlertmanagerSettings, *, name: str = "alertmanager") -> None:
        self.name = name
        self._http = JsonHttp(name, "Alertmanager", settings, "api/v2")

    @property
    def place(self) -> str:
        """`host:port`, as messages name it."""
        return self._http.place

    async def alerts(self) -> list[Any]:
        """All alerts that it has, whatever their state."""
        return await self._entries("alerts")

    async def silences(self) -> list[Any]:
        """All silences, those that have expired included."""
        return await self._entries("silences")

    async def receivers(self) -> list[Any]:
        """Who can be notified."""
        return await self._entries("receivers")

    async def status(self) -> dict[str, Any]:
        """Version, cluster, and under `config.original` its configuration, secrets left out."""
        answer = await self._http.get("status")
        if not isinstance(answer, dict) or "versionInfo" not in answer:
            raise self._http.garbage("status")
        return answer

    async def probe(self) -> Capabilities:
        """Which version this is, and whether it is one of several."""
        status = await self.status()
        build, cluster = status["versionInfo"], status.get("cluster")
        version = clean_line(build.get("version") or "unknown", limit=80) if isinstance(build, dict) else "unknown"
        peers = cluster.get("peers") if isinstance(cluster, dict) else None
        notes = (f"a cluster of {len(peers)}",) if isinstance(peers, list) and len(peers) > 1 else ()
        return Capabilities("Alertmanager", version, frozenset({"api-v2"}), notes)

    async def read(self, query: Query) -> Answer:
        """Panes cannot ask it: there is no query language.

        Raises:
            SourceError: always.
        """
        raise SourceError(self.name, "unsupported", "it has no query language", hint="ask Prometheus for ALERTS")

    async def close(self) -> None:
        """Call off what is under way and let go of connections."""
        await self._http.close()

    async def _entries(self, where: str) -> list[Any]:
        answer = await self._http.get(where)
        if not isinstance(answer, list):
            raise self._http.garbage(where)
        return answer
