"""A dashboard over HTTP: from a Grafana, by the address at which it shows it, or from grafana.com by its number."""

import json
import re
import time
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from opsconsole.config.secrets import SecretRef
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.monitoring.grafana.reading import MAX_BYTES
from opsconsole.monitoring.grafana.untrusted import at, mapping, mappings

_TIMEOUT = 20.0
_DEADLINE = 60.0
"""Seconds for a whole answer, however slowly it comes."""
_UID = re.compile(r"[A-Za-z0-9_-]{1,60}")
_SHOWN = re.compile(r"^(?P<root>.*?)/(?:d|d-solo)/(?P<uid>[A-Za-z0-9_-]+)(?:/[^/]*)?/?$")
_API = re.compile(r"^(?P<root>.*?)/api/dashboards/uid/(?P<uid>[A-Za-z0-9_-]+)/?$")
_PUBLISHED = re.compile(r"^/(?:grafana|api)/dashboards/(?P<number>\d{1,9})(?:-[^/]*)?(?P<rest>/revisions/.*)?/?$")
_MOST_LIBRARY_PANELS = 50


def fetch_dashboard(url: str, token: SecretRef | None = None) -> str:
    """The JSON of the dashboard at `url`: `…/d/UID/…` or `…/api/dashboards/uid/UID` of a Grafana,
    `grafana.com/grafana/dashboards/NUMBER`, or any address that answers with JSON.

    Library panels of a Grafana are fetched as well. The token is sent to that Grafana only; redirects to elsewhere are
    not followed.

    Raises:
        SourceError: it does not answer, refuses, or answers with too much or with something else.
        SecretError: the token cannot be had.
    """
    import httpx

    parts = urlsplit(url)
    shown = f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
    headers = {"Accept": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token.reveal()}"
    with httpx.Client(timeout=_TIMEOUT, headers=headers, follow_redirects=False) as client:
        text = _get(client, dashboard_address(url), shown)
        root = _root(url)
        return _with_library_panels(client, text, root, shown) if root else text


def dashboard_address(url: str) -> str:
    """Where the JSON of the dashboard is that a person sees at `url`."""
    parts = urlsplit(url)
    if (parts.hostname or "").removeprefix("www.") == "grafana.com" and (match := _PUBLISHED.match(parts.path)):
        rest = match["rest"] or "/revisions/latest/download"
        return urlunsplit((parts.scheme, parts.netloc, f"/api/dashboards/{match['number']}{rest}", "", ""))
    match = _SHOWN.match(parts.path)
    if match and _UID.fullmatch(match["uid"]):
        return urlunsplit((parts.scheme, parts.netloc, f"{match['root']}/api/dashboards/uid/{match['uid']}", "", ""))
    return url


def _root(url: str) -> str:
    """The address of the Grafana itself; empty where it is none."""
    parts = urlsplit(url)
    match = _SHOWN.match(parts.path) or _API.match(parts.path)
    return urlunsplit((parts.scheme, parts.netloc, match["root"], "", "")) if match else ""


def _get(client: Any, url: str, shown: str) -> str:
    import httpx

    until = time.monotonic() + _DEADLINE
    try:
        with client.stream("GET", url) as answer:
            if answer.status_code != 200:
                raise SourceError(shown, *_refusal(answer.status_code))
            chunks: list[bytes] = []
            size = 0
            for chunk in answer.iter_bytes():
                size += len(chunk)
                if size > MAX_BYTES:
                    raise SourceError(shown, "garbage", f"more than {MAX_BYTES} bytes; expected a dashboard")
                if time.monotonic() > until:
                    raise SourceError(shown, "timeout", f"not all of it within {_DEADLINE:g} s")
                chunks.append(chunk)
    except httpx.TimeoutException:
        raise SourceError(shown, "timeout", f"no answer within {_TIMEOUT:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceError(shown, "unreachable", clean_line(str(error) or type(error).__name__, limit=200)) from None
    return b"".join(chunks).decode("utf-8", errors="replace")


def _refusal(status: int) -> tuple[str, str]:
    """(kind, message) of a SourceError."""
    match status:
        case 401 | 403:
            return (
                "refused",
                f"refuses ({status}); a token of it that may view the dashboard goes with --token-env NAME",
            )
        case 404:
            return "bad-query", "knows no such dashboard (404)"
        case 301 | 302 | 303 | 307 | 308:
            return (
                "refused",
                f"sends elsewhere ({status}), perhaps to a log-in page; a token goes with --token-env NAME",
            )
        case _:
            return "garbage", f"answers {status}"


def _with_library_panels(client: Any, text: str, root: str, shown: str) -> str:
    """`text` with the content of its library panels, which Grafana keeps apart; one that cannot be had stays out."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    dashboard = mapping(at(document, "dashboard"))
    found: dict[str, Any] = {}
    for uid in list(dict.fromkeys(_library_uids(dashboard)))[:_MOST_LIBRARY_PANELS]:
        try:
            answer = json.loads(_get(client, f"{root}/api/library-elements/{quote(uid, safe='')}", shown))
        except (SourceError, ValueError, RecursionError):
            continue
        found[uid] = {"model": at(answer, "result", "model")}
    if not found:
        return text
    document["dashboard"] = {**dashboard, "__elements": {**mapping(dashboard.get("__elements")), **found}}
    return json.dumps(document)


def _library_uids(dashboard: Any) -> list[str]:
    panels = [one for panel in mappings(dashboard.get("panels")) for one in (panel, *mappings(panel.get("panels")))]
    return [uid for panel in panels if isinstance(uid := at(panel, "libraryPanel", "uid"), str) and uid]
