"""One interface over two Prometheus clients.

`AsyncDatasource` (httpx) is for everything live: its requests are cancelled with the task that waits for them.
`Datasource` (prometheus-api-client) blocks its thread and is for the command line, reports and metadata.
The names, the arguments and the values are the same on both sides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from opsconsole.core.reading import Answer, Capabilities, Query


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that Prometheus scrapes."""

    labels: Mapping[str, str]
    health: str
    """`up`, `down` or `unknown`."""
    url: str
    last_error: str
    """Why the last scrape failed; empty when it did not."""
    last_scrape: str
    """RFC 3339, as the server wrote it."""


@dataclass(frozen=True, slots=True)
class MetricMetadata:
    """What a metric's exporter says about it."""

    name: str
    kind: str
    """`counter`, `gauge`, `histogram`, `summary` or `unknown`."""
    help: str


class Datasource(Protocol):
    """The blocking side. Every method raises SourceError, and returns within its time-out."""

    name: str

    def read(self, query: Query) -> Answer:
        """Answer a query, instant or range."""
        ...

    def instant(self, text: str, *, at: float | None = None) -> Answer:
        """Evaluate PromQL at one moment (unix seconds; None: now)."""
        ...

    def range(self, text: str, *, start: float, end: float, step: float) -> Answer:
        """Evaluate PromQL over a span, all in unix seconds and seconds. The value is a Matrix."""
        ...

    def label_values(self, label: str, match: str | None = None) -> tuple[str, ...]:
        """The values of a label, sorted; with `match` only of the series this selector selects."""
        ...

    def metadata(self, metric: str | None = None) -> tuple[MetricMetadata, ...]:
        """Kind and help of the metrics, or of one."""
        ...

    def targets(self) -> tuple[Target, ...]:
        """What is scraped. Servers that scrape nothing (Thanos, Mimir) raise `unsupported`."""
        ...

    def probe(self) -> Capabilities:
        """Which product and version this is."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class AsyncDatasource(Protocol):
    """The same questions for the event loop. Cancelling a caller closes its request."""

    name: str

    async def read(self, query: Query) -> Answer:
        """Answer a query, instant or range."""
        ...

    async def instant(self, text: str, *, at: float | None = None) -> Answer:
        """Evaluate PromQL at one moment (unix seconds; None: now)."""
        ...

    async def range(self, text: str, *, start: float, end: float, step: float) -> Answer:
        """Evaluate PromQL over a span. The value is a Matrix."""
        ...

    async def label_values(self, label: str, match: str | None = None) -> tuple[str, ...]:
        """The values of a label, sorted."""
        ...

    async def metadata(self, metric: str | None = None) -> tuple[MetricMetadata, ...]:
        """Kind and help of the metrics, or of one."""
        ...

    async def targets(self) -> tuple[Target, ...]:
        """What is scraped."""
        ...

    async def probe(self) -> Capabilities:
        """Which product and version this is."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
