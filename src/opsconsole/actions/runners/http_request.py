"""A request as people write it, with slots for values that can never become part of its structure.

    POST https://api.internal/v1/dags/${DAG_ID}/runs
    Content-Type: application/json

    {"note": "${NOTE}", "conf": {"day": ${DAY}}}

Where a slot stands decides how its value is written: percent-encoded in path, query and form bodies, as JSON in JSON
bodies, and as it is in headers, where a line break is refused. Anywhere else there are no slots.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from opsconsole.core.secret import Secret

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BASES: Mapping[str, str] = {
    "OPS_PROMETHEUS_URL": "prometheus",
    "OPS_ALERTMANAGER_URL": "alertmanager",
    "OPS_AIRFLOW_URL": "airflow",
}
"""Slots for the beginning of a URL -> the source whose configured address they stand for."""

_SLOT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_BASE = re.compile(r"\$\{(" + "|".join(BASES) + r")\}")
_START = re.compile(r"([A-Za-z]+)[ \t]+(\S+)(?:[ \t]+HTTP/[0-9.]+)?[ \t]*")
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*(.*)")
# The connection's own business, or a way to send something else than what is shown.
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"})
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false")
FORM = "application/x-www-form-urlencoded"
Values = Mapping[str, "str | Secret"]


class HttpTextError(ValueError):
    """The text is no request, or a value cannot stand where it is used. Line and column count from 1."""

    def __init__(self, message: str, line: int, column: int = 1) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


@dataclass(frozen=True, slots=True)
class Slot:
    """One use of a value. Line and column count from 1."""

    name: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What is sent. Holds secrets in the clear, so it is not shown."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpTemplate:
    """A request whose slots are not filled yet."""

    method: str
    base: str
    """The source whose address the URL begins with; empty: the URL says it itself."""
    target: str
    """The URL, without the base."""
    headers: tuple[tuple[str, str, int], ...]
    """(name, value, line)."""
    body: str
    body_line: int
    slots: tuple[Slot, ...]

    def filled(self, values: Values, bases: Mapping[str, str], numbers: Collection[str] = ()) -> HttpRequest:
        """The request with `values` in its slots.

        Args:
            values: by name; a secret goes where it is used.
            bases: source -> its configured address.
            numbers: names whose values are numbers or booleans, and are written as such in JSON.

        Raises:
            HttpTextError: a value is missing, or cannot stand where it is used.
        """
        known = {name: value.reveal() if isinstance(value, Secret) else value for name, value in values.items()}
        for slot in self.slots:
            if slot.name not in known and slot.name not in BASES:
                raise HttpTextError(f"no value for {slot.name}", slot.line, slot.column)
        if self.base and self.base not in bases:
            raise HttpTextError(f"no {self.base} is configured here", 1)
        address = bases[self.base].rstrip("/") if self.base else ""
        headers = tuple((name, _header_value(name, value, line, known)) for name, value, line in self.headers)
        return HttpRequest(
            self.method, address + _target(self.target, known), headers, self._body(known, numbers).encode()
        )

    @property
    def is_json(self) -> bool:
        """Whether the body is JSON, by its Content-Type or, without one, by its first character."""
        kind = self._content_type
        return "json" in kind if kind else self.body.lstrip()[:1] in ("{", "[")

    @property
    def _content_type(self) -> str:
        return next((value.lower() for name, value, _ in self.headers if name.lower() == "content-type"), "")

    def _body(self, values: Mapping[str, str], numbers: Collection[str]) -> str:
        if self.is_json:
            return _json_filled(self.body, values, numbers)
        if self._content_type.startswith(FORM):
            return _SLOT.sub(lambda found: quote(values[found[1]], safe=""), self.body)
        return self.body


def parse_request(text: str) -> HttpTemplate:
    """The request that `text` is.

    Raises:
        HttpTextError: it is none; or a slot stands where no value can be made safe.
    """
    lines = text.rstrip("\n").split("\n")
    lines = [line.removesuffix("\r") for line in lines]
    start = _START.fullmatch(lines[0])
    if start is None or start[1].upper() not in METHODS:
        raise HttpTextError(f"expected a line such as POST https://host/path; methods are {', '.join(METHODS)}", 1)
    base, target = _split_base(start[2], lines[0].find(start[2]) + 1)
    headers: list[tuple[str, str, int]] = []
    at = 1
    while at < len(lines) and lines[at].strip():
        found = _HEADER.fullmatch(lines[at])
        if found is None:
            raise HttpTextError("expected a header such as Accept: application/json, or an empty line", at + 1)
        if found[1].lower() in _OURS:
            raise HttpTextError(f"{found[1]} is set by the connection itself", at + 1)
        headers.append((found[1], found[2].strip(), at + 1))
        at += 1
    template = HttpTemplate(
        method=start[1].upper(),
        base=base,
        target=target,
        headers=tuple(headers),
        body="\n".join(lines[at + 1 :]),
        body_line=at + 2,
        slots=tuple(_slots(lines)),
    )
    _check_body(template)
    return template


def shown(request: HttpRequest) -> str:
    """The request as text. The caller masks secrets."""
    lines = [f"{request.method} {request.url}", *(f"{name}: {value}" for name, value in request.headers)]
    if request.body:
        lines += ["", request.body.decode("utf-8", "replace")]
    return "\n".join(lines)


def _split_base(url: str, column: int) -> tuple[str, str]:
    found = _BASE.match(url)
    base, target = (BASES[found[1]], url[found.end() :]) if found else ("", url)
    if base:
        if target and target[0] not in "/?":
            raise HttpTextError("expected a path after the address, beginning with /", 1, column)
        authority = ""
    else:
        scheme = re.match(r"https?://([^/?#]*)", target)
        if scheme is None:
            expected = ", ".join(f"${{{name}}}" for name in BASES)
            raise HttpTextError(f"expected http://, https://, or one of {expected} to begin the URL", 1, column)
        authority = scheme[1]
        if "@" in authority:
            raise HttpTextError("no user and password in a URL; use a header and a secret", 1, column)
        if _SLOT.search(authority) or not re.fullmatch(
            r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?", authority
        ):
            raise HttpTextError("the host has to be written out; no parameter can name it", 1, column)
    if "#" in target:
        raise HttpTextError("a fragment (#) is not sent; write %23 for the character", 1, column)
    if not target.isascii() or not target.isprintable():
        raise HttpTextError("only printable ASCII in a URL; percent-encode the rest", 1, column)
    return base, target


def _slots(lines: list[str]) -> list[Slot]:
    found = []
    for number, line in enumerate(lines, start=1):
        for one in _SLOT.finditer(line):
            if one[1] not in BASES:
                found.append(Slot(one[1], number, one.start() + 1))
            elif number > 1 or not line[: one.start()].rstrip().isalpha():
                raise HttpTextError(f"{one.group()} can only begin the URL", number, one.start() + 1)
    return found


def _check_body(template: HttpTemplate) -> None:
    slots = [slot for slot in template.slots if slot.line >= template.body_line]
    if template.body.strip() and template.method in ("GET", "HEAD"):
        raise HttpTextError(f"{template.method} has no body; write POST", template.body_line)
    if template.is_json:
        sample = _json_filled(template.body, {slot.name: "0" for slot in slots}, {slot.name for slot in slots})
        try:
            json.loads(sample)
        except (ValueError, RecursionError) as error:
            line = getattr(error, "lineno", 1)
            message = f"the body is no JSON: {getattr(error, 'msg', error)}"
            raise HttpTextError(message, template.body_line + line - 1, getattr(error, "colno", 1)) from None
    elif slots and not template._content_type.startswith(FORM):
        message = f"no values in a body that is neither JSON nor a form; add Content-Type: application/json or {FORM}"
        raise HttpTextError(message, slots[0].line, slots[0].column)


def _target(target: str, values: Mapping[str, str]) -> str:
    path, mark, query = target.partition("?")
    parts = []
    for segment in path.split("/"):
        written = _SLOT.sub(lambda found: quote(values[found[1]], safe=""), segment)
        # `DELETE /silence/${ID}` without an ID, or with `..` that a server decodes, is a request for something else.
        pieces = re.split(r"[/\\]", unquote(written))
        if written != segment and (not written or not {".", ".."}.isdisjoint(pieces)):
            raise HttpTextError(f"the value for {segment} would change the path: empty, or '.' or '..' in it", 1)
        parts.append(written)
    return "/".join(parts) + mark + _SLOT.sub(lambda found: quote(values[found[1]], safe=""), query)


def _header_value(name: str, value: str, line: int, values: Mapping[str, str]) -> str:
    def put(found: re.Match[str]) -> str:
        given = values[found[1]]
        if not given.isascii() or not (given.isprintable() or given == ""):
            # the value itself stays out of the message: it may be a secret
            raise HttpTextError(f"the value of {found[1]} holds what no header can carry", line)
        return given

    return _SLOT.sub(put, value).strip()


def _json_filled(body: str, values: Mapping[str, str], numbers: Collection[str]) -> str:
    """`body` with each slot written as JSON: inside a string its inner text, elsewhere a whole value."""

    def inside(found: re.Match[str]) -> str:
        return json.dumps(values[found[1]])[1:-1]

    def whole(found: re.Match[str]) -> str:
        value = values[found[1]]
        return value if found[1] in numbers and _JSON_NUMBER.fullmatch(value) else json.dumps(value)

    parts, position = [], 0
    for string in _JSON_STRING.finditer(body):
        parts.append(_SLOT.sub(whole, body[position : string.start()]))
        parts.append(_SLOT.sub(inside, string.group()))
        position = string.end()
    return "".join([*parts, _SLOT.sub(whole, body[position:])])


def origin_of(url: str) -> tuple[str, str, int]:
    """(scheme, host, port) of a URL, the default port written out."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or (443 if scheme == "https" else 80)
