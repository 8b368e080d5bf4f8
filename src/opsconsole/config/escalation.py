"""`escalation.yaml`: who is told of which alert, how, and at which times not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from opsconsole.config.alerting import LABEL
from opsconsole.config.document import Document, load_document
from opsconsole.config.format import VersionNumber, warn_of_password
from opsconsole.config.schema import (
    IDENTIFIER,
    INVALID,
    Choice,
    Duration,
    Either,
    FilePath,
    Flag,
    ListOf,
    MapOf,
    Place,
    Record,
    Text,
    Url,
    check,
)
from opsconsole.config.sla_format import Zone
from opsconsole.core.problem import Problem, nearest

KINDS = ("email", "slack", "pagerduty", "webhook")
WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
Match = Mapping[str, tuple[str, ...]]
"""Label -> the values of which it has to have one."""


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Way:
    """One way on which a receiver is told. Secrets are paths of files on Alertmanager's machine."""

    kind: str
    to: str = ""
    """email: the address."""
    channel: str = ""
    """slack."""
    url: str = ""
    """webhook: where it is sent to."""
    secret: str = ""
    """The file with Slack's webhook, PagerDuty's integration key, or the bearer token of a webhook."""
    resolved: bool = True
    """Whether its end is told, too."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """A span of time in which a route tells nobody. Minutes of the day; `begin` after `end`: over midnight."""

    days: tuple[str, ...] = ()
    """Weekdays on which it begins; empty: every day."""
    begin: int = 0
    end: int = 1440
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Grouping:
    """How alerts are gathered into one message. Seconds; None: as the level above."""

    by: tuple[str, ...] | None = None
    wait: float | None = None
    """Before the first message of a group."""
    interval: float | None = None
    """Before the next one, when the group changed."""
    repeat: float | None = None
    """Before the same one again."""


@dataclass(frozen=True, slots=True)
class RouteTo:
    """Alerts that match go to a receiver."""

    to: str
    match: Match = field(default_factory=_nothing)
    quiet: tuple[str, ...] = ()
    also: bool = False
    """Whether the routes after it are asked, too."""
    grouping: Grouping = Grouping()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert like `while_` fires, those like `mute` with the same values of `same` are not told."""

    while_: Match
    mute: Match
    same: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mail:
    """The server that takes e-mail."""

    server: str
    sender: str
    username: str = ""
    password_file: str = ""
    tls: bool = True


@dataclass(frozen=True, slots=True)
class Escalation:
    """The whole file."""

    receivers: Mapping[str, tuple[Way, ...]]
    otherwise: str
    routes: tuple[RouteTo, ...] = ()
    grouping: Grouping = Grouping()
    quiet_hours: Mapping[str, tuple[Quiet, ...]] = field(default_factory=_nothing)
    inhibitions: tuple[Inhibition, ...] = ()
    mail: Mail | None = None
    file: str = ""


_SECRET = Record({"file": FilePath()}, required=("file",), what="the path of a file: {file: PATH}")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
_NEEDS = {"email": ("to",), "slack": ("url",), "pagerduty": ("key",), "webhook": ("url",)}
_KNOWS = {"email": ("to",), "slack": ("url", "channel"), "pagerduty": ("key",), "webhook": ("url", "token")}


@dataclass(frozen=True, slots=True)
class _TimeOfDay:
    """`07:30`, read as minutes."""

    expected: str = "a time of day such as 07:30, up to 24:00"

    def read(self, value: Any, place: Place) -> Any:
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            return place.report("bad-time", f"{place.name}: expected {self.expected}, in quotes")
        return int(value[:2]) * 60 + int(value[3:])


def _way_holds(result: dict[str, Any], place: Place) -> None:
    """Report what its kind needs and lacks, and what means nothing for it."""
    kind = result.get("kind")
    if kind is None:
        return
    given = place.document.data
    for step in place.path:
        given = given[step]
    for key in _NEEDS[kind]:
        if key not in given:
            place.report("missing-key", f"{place.name}: key {key!r} is missing; {kind} needs it")
    for key in ("to", "url", "channel", "key", "token"):
        if key in given and key not in _KNOWS[kind]:
            place.child(key).report("misplaced-key", f"{key} means nothing for {kind}", on_key=True)
    url = result.get("url")
    if kind == "slack" and isinstance(url, str):
        message = "url: a webhook of Slack is a secret; expected {file: PATH}, a file on Alertmanager's machine"
        place.child("url").report("literal-secret", message)
    if kind == "webhook" and isinstance(url, Mapping):
        place.child("url").report("wrong-type", "url: expected a URL; its secret goes into token: {file: PATH}")
    if kind == "webhook" and isinstance(url, str):
        warn_of_password(url, place.child("url"))


_WAY = Record(
    {
        "kind": Choice(KINDS),
        "to": Text(pattern=r"[^\s@]+@[^\s@]+", expected="an e-mail address"),
        "channel": Text(),
        "url": Either(scalar=Url(example="https://hooks.internal/alerts"), mapping=_SECRET),
        "key": _SECRET,
        "token": _SECRET,
        "resolved": Flag(),
    },
    required=("kind",),
    what="a mapping with kind, and what it needs",
    verify=_way_holds,
)


def _is_span(result: dict[str, Any], place: Place) -> None:
    if "from" in result and result.get("from") == result.get("to"):
        place.report("empty", f"{place.name}: from and to are the same time; leave both out for whole days")
    if not {"from", "to", "days"} & result.keys() and not place.problems:
        place.report("empty", f"{place.name}: neither days nor from and to: nobody would ever be told")
    for key, other in (("from", "to"), ("to", "from")):
        if key in result and other not in result and not place.problems:
            place.report("missing-key", f"{place.name}: {key} without {other}; expected both")


_QUIET = Record(
    {
        "days": ListOf(Choice(WEEKDAYS), minimum=1, single=True),
        "from": _TimeOfDay(),
        "to": _TimeOfDay(),
        "zone": Zone(),
    },
    what="a mapping with days, from, to and zone",
    verify=_is_span,
)
_MATCH = MapOf(
    ListOf(Text(lenient=True), minimum=1, single=True, what="a value, or a list of values"),
    name=LABEL,
    what="a mapping of labels to values, such as {severity: critical}",
)
_GROUPING = Record(
    {
        "by": ListOf(LABEL, single=True, what="a list of labels"),
        "wait": Duration(maximum=86400, example="30s"),
        "interval": Duration(minimum=1, maximum=86400, example="5m"),
        "repeat": Duration(minimum=10, maximum=30 * 86400, example="4h"),
    },
    what="a mapping with by, wait, interval and repeat",
)
_ROUTE = Record(
    {
        "to": IDENTIFIER,
        "match": _MATCH,
        "quiet": ListOf(IDENTIFIER, single=True, what="a list of names under quiet_hours"),
        "also": Flag(),
        "grouping": _GROUPING,
    },
    required=("to", "match"),
    what="a mapping with to and match",
)
_INHIBITION = Record(
    {"while": _MATCH, "mute": _MATCH, "same": ListOf(LABEL, single=True, what="a list of labels")},
    required=("while", "mute"),
    what="a mapping with while, mute and same",
)
_MAIL = Record(
    {
        "server": Text(pattern=r"[^\s:]+:\d{1,5}", expected="a server and port such as smtp.internal:587"),
        "from": Text(pattern=r"[^\s@]+@[^\s@]+", expected="an e-mail address"),
        "username": Text(),
        "password": _SECRET,
        "tls": Flag(),
    },
    required=("server", "from"),
    what="a mapping with server and from",
)


def _names_lead_somewhere(result: dict[str, Any], place: Place) -> None:
    receivers, quiet = result.get("receivers", {}), result.get("quiet_hours", {})

    def known(name: str, names: Mapping[str, Any], at: Place, what: str) -> None:
        if name not in names:
            hint = nearest(name, names) or f"; known are {', '.join(names) or 'none'}"
            at.report("unknown-name", f"{at.name}: no {what} {name!r}{hint}")

    for position, route in enumerate(result.get("routes", ())):
        at = place.child("routes").child(position)
        if "to" in route:
            known(route["to"], receivers, at.child("to"), "receiver")
        for number, name in enumerate(route.get("quiet", ())):
            known(name, quiet, at.child("quiet").child(number), "quiet hours")
    if "otherwise" in result:
        known(result["otherwise"], receivers, place.child("otherwise"), "receiver")
    mails = [name for name, ways in receivers.items() if any(way.get("kind") == "email" for way in ways)]
    if mails and "mail" not in result:
        place.child("receivers").child(mails[0]).report(
            "missing-key", f"{mails[0]}: an e-mail, and no mail server; expected the key mail in this file", on_key=True
        )


ESCALATION = Record(
    {
        "version": VersionNumber(),
        "mail": _MAIL,
        "receivers": MapOf(ListOf(_WAY, single=True, what="a list of ways to tell somebody")),
        "quiet_hours": MapOf(ListOf(_QUIET, minimum=1, single=True, what="a list of spans of time")),
        "grouping": _GROUPING,
        "routes": ListOf(_ROUTE),
        "otherwise": IDENTIFIER,
        "inhibit": ListOf(_INHIBITION),
    },
    required=("version", "receivers", "otherwise"),
    what="a mapping with version, receivers, routes and otherwise",
    verify=_names_lead_somewhere,
)


def load_escalation(path: Path) -> tuple[Escalation | None, list[Problem]]:
    """What the file at `path` says, None where it cannot be used, and all problems.

    Raises:
        ContentError: the file cannot be read at all.
    """
    return read_escalation(load_document(path))


def read_escalation(document: Document) -> tuple[Escalation | None, list[Problem]]:
    """As `load_escalation`, from a parsed document."""
    result, problems = check(document, ESCALATION)
    if result is INVALID or any(one.severity == "error" for one in problems):
        return None, problems
    quiet_hours = {name: tuple(map(_quiet, spans)) for name, spans in result.get("quiet_hours", {}).items()}
    return Escalation(
        receivers={name: tuple(map(_way, ways)) for name, ways in result["receivers"].items()},
        otherwise=result["otherwise"],
        routes=tuple(
            _route(one, document.where(("routes", position))[0])
            for position, one in enumerate(result.get("routes", ()))
        ),
        grouping=_grouping(result.get("grouping", {})),
        quiet_hours=quiet_hours,
        inhibitions=tuple(
            Inhibition(_match(one["while"]), _match(one["mute"]), tuple(one.get("same", ())))
            for one in result.get("inhibit", ())
        ),
        mail=_mail(result["mail"]) if "mail" in result else None,
        file=document.file,
    ), problems


def _way(entry: Mapping[str, Any]) -> Way:
    url = entry.get("url", "")
    secret = url if isinstance(url, Mapping) else entry.get("key") or entry.get("token") or {}
    return Way(
        entry["kind"], entry.get("to", ""), entry.get("channel", ""), url if isinstance(url, str) else "",
        secret.get("file", ""), entry.get("resolved", True),
    )  # fmt: skip


def _quiet(entry: Mapping[str, Any]) -> Quiet:
    return Quiet(tuple(entry.get("days", ())), entry.get("from", 0), entry.get("to", 1440), entry.get("zone", "UTC"))


def _route(entry: Mapping[str, Any], line: int) -> RouteTo:
    return RouteTo(
        entry["to"], _match(entry["match"]), tuple(entry.get("quiet", ())), entry.get("also", False),
        _grouping(entry.get("grouping", {})), line,
    )  # fmt: skip


def _match(entry: Mapping[str, list[str]]) -> Match:
    return {label: tuple(values) for label, values in entry.items()}


def _grouping(entry: Mapping[str, Any]) -> Grouping:
    by = tuple(entry["by"]) if "by" in entry else None
    return Grouping(by, entry.get("wait"), entry.get("interval"), entry.get("repeat"))


def _mail(entry: Mapping[str, Any]) -> Mail:
    password = entry.get("password", {}).get("file", "")
    return Mail(entry["server"], entry["from"], entry.get("username", ""), password, entry.get("tls", True))
