"""The questions of the Prometheus API, as both clients send them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from opsconsole.core.clean import clean_line
from opsconsole.core.reading import Capabilities, Query
from opsconsole.sources import prometheus_wire as wire
from opsconsole.sources.prometheus_range import Span, span_of
from opsconsole.sources.prometheus_wire import Asked

Parser = Callable[[Any, Asked], Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request. Equal calls are the same question."""

    path: str
    """Below `/api/v1/`."""
    parse: Parser
    """From the payload to what the caller wants."""
    form: tuple[tuple[str, str], ...] = ()
    post: bool = False
    """Whether the server takes it as a POST, which long queries need."""

    @property
    def encoded(self) -> str:
        """The form, URL-encoded."""
        return urlencode(self.form)


def call_of(query: Query, now: float, timeout: float) -> Call:
    """The call for a query as it is asked at `now`."""
    if query.window > 0:
        return range_call(query.text, span_of(query, now), timeout)
    return instant_call(query.text, query.end, timeout)


def instant_call(text: str, at: float | None, timeout: float) -> Call:
    """PromQL at one moment; None is the server's now, whose clock need not be ours."""
    moment = () if at is None else (("time", _number(at)),)
    return Call("query", wire.value_of, (("query", text), *moment, _limit(timeout)), post=True)


def range_call(text: str, span: Span, timeout: float) -> Call:
    """PromQL over a span."""
    moments = (("start", _number(span.start)), ("end", _number(span.end)), ("step", _number(span.step)))
    return Call("query_range", wire.value_of, (("query", text), *moments, _limit(timeout)), post=True)


def label_values_call(label: str, match: str | None) -> Call:
    """The values of a label."""
    form = () if match is None else (("match[]", match),)
    return Call(f"label/{quote(label, safe='')}/values", wire.strings_of, form)


def metadata_call(metric: str | None) -> Call:
    """Kind and help of metrics."""
    return Call("metadata", wire.metadata_of, () if metric is None else (("metric", metric),))


TARGETS = Call("targets", wire.targets_of, (("state", "active"),))
BUILDINFO = Call("status/buildinfo", lambda data, _: data if isinstance(data, dict) else {})
PING = Call("query", wire.value_of, (("query", "vector(1)"),))


def unparsed(data: Any, asked: Asked) -> Any:
    """The payload as it is."""
    return data


def capabilities_of(build: dict[str, Any] | None, server_headers: set[str]) -> Capabilities:
    """What a server is, from its build information (None: it has none) and the names of its answer's headers."""
    build = build or {}
    version = clean_line(build.get("version") or "unknown", limit=80)
    # VictoriaMetrics may claim a Prometheus version there, for Grafana's sake; this header is its own.
    if "x-server-hostname" in server_headers:
        note = "alerts and rules are seen only where vmalert is proxied"
        return Capabilities("VictoriaMetrics", version, notes=(note,))
    if application := build.get("application"):
        return Capabilities(clean_line(application, limit=80), version)
    features = {"targets", "rules"} if "goVersion" in build else set()
    return Capabilities("Prometheus" if build else "Prometheus-compatible", version, frozenset(features))


def _limit(timeout: float) -> tuple[str, str]:
    # In ms, which is the finest the server takes; it then ends the query itself and says so.
    return ("timeout", f"{max(1, round(timeout * 1000))}ms")


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
