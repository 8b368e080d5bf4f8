"""Whether a secret would travel in plain text: over http to a host that is not this machine."""

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from opsconsole.config.place import Place

_SECRETS = {"password": "a password", "bearer_token": "a token", "token": "a token", "token_command": "a token"}
_HEADERS = ("authorization", "proxy-authorization", "x-api-key", "cookie")


def warn_of_plain_text(entry: Mapping[str, Any], place: Place) -> None:
    """Report, as a warning at its `url`, that the entry of an HTTP source sends a secret in plain text."""
    url = str(entry.get("url", ""))
    what = _secret(url, entry)
    if what and urlsplit(url).scheme == "http" and not is_here(urlsplit(url).hostname or ""):
        message = f"url: {what} goes to {urlsplit(url).hostname} in plain text; use https, or a tunnel to 127.0.0.1"
        place.child("url").report("plain-text-secret", message, warning=True)


def is_here(host: str) -> bool:
    """Whether a connection to `host` stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761, section 6.3


def _secret(url: str, entry: Mapping[str, Any]) -> str:
    """What would be read on the way; empty: nothing."""
    if urlsplit(url).password:
        return "a password"
    named = next((words for key, words in _SECRETS.items() if entry.get(key)), "")
    headers = [str(name) for name in entry.get("headers") or {} if str(name).lower() in _HEADERS]
    return named or (f"the header {headers[0]}" if headers else "")
