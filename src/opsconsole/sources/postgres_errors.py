"""What PostgreSQL and libpq report, as one short line with the SQLSTATE and what to do about it."""

import re
from typing import TYPE_CHECKING

from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError

if TYPE_CHECKING:
    import psycopg

# Connecting fails without an SQLSTATE: libpq hands out text only. First match wins.
_CONNECTING: tuple[tuple[str, str, str, str], ...] = (
    (r"too many clients|remaining connection slots|too many connections", "overloaded", "too many connections", ""),
    (r"no more connections allowed", "overloaded", "the pooler takes no more clients", "max_client_conn"),
    (r"FATAL:\s+not allowed", "refused", "the user may not use the admin console", "put it into stats_users"),
    (r"no such (database|user)", "refused", "", ""),
    (r"database system is starting up", "gone", "the server is starting up", ""),
    (r"database system is shutting down", "gone", "the server is shutting down", ""),
    (r"not yet accepting connections|in recovery mode", "gone", "the server is in recovery", ""),
    (r"password authentication failed", "refused", "", "check the password, or .pgpass"),
    (r"no password supplied", "refused", "the server wants a password", "put it into .pgpass or the dsn"),
    (r"no pg_hba\.conf entry", "refused", "", "pg_hba.conf on the server does not let this host in"),
    (r"(peer|ident) authentication failed", "refused", "", "the server compares with the operating-system user"),
    (r'(role|database) ".*" does not exist', "refused", "", ""),
    (r"permission denied for database", "refused", "", "grant connect on the database"),
    (r"could not translate host name|failed to resolve", "unreachable", "the host of {place} cannot be resolved", ""),
    (r"connection refused", "unreachable", "connection refused at {place}", ""),
    (r"no such file or directory", "unreachable", "no server on the socket {place}", ""),
    (r"no route to host", "unreachable", "no route to {place}", ""),
    (r"network is unreachable", "unreachable", "network unreachable for {place}", ""),
    (r"timeout expired|timed out", "timeout", "no answer within {seconds:g} s from {place}", ""),
    (r"certificate verify failed", "refused", "the certificate of {place} is not trusted", "set sslrootcert"),
    (r"server does not support ssl", "refused", "{place} does not offer TLS", "sslmode asks for it"),
    (r"definition of service .* not found", "unsupported", "", "~/.pg_service.conf or $PGSERVICEFILE"),
    (r"terminated abnormally|closed the connection|reset by peer", "gone", "connection closed by {place}", ""),
    (r"invalid response to ssl|received invalid|unsupported frontend|expected authentication request", "garbage",
     "something that is not PostgreSQL answers at {place}", ""),
)  # fmt: skip

_STATES: dict[str, tuple[str, str]] = {
    "25006": ("refused", "panes and checks only read"),
    "42501": ("refused", "the role lacks that right; for statistics pg_monitor has it"),
    "53300": ("overloaded", ""),
    "55P03": ("timeout", "somebody holds a lock on it"),
    "55000": ("bad-query", ""),
    "57P01": ("gone", ""),
    "57P02": ("gone", ""),
    "57P03": ("gone", ""),
    "57P05": ("gone", ""),
    "25P03": ("gone", ""),
}
_CLASSES = {
    "08": "unreachable",
    "28": "refused",
    "53": "overloaded",
    "XX": "internal",
    "58": "internal",
    "F0": "internal",
}
# What stands before the reason, and would push it out of a pane.
_OPENING = re.compile(
    r"^.*?\b(?:FATAL|ERROR|PANIC|connection is bad|connection failed"
    r"|connection to server (?:at|on)[^\n]*?\bfailed):\s+",
    re.DOTALL,
)


def connecting(source: str, place: str, error: Exception, *, seconds: float) -> SourceError:
    """Why no connection came about."""
    text = str(error)
    for pattern, kind, message, hint in _CONNECTING:
        if re.search(pattern, text, re.IGNORECASE):
            return SourceError(
                source, kind, message.format(place=place, seconds=seconds) or _first_line(text), hint=hint
            )
    return SourceError(source, "unreachable", f"{_first_line(text)} at {place}")


def unanswered(source: str, place: str, seconds: float) -> SourceError:
    """No connection in all the time there was."""
    return SourceError(source, "timeout", f"no answer within {seconds:g} s from {place}")


def answering(source: str, error: "psycopg.Error", *, seconds: float, took: float) -> SourceError:
    """Why a statement failed. `seconds` is the statement time-out, `took` how long it ran."""
    state = error.sqlstate
    if state is None:
        return SourceError(source, "gone", "the connection was lost", hint=_hint_of_loss(error))
    reason = _first_line(error.diag.message_primary or str(error))
    if state == "57014":
        # Both a time-out and a cancellation; the text that tells them apart is in the server's language.
        if took >= seconds * 0.95:
            return SourceError(source, "timeout", f"the query did not end within {seconds:g} s [57014]")
        return SourceError(source, "gone", "the query was cancelled by somebody [57014]")
    kind, hint = _STATES.get(state, (_CLASSES.get(state[:2], "bad-query"), ""))
    where = _where(error)
    return SourceError(source, kind, f"{reason}{where} [{state}]", hint=hint or _server_hint(error))


def _where(error: "psycopg.Error") -> str:
    position = error.diag.statement_position
    wrong = (error.sqlstate or "").startswith("42")  # a text that is wrong, rather than bad luck at that place
    return f" at character {position}" if position and wrong else ""


def _server_hint(error: "psycopg.Error") -> str:
    if error.sqlstate == "42601" and "$" in (error.diag.message_primary or ""):
        return "write :'X'::interval rather than interval :'X'"
    return clean_line(error.diag.message_hint or "", limit=160)


def _hint_of_loss(error: "psycopg.Error") -> str:
    text = str(error)
    return _first_line(text) if _OPENING.match(text) else ""


def _first_line(text: str) -> str:
    while opening := _OPENING.match(text):
        text = text[opening.end() :]
    line = text.strip().partition("\n")[0]
    return clean_line(line, limit=300) or "no reason given"
