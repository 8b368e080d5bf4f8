"""How a source over HTTP is let in: headers, basic and bearer credentials, certificates.

Everything here may block (a secret can be a command that runs for seconds): call it off the event loop.
"""

import base64
import ssl
import threading
from collections.abc import Mapping
from urllib.parse import urlsplit

from opsconsole.config.secrets import SecretError, SecretRef
from opsconsole.config.settings import HttpSettings
from opsconsole.core.reading import SourceError


class Credentials:
    """The headers that a request carries. Secrets are fetched when first needed, and again when refused."""

    def __init__(self, source: str, settings: HttpSettings) -> None:
        self._source = source
        self._settings = settings
        self._lock = threading.Lock()
        self._headers: dict[str, str] | None = None

    @property
    def known(self) -> dict[str, str] | None:
        """The headers when they were fetched before, without blocking; else None."""
        headers = self._headers
        return None if headers is None else dict(headers)

    def headers(self) -> dict[str, str]:
        """Every header to send.

        Raises:
            SourceError: a secret that cannot be had, or that no HTTP header can carry.
        """
        with self._lock:
            if self._headers is None:
                self._headers = self._fetched()
            return dict(self._headers)

    def renewed(self, refused: Mapping[str, str]) -> dict[str, str] | None:
        """The headers after a 401 to `refused`: secrets are fetched again, once for all who were refused.

        None when they are still the same, so that asking again would only be refused again.
        """
        with self._lock:
            if self._headers == refused:
                self._headers = self._fetched()
            current = dict(self._headers or {})
        return None if current == refused else current

    def _fetched(self) -> dict[str, str]:
        headers = {name: self._value(name, ref) for name, ref in self._settings.headers.items()}
        if self._settings.bearer_token is not None:
            headers["Authorization"] = "Bearer " + self._value("Authorization", self._settings.bearer_token)
        elif self._settings.username:
            password = "" if self._settings.password is None else self._resolved(self._settings.password)
            pair = f"{self._settings.username}:{password}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        return headers

    def _value(self, name: str, ref: SecretRef) -> str:
        value = self._resolved(ref)
        # Checked here, because the error of the HTTP library would quote the value.
        if not value.isascii() or not value.isprintable():
            raise SourceError(
                self._source, "refused", f"{ref.describe()} holds what no HTTP header can carry, for {name}"
            )
        return value

    def _resolved(self, ref: SecretRef) -> str:
        try:
            return ref.reveal()
        except SecretError as error:
            raise SourceError(self._source, "refused", str(error), hint="no credentials to send") from None


def tls_context(source: str, settings: HttpSettings) -> ssl.SSLContext | None:
    """What to trust and how to prove oneself; None where the URL is plain HTTP.

    Raises:
        SourceError: a certificate or key that cannot be read.
    """
    if urlsplit(settings.url).scheme != "https":
        return None
    what = f"CA file {settings.ca}"
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        what = f"certificate {settings.certificate} or key {settings.key}"
        if settings.certificate is not None:
            # An empty password instead of OpenSSL's prompt, which would read from the operator's terminal.
            context.load_cert_chain(settings.certificate, settings.key, password=lambda: "")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a usable PEM file"
        raise SourceError(source, "refused", f"{what} cannot be used: {reason}") from None
    return context
