"""The `requests` session under prometheus-api-client, which takes care of what that library leaves open.

It would wait for ever, retry heavy queries, follow redirects with credentials, swallow any amount of bytes and
drop the body of an error. Here every request ends in time, is sent once, goes only where the URL says, and what
came is kept whole in `kept`.
"""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from opsconsole.config.settings import HttpSettings
from opsconsole.sources import prometheus_wire as wire
from opsconsole.sources.http_auth import Credentials, tls_context
from opsconsole.sources.http_errors import timed_out, transport_error

_CONNECT_TIMEOUT = 3.0
_GRACE = 1.0
_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer as it came."""

    status: int
    content_type: str
    header_names: frozenset[str]
    body: bytes


class BoundedSession(requests.Session):
    """One request at a time; its answer stays in `kept` until the next."""

    def __init__(self, asked: wire.Asked, settings: HttpSettings, body_limit: int) -> None:
        super().__init__()
        tls_context(asked.source, settings)  # says in plain words which certificate cannot be read
        self.kept: Kept | None = None
        self._asked = asked
        self._settings = settings
        self._body_limit = body_limit
        self._credentials = Credentials(asked.source, settings)
        system = ssl.get_default_verify_paths()
        self.verify = str(settings.ca) if settings.ca else system.cafile or system.capath or True
        if settings.certificate:
            certificate = str(settings.certificate)
            self.cert = (certificate, str(settings.key)) if settings.key else certificate
        # Something, for with nothing here `requests` takes credentials for this host from ~/.netrc.
        self.auth = _unchanged

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **options: Any) -> requests.Response:
        """As `requests.Session.request`, bounded; raises SourceError for everything but an answer."""
        self.kept = None
        options |= {"allow_redirects": False, "stream": True}
        options |= {"timeout": (min(_CONNECT_TIMEOUT, self._settings.timeout), self._settings.timeout + _GRACE)}
        deadline = time.monotonic() + self._settings.timeout + _GRACE
        try:
            headers = self._credentials.headers()
            response = super().request(method, url, *args, **(options | {"headers": headers}))
            if response.status_code == 401 and (renewed := self._credentials.renewed(headers)) is not None:
                response.close()
                response = super().request(method, url, *args, **(options | {"headers": renewed}))
            with response:
                self._keep(response, deadline)
        except (requests.RequestException, HTTPError, OSError) as error:
            timeout = self._settings.timeout
            raise transport_error(self._asked.source, self._asked.url, error, timeout=timeout) from error
        return response

    def _keep(self, response: requests.Response, deadline: float) -> None:
        status, headers = response.status_code, response.headers
        if 300 <= status < 400:
            raise wire.redirected(status, headers.get("Location", ""), self._asked)
        content_type = headers.get("Content-Type", "").lower()
        body = self._body(response, content_type, deadline)
        # The library reads the body again, from here.
        response._content = body
        response._content_consumed = True  # type: ignore[attr-defined]
        self.kept = Kept(status, content_type, _names(headers), body)

    def _body(self, response: requests.Response, content_type: str, deadline: float) -> bytes:
        body = bytearray()
        # read1 gives what is there; read, all that older versions of urllib3 have, waits until a block is full.
        read = getattr(response.raw, "read1", response.raw.read)
        while chunk := read(_BLOCK, decode_content=True):
            first = not body
            body += chunk
            if first and wire.looks_foreign(bytes(chunk), content_type):
                break
            if len(body) > self._body_limit:
                raise wire.too_large(self._asked, self._body_limit)
            if time.monotonic() > deadline:
                raise timed_out(self._asked.source, self._asked.url, self._settings.timeout)
        return bytes(body)


def _names(headers: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name.lower() for name in headers)


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
