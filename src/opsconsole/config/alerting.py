"""`alerts.yaml`: what somebody is told of. One definition each of rule, unit tests and runbook."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from opsconsole.config.document import Document, Where, load_document
from opsconsole.config.format import VersionNumber
from opsconsole.config.schema import Choice, Duration, Flag, ListOf, MapOf, Place, Record, Text, check
from opsconsole.core.problem import Problem

SEVERITIES = ("critical", "warning", "info", "none")
_TEMPLATE = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Expected:
    """One alert that fires at the end of a test."""

    labels: Mapping[str, str] = field(default_factory=_nothing)
    """Those that its expression leaves; the rule's own are added."""
    summary: str = ""
    """As it reads then; empty: the rule's, which has no template."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class RuleTest:
    """Samples, and what fires then."""

    series: Mapping[str, str]
    """A series -> its samples, in promtool's notation."""
    at: float
    """Seconds from the first sample."""
    interval: float = 60.0
    """Seconds between two samples."""
    fires: tuple[Expected, ...] = ()
    """Empty: it must not fire."""


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alert."""

    name: str
    group: str
    """`airflow` stands in `airflow-alerts.yml`."""
    severity: str
    expr: str
    hold: float = 0.0
    """Seconds for which the expression has to hold."""
    team: str = ""
    labels: Mapping[str, str] = field(default_factory=_nothing)
    summary: str = ""
    description: str = ""
    runbook: str = ""
    """The id of the runbook."""
    always: bool = False
    """It always fires: a dead-man's switch."""
    tests: tuple[RuleTest, ...] = ()
    at: tuple[int, int] = (0, 0)
    """(line, column) in the file."""
    expr_at: tuple[int, int] = (0, 0)
    runbook_at: tuple[int, int] = (0, 0)

    @property
    def all_labels(self) -> dict[str, str]:
        """What the rule adds to the labels of its expression."""
        own = {"severity": self.severity, **({"team": self.team} if self.team else {})}
        return {**own, **self.labels}


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """An expression under a name of its own."""

    record: str
    group: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=_nothing)
    expr_at: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Alerting:
    """The whole file."""

    alerts: tuple[AlertRule, ...] = ()
    recordings: tuple[RecordingRule, ...] = ()
    interval: float = 30.0
    """Seconds between two evaluations."""
    runbook_url: str = ""
    """Where people find a runbook, `{file}` its file; empty: no such link."""
    objectives: bool = True
    """Whether Prometheus is to have rules for the objectives of slas.yaml, too."""
    file: str = ""

    @property
    def groups(self) -> tuple[str, ...]:
        """Their names."""
        names = [one.group for one in self.recordings] + [one.group for one in self.alerts]
        return tuple(sorted(set(names)))


METRIC = Text(pattern=r"[a-zA-Z_:][a-zA-Z0-9_:]*", expected="a metric name of letters, digits, '_' and ':'")
ALERT_NAME = Text(pattern=r"[a-zA-Z_][a-zA-Z0-9_]*", expected="an alert name of letters, digits and '_'")
LABEL = Text(pattern=r"[a-zA-Z_][a-zA-Z0-9_]*", expected="a label name of letters, digits and '_'")
LABELS = MapOf(Text(lenient=True), name=LABEL, what="a mapping of labels to values")
_PROMQL = Text(expected='PromQL such as up{job="api"} == 0', limit=10_000)

_EXPECTED = Record(
    {"labels": LABELS, "summary": Text(), "description": Text()},
    what="a mapping with labels and summary",
)
_TEST = Record(
    {
        "series": MapOf(
            Text(lenient=True, expected="samples such as 1x5 0x10"),
            name=Text(),
            what="a mapping of series to samples, such as {'up{job=\"api\"}': 1 0x10}",
        ),
        "at": Duration(minimum=0, example="5m"),
        "interval": Duration(minimum=1, example="1m"),
        "fires": ListOf(_EXPECTED, what="a list of what fires, each with its labels"),
    },
    required=("series", "at"),
    what="a mapping with series, at and fires",
)


def _alert_holds(result: dict[str, Any], place: Place) -> None:
    """Report templates whose text a test does not say, and rules without both kinds of test."""
    tests = result.get("tests", [])
    for position, test in enumerate(tests):
        for number, expected in enumerate(test.get("fires", ())):
            for key in ("summary", "description"):
                if _TEMPLATE.search(result.get(key, "")) and key not in expected:
                    at = place.child("tests").child(position).child("fires").child(number)
                    at.report("missing-key", f"fires: {key} is a template; expected how it reads in this test")
    if result.get("always"):
        return
    for fires, what in ((True, "fires"), (False, "does not fire")):
        if not any(bool(test.get("fires")) == fires for test in tests):
            place.report("untested", f"{place.name}: no test in which it {what}; expected one at least", on_key=True)


_ALERT = Record(
    {
        "severity": Choice(SEVERITIES),
        "team": Text(),
        "expr": _PROMQL,
        "for": Duration(example="5m"),
        "labels": LABELS,
        "summary": Text(limit=300),
        "description": Text(limit=2000),
        "runbook": Text(expected="the id of a runbook"),
        "always": Flag(),
        "tests": ListOf(_TEST),
    },
    required=("severity", "expr", "summary"),
    what="a mapping with severity, expr, summary, runbook, tests, …",
    verify=_alert_holds,
)
_RECORDING = Record({"expr": _PROMQL, "labels": LABELS}, required=("expr",), what="a mapping with expr")
_GROUP = Record(
    {
        "recordings": MapOf(_RECORDING, name=METRIC, what="a mapping of metric names to mappings with expr"),
        "alerts": MapOf(_ALERT, name=ALERT_NAME, what="a mapping of alert names to mappings with expr, severity, …"),
    },
    what="a mapping with recordings and alerts",
)


def _names_differ(result: dict[str, Any], place: Place) -> None:
    """An alert of the same name in two groups would be two rules under one name."""
    seen: dict[str, str] = {}
    for group, entry in result.get("groups", {}).items():
        for kind in ("recordings", "alerts"):
            for name in entry.get(kind, {}):
                if name in seen:
                    at = place.child("groups").child(group).child(kind).child(name)
                    at.report("duplicate-name", f"{name} stands in group {seen[name]} already", on_key=True)
                seen.setdefault(name, group)


ALERTING = Record(
    {
        "version": VersionNumber(),
        "interval": Duration(minimum=1, maximum=3600, example="30s"),
        "objectives": Flag(),
        "runbook_url": Text(pattern=r"https?://\S+", expected="a URL with {file} in it"),
        "groups": MapOf(
            _GROUP, name=Text(pattern="[a-z][a-z0-9-]{0,59}", expected="a name of small letters, digits and '-'")
        ),
    },
    required=("version", "groups"),
    what="a mapping with version and groups",
    verify=_names_differ,
)


def load_alerting(path: Path) -> tuple[Alerting, list[Problem]]:
    """What the file at `path` says, and all problems. A rule that lacks what it needs is left out.

    Raises:
        ContentError: the file cannot be read at all.
    """
    return read_alerting(load_document(path))


def read_alerting(document: Document) -> tuple[Alerting, list[Problem]]:
    """As `load_alerting`, from a parsed document."""
    result, problems = check(document, ALERTING)
    if not isinstance(result, dict):
        return Alerting(file=document.file), problems
    groups: Mapping[str, Mapping[str, Any]] = result.get("groups", {})
    return Alerting(
        alerts=tuple(_alerts(document, groups)),
        recordings=tuple(_recordings(document, groups)),
        interval=result.get("interval", 30.0),
        runbook_url=result.get("runbook_url", ""),
        objectives=result.get("objectives", True),
        file=document.file,
    ), problems


def _alerts(document: Document, groups: Mapping[str, Mapping[str, Any]]) -> Iterator[AlertRule]:
    for group, entries in groups.items():
        for name, entry in entries.get("alerts", {}).items():
            if not all(key in entry for key in _ALERT.required):
                continue
            where: Where = ("groups", group, "alerts", name)
            given = {key: entry[key] for key in ("team", "labels", "description", "runbook", "always") if key in entry}
            yield AlertRule(
                name, group, entry["severity"], entry["expr"].strip(), entry.get("for", 0.0), **given,
                summary=entry["summary"].strip(), tests=tuple(_tests(entry.get("tests", ()))),
                at=document.where_key(where), expr_at=document.where((*where, "expr")),
                runbook_at=document.where((*where, "runbook")),
            )  # fmt: skip


def _tests(entries: Any) -> Iterator[RuleTest]:
    for entry in entries:
        if "series" in entry and "at" in entry:
            expected = tuple(Expected(**one) for one in entry.get("fires", ()))
            yield RuleTest(entry["series"], entry["at"], entry.get("interval", 60.0), expected)


def _recordings(document: Document, groups: Mapping[str, Mapping[str, Any]]) -> Iterator[RecordingRule]:
    for group, entries in groups.items():
        for name, entry in entries.get("recordings", {}).items():
            if "expr" in entry:
                where = document.where(("groups", group, "recordings", name, "expr"))
                yield RecordingRule(name, group, entry["expr"].strip(), entry.get("labels", {}), where)
