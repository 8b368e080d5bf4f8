"""What went wrong below HTTP, in the words of an operator: `connection refused at 127.0.0.1:9090`.

Works on the exceptions of any HTTP library: what counts is the operating system's error at the bottom of the chain.
"""

import errno
import socket
import ssl
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError

_CLOSED = "connection closed by {place} before the whole answer"
_ERRNO = {
    errno.ECONNREFUSED: "connection refused at {place}",
    errno.EHOSTUNREACH: "no route to {place}",
    errno.ENETUNREACH: "network unreachable for {place}",
    errno.ECONNRESET: _CLOSED,
    errno.EPIPE: _CLOSED,
    errno.ETIMEDOUT: "no connection to {place}",
    errno.EMFILE: "too many open files on this machine",
    errno.EADDRNOTAVAIL: "no free local port towards {place}",
}
# h11 (httpx) and http.client (requests) say it in these words.
_SIGNS_OF_CLOSING = ("disconnected", "without sending complete", "without response", "incompleteread", "prematurely")


_BEFORE_SENDING = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"})
"""What httpx calls a failure before anything of the request has left."""


class UnsentError(SourceError):
    """There was no connection, so nothing was sent: whoever wanted to change something knows that nothing did."""


def place_of(url: str) -> str:
    """`host:port` of a URL, as error texts name it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def without_credentials(url: str) -> str:
    """The URL without user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def timed_out(source: str, url: str, seconds: float) -> SourceError:
    """Nothing, or not everything, came within `seconds`."""
    return SourceError(source, "timeout", f"no answer within {seconds:g} s from {place_of(url)}")


def transport_error(source: str, url: str, error: BaseException, *, timeout: float) -> SourceError:
    """A `SourceError` for an exception that an HTTP library raised instead of an answer; an `UnsentError` where nothing
    was sent for certain."""
    chain = list(_chain(error))
    found = _in_words(source, url, error, chain, timeout)
    if type(error).__name__ in _BEFORE_SENDING:
        return UnsentError(found.source, found.kind, found.message, hint=found.hint)
    return found


def _in_words(
    source: str, url: str, error: BaseException, chain: Sequence[BaseException], timeout: float
) -> SourceError:
    place = place_of(url)
    for cause in chain:
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLWantReadError | ssl.SSLWantWriteError):
            return _tls_error(source, place, cause)
        if isinstance(cause, socket.gaierror):
            host = urlsplit(url).hostname
            return SourceError(source, "unreachable", f"the name {host} cannot be resolved", hint="DNS, or a typo")
        if isinstance(cause, OSError) and cause.errno in _ERRNO:
            if _ERRNO[cause.errno] == _CLOSED:
                return _closed(source, url)
            return SourceError(source, "unreachable", _ERRNO[cause.errno].format(place=place))
    names = {type(cause).__name__ for cause in chain}
    if names & {"ConnectTimeout", "ConnectTimeoutError", "PoolTimeout"}:
        return SourceError(source, "unreachable", f"no connection to {place} within {timeout:g} s")
    if any("Timeout" in name for name in names):
        return timed_out(source, url, timeout)
    return _by_name(source, url, error)


def _by_name(source: str, url: str, error: BaseException) -> SourceError:
    place, name = place_of(url), type(error).__name__
    if name in ("DecodingError", "ContentDecodingError"):
        return SourceError(source, "garbage", f"answer cannot be decompressed at {place}")
    text = str(error).lower()
    if any(sign in text for sign in _SIGNS_OF_CLOSING):
        return _closed(source, url)
    if name in ("RemoteProtocolError", "InvalidHeader", "BadStatusLine") or "badstatusline" in text:
        return SourceError(source, "garbage", f"answered something that is not HTTP at {place}")
    if name == "ProxyError":
        return SourceError(source, "unreachable", f"the proxy did not connect to {place}", hint="HTTP_PROXY, NO_PROXY")
    return SourceError(source, "unreachable", f"{clean_line(error, limit=160) or name} at {place}")


def _closed(source: str, url: str) -> SourceError:
    # TLS 1.3 refuses a client after the handshake, and its alert is often lost behind the broken connection.
    hint = "does it want a client certificate?" if url.startswith("https:") else ""
    return SourceError(source, "unreachable", _CLOSED.format(place=place_of(url)), hint=hint)


def _tls_error(source: str, place: str, error: ssl.SSLError) -> SourceError:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = clean_line(error.verify_message, limit=120)
        return SourceError(
            source, "refused", f"the certificate of {place} is not trusted: {reason}", hint="name its CA under ca"
        )
    reason = (error.reason or "").upper()
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason or "BAD_CERTIFICATE" in reason:
        return SourceError(source, "refused", f"{place} wants a client certificate", hint="set certificate and key")
    if "UNKNOWN_CA" in reason:
        return SourceError(source, "refused", f"{place} does not trust this client certificate")
    if "WRONG_VERSION_NUMBER" in reason or "RECORD_LAYER" in reason:
        return SourceError(source, "garbage", f"{place} does not speak TLS", hint="http instead of https?")
    what = reason.lower().replace("_", " ") or "the handshake failed"
    return SourceError(source, "unreachable", f"TLS with {place}: {clean_line(what, limit=120)}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and all that led to it: causes, contexts, groups, and what libraries keep in `args` or `reason`."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
