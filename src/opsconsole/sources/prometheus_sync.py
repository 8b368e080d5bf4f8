"""Prometheus for code that may block: the command line, reports, metadata. Through prometheus-api-client."""

import importlib
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from opsconsole.config.settings import PrometheusSettings
from opsconsole.core.reading import Answer, Capabilities, Query, SourceError
from opsconsole.sources import prometheus_calls as calls
from opsconsole.sources import prometheus_wire as wire
from opsconsole.sources.datasource import MetricMetadata, Target
from opsconsole.sources.http_errors import without_credentials
from opsconsole.sources.prometheus_calls import Call
from opsconsole.sources.prometheus_range import Span, aligned, span_of

if TYPE_CHECKING:
    from opsconsole.sources.prometheus_session import BoundedSession, Kept

Run = Callable[[Any], object]
"""Asks the library's PrometheusConnect; what that returns is not used."""


class PrometheusSync:
    """Implements `Datasource`: the same questions and values as `PrometheusSource`, for one thread at a time.

    The library sends the requests. Its answers lack warnings, types and error bodies, and its numbers are text;
    so what came over the wire is read by the same parser as on the asynchronous side.
    """

    def __init__(
        self,
        settings: PrometheusSettings,
        *,
        name: str = "prometheus",
        clock: Callable[[], float] = time.time,
        body_limit: int = wire.BODY_LIMIT,
    ) -> None:
        self.name = name
        self._settings = settings
        self._clock = clock
        self._body_limit = body_limit
        self._url = settings.url.rstrip("/")
        self._asked = wire.Asked(name, without_credentials(self._url))
        self._one_at_a_time = threading.Lock()
        self._client: Any = None
        self._session: BoundedSession | None = None

    def read(self, query: Query) -> Answer:
        """Answer a query, instant or range."""
        if query.window > 0:
            return self._range(query.text, span_of(query, self._clock()))
        return self.instant(query.text, at=query.end)

    def instant(self, text: str, *, at: float | None = None) -> Answer:
        """Evaluate PromQL at one moment (unix seconds; None: now)."""
        call = calls.instant_call(text, at, self._settings.timeout)
        parameters = {name: value for name, value in call.form if name != "query"}
        return self._answer(call, lambda client: client.custom_query(text, params=parameters))

    def range(self, text: str, *, start: float, end: float, step: float) -> Answer:
        """Evaluate PromQL over a span, which is put on a grid of `step` and never has too many points."""
        return self._range(text, aligned(start, end, step))

    def label_values(self, label: str, match: str | None = None) -> tuple[str, ...]:
        """The values of a label, sorted; with `match` only of the series this selector selects."""
        call = calls.label_values_call(label, match)
        quoted = call.path.removeprefix("label/").removesuffix("/values")
        values: tuple[str, ...]
        values, _, _ = self._ask(call, lambda client: client.get_label_values(quoted, params=dict(call.form)))
        return values

    def metadata(self, metric: str | None = None) -> tuple[MetricMetadata, ...]:
        """Kind and help of the metrics, or of one."""
        found: tuple[MetricMetadata, ...]
        found, _, _ = self._ask(calls.metadata_call(metric), lambda client: client.get_metric_metadata(metric))
        return found

    def targets(self) -> tuple[Target, ...]:
        """What is scraped, and whether it answers."""
        found: tuple[Target, ...]
        found, _, _ = self._ask(calls.TARGETS, lambda client: client.get_targets(state="active"))
        return found

    def probe(self) -> Capabilities:
        """Which product and version this is; a server without build information is fine, too."""
        try:
            build, _, kept = self._ask(calls.BUILDINFO, self._plain(calls.BUILDINFO))
        except SourceError as error:
            if error.kind != "garbage":
                raise
            _, _, kept = self._ask(calls.PING, lambda client: client.custom_query("vector(1)"))
            build = None
        return calls.capabilities_of(build, set(kept.header_names))

    def close(self) -> None:
        """Let go of connections. It can be used again afterwards."""
        session, self._session, self._client = self._session, None, None
        if session is not None:
            session.close()

    def _range(self, text: str, span: Span) -> Answer:
        call = calls.range_call(text, span, self._settings.timeout)
        parameters = {name: value for name, value in call.form if name == "timeout"}
        # Always explicit: the library's default for the end was "now" when it was imported.
        start, end = (datetime.fromtimestamp(moment, UTC) for moment in (span.start, span.end))
        step = dict(call.form)["step"]
        return self._answer(
            call, lambda client: client.custom_query_range(text, start, end, step=step, params=parameters)
        )

    def _plain(self, call: Call) -> Run:
        """For what the library has no method for: its session, without it."""
        return lambda _: self._opened().request("GET", f"{self._url}/api/v1/{call.path}")

    def _answer(self, call: Call, run: Run) -> Answer:
        asked_at, started = self._clock(), time.monotonic()
        value, envelope, _ = self._ask(call, run)
        return Answer(value, asked_at, time.monotonic() - started, envelope.warnings, envelope.infos)

    def _ask(self, call: Call, run: Run) -> "tuple[Any, wire.Envelope, Kept]":
        with self._one_at_a_time:
            session = self._opened()
            try:
                run(self._client)
            except (self._client_error, json.JSONDecodeError, LookupError, TypeError, AttributeError, UnicodeError):
                # What the library makes of an answer it does not like says less than the answer itself.
                if session.kept is None:
                    raise
            kept = session.kept
        assert kept is not None
        envelope = wire.envelope(kept.status, kept.content_type, kept.body, self._asked)
        return call.parse(envelope.data, self._asked), envelope, kept

    def _opened(self) -> "BoundedSession":
        if self._session is None:
            library = importlib.import_module("prometheus_api_client")
            from urllib3.util.retry import Retry

            from opsconsole.sources.prometheus_session import BoundedSession

            self._client_error: type[Exception] = library.PrometheusApiClientException
            self._session = BoundedSession(self._asked, self._settings, self._body_limit)
            # GET only: its POST puts the query into the URL all the same. Retries would repeat heavy queries.
            self._client = library.PrometheusConnect(
                self._url, session=self._session, retry=Retry(total=0), timeout=self._settings.timeout, method="GET"
            )
        return self._session
