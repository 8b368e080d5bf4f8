"""What Airflow refuses, told apart: not let in (401), not allowed (403), not there (404), not understood (400, 422)."""

import json
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError

_LONGEST = 400
"""Characters of what Airflow says about it."""


class AirflowError(SourceError):
    """An answer that is no success. `status` is its HTTP status."""

    def __init__(self, source: str, kind: str, message: str, *, status: int, hint: str = "") -> None:
        super().__init__(source, kind, message, hint=hint)
        self.status = status


def refusal(source: str, status: int, body: bytes, what: str, who: str, remedy: str = "") -> AirflowError:
    """The error for an answer with `status`, when `who` (`user jane`, `the token`) asked for `what`. `remedy` is what
    whoever is not let in can do.

    The kinds are `refused` for 401 and 403, `bad-query` for other 4xx, `overloaded` for 429, `internal` for 5xx.
    """
    said = detail_of(body)
    match status:
        case 401:
            return AirflowError(
                source, "refused", f"401: {who} is not let in" + _after(said), status=status,
                hint=remedy or "wrong or expired credentials",
            )  # fmt: skip
        case 403:
            return AirflowError(
                source, "refused", f"403: {who} may not {what}" + _after(said), status=status,
                hint="ask for a role in Airflow that may",
            )  # fmt: skip
        case 404:
            return AirflowError(source, "bad-query", f"404: could not {what}" + _after(said), status=status)
        case 409:
            return AirflowError(source, "bad-query", f"409: it is there already: {what}" + _after(said), status=status)
        case 400 | 422:
            message = f"{status}: Airflow does not accept the values to {what}" + _after(said)
            return AirflowError(source, "bad-query", message, status=status)
        case 429 | 503:
            return AirflowError(source, "overloaded", f"{status}: Airflow is overloaded" + _after(said), status=status)
    kind = "internal" if status >= 500 else "bad-query"
    return AirflowError(source, kind, f"answered {status} when asked to {what}" + _after(said), status=status)


def detail_of(body: bytes) -> str:
    """What the body of a refusal says, on one line: `detail` as text or as FastAPI's list, or RFC 7807; empty for
    what is neither."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(answer, dict):
        return ""
    detail = answer.get("detail") or answer.get("title") or ""
    if isinstance(detail, list):
        detail = "; ".join(_complaint(one) for one in detail)
    elif isinstance(detail, dict):
        detail = detail.get("message") or detail.get("reason") or json.dumps(detail)
    return clean_line(detail, limit=_LONGEST)


def _complaint(one: Any) -> str:
    """One entry of FastAPI's list: `body.logical_date: Field required`."""
    if not isinstance(one, dict):
        return str(one)
    place = ".".join(str(part) for part in one.get("loc", ()) if part != "body")
    return f"{place}: {one.get('msg', '')}" if place else str(one.get("msg", ""))


def _after(said: str) -> str:
    return f": {said}" if said else ""
