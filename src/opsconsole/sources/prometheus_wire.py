"""What a Prometheus-compatible server sends, as core values.

Pure: bytes in, values or `SourceError` out. Both clients (async and sync) end here, so that the same
answer means the same thing on the screen, on the command line and in a report.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from opsconsole.core.clean import clean, clean_line
from opsconsole.core.reading import SourceError
from opsconsole.core.values import Histogram, Matrix, Sample, Scalar, Series, Text, Value, Vector
from opsconsole.sources.datasource import MetricMetadata, Target
from opsconsole.sources.json_turns import LARGE, read_in_turns

BODY_LIMIT = 64 * 1024 * 1024
"""Bytes of one answer. 11,000 points of 100 series are about 33 MB; more than this is no answer for a screen."""

# errorType -> SourceError kind; numbers are VictoriaMetrics', which puts the HTTP status there.
_KINDS = {
    "bad_data": "bad-query",
    "execution": "bad-query",
    "not_found": "bad-query",
    "timeout": "timeout",
    "canceled": "gone",
    "unavailable": "unreachable",
    "too_many_requests": "overloaded",
    "internal": "internal",
    "400": "bad-query",
    "422": "bad-query",
    "429": "overloaded",
    "503": "timeout",
}
_STATUS_KINDS = {401: "refused", 403: "refused", 404: "garbage", 407: "refused", 408: "timeout", 429: "overloaded"}
_STATUS_KINDS |= {500: "internal", 502: "unreachable", 503: "unreachable", 504: "timeout"}
_PROXY_WORDS = {
    404: "check the path: some servers answer below /prometheus",
    502: "the proxy before it cannot reach it",
    503: "starting up, or the proxy before it has no server for it",
    504: "the proxy before it waited in vain",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked, for error texts: the source's name and its URL without credentials."""

    source: str
    url: str

    def error(self, kind: str, message: str, *, hint: str = "") -> SourceError:
        """A `SourceError` of this source."""
        return SourceError(self.source, kind, message, hint=hint)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The part every API answer has: the payload, and what the server wants known about it."""

    data: Any
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


def looks_foreign(start: bytes, content_type: str) -> str:
    """What the first bytes of a body are when they cannot be the API's JSON: `HTML`, `text`; else empty.

    Lets the reader hang up on a login page or a stream of garbage after its first bytes.
    """
    head = start.lstrip(b" \t\r\n\xef\xbb\xbf")[:1]
    if head == b"<" or content_type.startswith("text/html"):
        return "HTML"
    return "" if head in (b"{", b"") else "something else"


def envelope(status: int, content_type: str, body: bytes, asked: Asked) -> Envelope:
    """The payload of an answer.

    Raises:
        SourceError: an error the server reports, or an answer that is not the Prometheus API.
    """
    foreign = looks_foreign(body[:512], content_type)
    document = None if foreign else _json_object(body)
    if document is None or document.get("status") not in ("success", "error"):
        raise foreign_answer(status, foreign or ("nothing" if not body.strip() else "something else"), asked)
    if document["status"] == "error":
        raise _reported(status, document, asked)
    return Envelope(document.get("data"), _texts(document.get("warnings")), _texts(document.get("infos")))


def foreign_answer(status: int, what: str, asked: Asked) -> SourceError:
    """The error for an answer that did not come from a Prometheus API: a proxy, a login page, another program."""
    if status in (401, 403, 407):
        return refused(status, asked)
    if status == 200:
        suspect = "a proxy or login page?" if what == "HTML" else "another program on that port?"
        return asked.error("garbage", f"answered {what}, not the Prometheus API ({suspect}) at {asked.url}")
    kind = _STATUS_KINDS.get(status, "internal" if status >= 500 else "garbage")
    return asked.error(kind, f"answered HTTP {status} at {asked.url}", hint=_PROXY_WORDS.get(status, ""))


def refused(status: int, asked: Asked) -> SourceError:
    """The error for an answer that wants other credentials."""
    what = {401: "wants credentials it did not get", 407: "proxy wants credentials"}.get(status, "forbids this")
    return asked.error(
        "refused", f"{what} (HTTP {status}) at {asked.url}", hint="check bearer_token, or username and password"
    )


def too_large(asked: Asked, limit: int) -> SourceError:
    """The error for an answer that was cut off because it does not end."""
    return asked.error(
        "garbage", f"answer larger than {limit // (1024 * 1024)} MiB at {asked.url}", hint="narrow the query"
    )


def redirected(status: int, location: str, asked: Asked) -> SourceError:
    """The error for a redirect: it is never followed, for it would carry credentials to another place."""
    target = clean_line(location.split("?", 1)[0], limit=200) or "nowhere"
    return asked.error(
        "garbage", f"redirected (HTTP {status}) to {target} (a login page?) at {asked.url}", hint="check the URL"
    )


def value_of(data: Any, asked: Asked) -> Value:
    """The payload of `query` and `query_range` as a core value.

    Raises:
        SourceError: a payload that is none of vector, matrix, scalar, string.
    """
    try:
        kind, result = data["resultType"], data["result"]
        texts = _Texts()
        match kind:
            case "vector":
                return Vector(tuple(_sample(entry, texts) for entry in result))
            case "matrix":
                return Matrix(tuple(_series(entry, texts) for entry in result))
            case "scalar":
                return Scalar(float(result[1]), _moment(result[0]))
            case "string":
                return Text(clean(result[1]), _moment(result[0]))
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        _malformed(asked, error)
    raise asked.error("garbage", f"answered a {clean_line(kind, limit=40)!r}, which is no Prometheus value")


def strings_of(data: Any, asked: Asked) -> tuple[str, ...]:
    """The payload of `label/…/values` and `labels`: sorted, cleaned strings."""
    if data is None:
        return ()
    if not isinstance(data, list):
        _malformed(asked, TypeError("a list was expected"))
    return tuple(sorted({clean(entry) for entry in data}))


def metadata_of(data: Any, asked: Asked) -> tuple[MetricMetadata, ...]:
    """The payload of `metadata`, by metric name; of several entries for one metric the first."""
    try:
        return tuple(
            MetricMetadata(clean(name), clean(entries[0].get("type", "")), clean(entries[0].get("help", "")))
            for name, entries in sorted(data.items())
            if entries
        )
    except (LookupError, TypeError, AttributeError) as error:
        _malformed(asked, error)


def targets_of(data: Any, asked: Asked) -> tuple[Target, ...]:
    """The payload of `targets`: what is scraped, and whether it answers."""
    try:
        return tuple(_target(entry) for entry in data["activeTargets"])
    except (LookupError, TypeError, AttributeError) as error:
        _malformed(asked, error)


class _Texts(dict[str, str]):
    """Cleaned label texts of one answer: the same few hundred repeat in thousands of series."""

    def __missing__(self, raw: str) -> str:
        if not isinstance(raw, str):
            raise TypeError("a label that is not text")
        cleaned = self[raw] = clean(raw)
        return cleaned


def _labels(metric: dict[str, str], texts: _Texts) -> dict[str, str]:
    return {texts[name]: texts[value] for name, value in metric.items()}


def _sample(entry: Any, texts: _Texts) -> Sample:
    labels = _labels(entry["metric"], texts)
    if "value" in entry:
        at, text = entry["value"]
        return Sample(labels, float(text), _moment(at))
    at, raw = entry["histogram"]
    return Sample(labels, math.nan, _moment(at), _histogram(raw))


def _series(entry: Any, texts: _Texts) -> Series:
    points = [(_moment(at), float(text)) for at, text in entry.get("values", ())]
    # A native histogram has no single value: a gap is honest, a count would pass for a measurement.
    points += [(_moment(at), math.nan) for at, _ in entry.get("histograms", ())]
    if "histograms" in entry and "values" in entry:
        points.sort()
    return Series(_labels(entry["metric"], texts), tuple(points))


def _histogram(raw: Any) -> Histogram:
    buckets = tuple((float(low), float(high), float(count)) for _, low, high, count in raw.get("buckets", ()))
    return Histogram(float(raw["count"]), float(raw["sum"]), buckets)


def _moment(at: Any) -> float:
    moment = float(at)
    if not math.isfinite(moment):
        raise ValueError("a time that is no time")
    return moment


def _target(entry: Any) -> Target:
    return Target(
        labels={clean(name): clean(value) for name, value in entry["labels"].items()},
        health=clean(entry.get("health", "unknown")),
        url=clean(entry.get("scrapeUrl", "")),
        last_error=clean(entry.get("lastError", "")),
        last_scrape=clean(entry.get("lastScrape", "")),
    )


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        # "replace": one broken byte in one label must not lose a whole answer.
        text = body.decode("utf-8", errors="replace")
        document = read_in_turns(text) if len(text) > LARGE else json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _reported(status: int, document: dict[str, Any], asked: Asked) -> SourceError:
    if status in (401, 407):
        return refused(status, asked)
    kind = _KINDS.get(str(document.get("errorType", "")))
    kind = kind or _STATUS_KINDS.get(status, "internal" if status >= 500 else "bad-query")
    return asked.error(kind, clean_line(document.get("error") or f"failed with HTTP {status} and gave no reason"))


def _texts(entries: Any) -> tuple[str, ...]:
    return tuple(clean_line(entry) for entry in entries) if isinstance(entries, Iterable) else ()


def _malformed(asked: Asked, error: Exception) -> NoReturn:
    reason = clean_line(error, limit=120)
    raise asked.error("garbage", f"answer does not follow the Prometheus API at {asked.url}: {reason}") from error
