"""Sending a request: only where the configuration allows it, with its answer streamed, bounded and judged."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from opsconsole.actions.action import Outcome, Result, Sink
from opsconsole.actions.runners.http_request import HttpRequest, origin_of
from opsconsole.config.settings import Environment, HttpSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.sources.http_errors import place_of, transport_error

if TYPE_CHECKING:
    import ssl

    import httpx

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of an answer that are read, after decompression."""
_REDIRECTS = 5
_CONNECT_TIMEOUT = 10.0
_LOOKING = frozenset({"GET", "HEAD"})
_REDIRECTING = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Reachable:
    """Where requests may go, and with what: the hosts of `http_hosts`, and the configured sources."""

    hosts: frozenset[str]
    """`host` (ports 80 and 443) or `host:port`, lower case."""
    sources: Mapping[str, HttpSettings]
    """`prometheus`, `alertmanager`, `prometheus/NAME`, `alertmanager/NAME`, `airflow`: what is configured of them."""

    @classmethod
    def of(cls, environment: Environment) -> "Reachable":
        """What `environment` allows."""
        named = {
            **environment.every_prometheus,
            **environment.every_alertmanager,
            "airflow": environment.airflow,
        }
        sources = {name: settings for name, settings in named.items() if settings is not None and settings.url}
        return cls(frozenset(host.lower() for host in environment.http_hosts), sources)

    def bases(self) -> dict[str, str]:
        """Source -> its address."""
        return {name: settings.url for name, settings in self.sources.items()}

    def refusal(self, url: str) -> str:
        """Why no request may go to `url`; empty where one may."""
        scheme, host, port = origin_of(url)
        if scheme not in ("http", "https"):
            return f"{scheme}:// is not for requests"
        host = f"[{host}]" if ":" in host else host
        if f"{host}:{port}" in self.hosts or (port in (80, 443) and host in self.hosts) or self.source_at(url):
            return ""
        return f"{place_of(url)} is not among http_hosts of this environment, and no configured source"

    def source_at(self, url: str) -> HttpSettings | None:
        """The configured source that `url` belongs to: same origin, and at or below its path."""
        for settings in self.sources.values():
            below = url == settings.url or url.startswith((f"{settings.url}/", f"{settings.url}?"))
            if below and origin_of(url) == origin_of(settings.url):
                return settings
        return None


@dataclass(frozen=True, slots=True)
class HttpRunner:
    """Sends `request` and writes the answer's body to the sink.

    What belongs to a configured source is sent with its credentials, unless the request has an Authorization header of
    its own. Redirects are followed for GET and HEAD, to allowed hosts, without headers that the request brought.
    """

    request: HttpRequest
    reachable: Reachable
    statuses: tuple[str, ...] = ("2xx",)
    """Good ones: `404`, or a class such as `2xx`."""
    timeout: float = 60.0
    """Seconds without a byte after which the answer is given up; the action's timeout is the limit of it all."""

    async def run(self, sink: Sink) -> Result:
        """Send it once. What was sent, could change something, and was not answered, is `unknown`."""
        started = time.monotonic()
        request = self.request
        try:
            for _ in range(_REDIRECTS + 1):
                if refused := self.reachable.refusal(request.url):
                    return Result(Outcome.FAILED, detail=refused)
                result, location = await self._exchange(request, sink)
                if not location:
                    return replace(result, duration=time.monotonic() - started)
                request = _redirected(request, location)
        except SourceError as error:
            return Result(Outcome.FAILED, detail=str(error))
        return Result(Outcome.FAILED, detail=f"more than {_REDIRECTS} redirects")

    async def _exchange(self, request: HttpRequest, sink: Sink) -> tuple[Result, str]:
        """One request and its answer. The second is where a redirect leads that is to be followed."""
        import httpx

        settings = self.reachable.source_at(request.url)
        headers, context = await asyncio.to_thread(_access, settings, request)
        timeout = httpx.Timeout(self.timeout, connect=min(_CONNECT_TIMEOUT, self.timeout))
        sent = _Sent()
        try:
            async with (
                httpx.AsyncClient(
                    verify=context or request.url.startswith("https:"), timeout=timeout, follow_redirects=False
                ) as client,
                client.stream(
                    request.method,
                    request.url,
                    headers=headers,
                    content=request.body or None,
                    extensions={"trace": sent.trace},
                ) as response,
            ):
                location = response.headers.get("location", "")
                if response.status_code in _REDIRECTING and location and request.method in _LOOKING:
                    return Result(Outcome.OK), location
                return await self._judged(response, request, sink), ""
        except asyncio.CancelledError:
            if sent.request and request.method not in _LOOKING:
                return _unknown("it was cut off before the answer"), ""
            raise
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            why = str(transport_error(place_of(request.url), request.url, error, timeout=self.timeout))
            if sent.request and request.method not in _LOOKING:
                return _unknown(why), ""
            return Result(Outcome.FAILED, detail=why), ""

    async def _judged(self, response: "httpx.Response", request: HttpRequest, sink: Sink) -> Result:
        size, cut = 0, False
        async for piece in response.aiter_bytes():
            sink(piece[: BODY_LIMIT - size])
            size += len(piece)
            if size > BODY_LIMIT:
                cut = True
                break
        status = response.status_code
        said = f"{status} {_phrase(status)}".rstrip() + f", {min(size, BODY_LIMIT)} bytes"
        if cut:
            said += "; the rest was not read"
        if status in _REDIRECTING:
            where = clean_line(response.headers.get("location", ""), limit=200)
            said += f"; it leads to {where}, which is not followed after {request.method}"
        if not {str(status), f"{status // 100}xx"}.isdisjoint(self.statuses):
            return Result(Outcome.WARN if cut else Outcome.OK, detail=said)
        return Result(Outcome.FAILED, detail=f"{said}; expected {', '.join(self.statuses)}")


class _Sent:
    """Whether the request went out: from then on nobody knows what it did, until there is an answer."""

    def __init__(self) -> None:
        self.request = False

    async def trace(self, event: str, info: object) -> None:
        """httpcore tells of each stage of an exchange."""
        if event.endswith("send_request_headers.started"):
            self.request = True


def _access(settings: HttpSettings | None, request: HttpRequest) -> "tuple[dict[str, str], ssl.SSLContext | None]":
    """The headers to send, and what to trust. Blocks: a secret can be a command."""
    own = dict(request.headers)
    if request.body and not any(name.lower() == "content-type" for name in own):
        own["Content-Type"] = "application/json"
    if settings is None:
        return own, None
    from opsconsole.sources.http_auth import Credentials, tls_context

    given = Credentials(place_of(settings.url), settings).headers()
    names = {name.lower() for name in own}
    return {name: value for name, value in given.items() if name.lower() not in names} | own, tls_context(
        place_of(settings.url), settings
    )


def _redirected(request: HttpRequest, location: str) -> HttpRequest:
    """The request that a redirect asks for; headers stay with the origin they were written for."""
    url = urljoin(request.url, location)
    same = origin_of(url) == origin_of(request.url)
    return HttpRequest(request.method, url, request.headers if same else (), b"")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _unknown(why: str) -> Result:
    return Result(Outcome.UNKNOWN, detail=f"{why}; whether it took effect is not known")
