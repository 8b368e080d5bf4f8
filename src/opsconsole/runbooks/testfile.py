"""A runbook's own test file, `NAME.test.yaml` beside `NAME.md`: its format, read with every mistake at its place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from opsconsole.config.document import Document, load_document
from opsconsole.config.format import VersionNumber
from opsconsole.config.schema import (
    INVALID,
    Anything,
    Choice,
    Duration,
    Either,
    ListOf,
    MapOf,
    Number,
    Place,
    Record,
    Text,
    check,
)
from opsconsole.core.problem import Problem, nearest
from opsconsole.runbooks.model import Count, Kind, Runbook
from opsconsole.runbooks.states import RunState, StepState

SUFFIX = ".test.yaml"
REFUSED = "refused"
"""What `expect: run` says of a run that must not begin."""


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Stub:
    """What stands in for a step: nothing of the step itself is run, but its expectations judge this."""

    output: str = ""
    exit: int = 0
    rows: int | None = None
    """For `expectRows`."""
    capture: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Need:
    """What a case wants of the demo platform."""

    faults: tuple[tuple[str, str], ...] = ()
    """(fault, target or nothing for its usual one), caused before the run."""
    until: str = ""
    """PromQL that has to have samples before the run begins."""


@dataclass(frozen=True, slots=True)
class Metric:
    """PromQL that has to have samples after the run, within so many seconds."""

    query: str
    within: float = 30.0


@dataclass(frozen=True, slots=True)
class Rows:
    """A question to a database after the run, and how many rows it has to answer."""

    conn: str
    query: str
    count: Count


@dataclass(frozen=True, slots=True)
class Expected:
    """What has to come of a case."""

    run: str = RunState.OK.value
    """A run's state, or `refused`."""
    reason: str = ""
    """For `refused`: a pattern that the reason has to match."""
    steps: Mapping[str, str] = field(default_factory=_nothing)
    """Step -> state."""
    output: Mapping[str, str] = field(default_factory=_nothing)
    """Step -> a pattern that its output has to match."""
    prom: tuple[Metric, ...] = ()
    sql: tuple[Rows, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One case."""

    title: str
    line: int
    demo: Need | None = None
    """None: it needs nothing, and what is not listed under `real` is stubbed."""
    params: Mapping[str, str] = field(default_factory=_nothing)
    env: Mapping[str, str] = field(default_factory=_nothing)
    files: Mapping[str, str] = field(default_factory=_nothing)
    """Name -> text of files in the `{scratch}` folder."""
    stubs: Mapping[str, Stub] = field(default_factory=_nothing)
    real: tuple[str, ...] = ()
    confirm: Mapping[str, str] = field(default_factory=_nothing)
    skip: Mapping[str, str] = field(default_factory=_nothing)
    only: tuple[str, ...] = ()
    start: str = ""
    scratch: str = ""
    """Cases of a file with the same name here share one `{scratch}` folder: what one leaves, the next finds."""
    undo: tuple[str, ...] = ()
    """Steps that take others back, run after the walk."""
    expect: Expected = Expected()
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class RunbookTests:
    """One file."""

    path: Path
    runbook: Path
    cases: tuple[Case, ...]
    document: Document = field(repr=False)


_NAME = Text(
    pattern=r"[a-z0-9][a-z0-9-]{0,63}(\.[a-z0-9][a-z0-9-]{0,63}){0,5}",
    expected="the name of a step; INCLUDE.STEP for one that is included",
)
_VARIABLE = Text(pattern=r"[A-Z][A-Z0-9_]{0,63}", expected="a name of capitals, digits and '_'")
_VALUE = Text(lenient=True, empty=True)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A regular expression."""

    expected: str = "a regular expression"

    def read(self, value: Any, place: Place) -> Any:
        text = Text(expected=self.expected).read(value, place)
        if text is INVALID:
            return INVALID
        try:
            re.compile(text)
        except (re.error, RecursionError, OverflowError) as error:
            return place.report("bad-pattern", f"{place.name}: {error}; expected {self.expected}")
        return text


_COUNT = Text(pattern=r"(<=|>=|!=|<|>|=)?\s*[0-9]{1,9}", expected="a number of rows such as >0 or =0", lenient=True)
_STEPS = ListOf(_NAME, what="a list of step names")
_CASE = Record(
    {
        "title": Text(limit=200),
        "demo": Either(
            scalar=Choice(("yes",)),
            mapping=Record(
                {
                    "break": ListOf(Text(pattern=r"\S+( \S+)?", expected="FAULT or FAULT TARGET"), single=True),
                    "until": Text(expected="PromQL"),
                },
                what="a mapping with break and until",
            ),
        ),
        "params": MapOf(_VALUE, _VARIABLE),
        "env": MapOf(_VALUE, _VARIABLE),
        "files": MapOf(Text(empty=True)),
        "stubs": MapOf(
            Record(
                {
                    "output": Text(empty=True, lenient=True),
                    "exit": Number(0, 255, whole=True),
                    "rows": Number(0, 1_000_000, whole=True),
                    "capture": MapOf(_VALUE, _VARIABLE),
                },
                what="a mapping with output, exit, rows, capture",
            ),
            _NAME,
        ),
        "real": _STEPS,
        "confirm": MapOf(_VALUE, _NAME),
        "skip": MapOf(Text(), _NAME),
        "only": _STEPS,
        "from": _NAME,
        "undo": _STEPS,
        "scratch": Text(pattern=r"[a-z0-9-]{1,40}", expected="a name of small letters, digits and '-'"),
        "timeout": Duration(minimum=1, maximum=600),
        "expect": Record(
            {
                "run": Choice((*(state.value for state in RunState if state.over), REFUSED)),
                "reason": _Pattern(),
                "steps": MapOf(Choice(tuple(StepState)), _NAME),
                "output": MapOf(_Pattern(), _NAME),
                "prom": ListOf(
                    Either(
                        scalar=Text(expected="PromQL"),
                        mapping=Record(
                            {"query": Text(expected="PromQL"), "within": Duration(maximum=300)}, required=("query",)
                        ),
                    ),
                    single=True,
                ),
                "sql": ListOf(
                    Record(
                        {"conn": Text(), "query": Text(expected="one SQL statement that reads"), "rows": _COUNT},
                        required=("conn", "query", "rows"),
                    ),
                    single=True,
                ),
            },
            what="a mapping with run, steps, output, prom, sql",
        ),
    },
    required=("title",),
    what="a mapping with title, params, stubs, expect, …",
)
_FILE = Record(
    {"test": VersionNumber(), "runbook": Text(expected="the name of a runbook's file beside this one"),
     "cases": ListOf(_CASE, minimum=1), "about": Anything()},
    required=("test", "cases"),
    what="a mapping with test and cases",
)  # fmt: skip


def tests_of(runbook: Path) -> Path:
    """Where the tests of the runbook in `runbook` are: `X.test.yaml` for `X.md`."""
    return runbook.with_suffix(SUFFIX)


def load_test_file(path: Path) -> tuple[RunbookTests | None, list[Problem]]:
    """The tests in a file, and all that is wrong with it; None where nothing of it can be used.

    Raises:
        ContentError: it cannot be read at all.
    """
    document = load_document(path)
    found, problems = check(document, _FILE)
    if found is INVALID or not isinstance(found.get("cases"), list) or any(one.severity == "error" for one in problems):
        return None, problems
    name = found.get("runbook", path.name.removesuffix(SUFFIX) + ".md")
    cases = tuple(_case(said, document.where(("cases", at))[0]) for at, said in enumerate(found["cases"]))
    return RunbookTests(path, path.parent / name, cases, document), problems


def check_against(tests: RunbookTests, runbook: Runbook) -> list[Problem]:
    """Names in `tests` that `runbook` does not have."""
    steps = {step.name for step in runbook.steps}
    undoing = {step.undo for step in runbook.steps}
    manual = {step.name for step in runbook.steps if step.kind is Kind.MANUAL}
    params = {param.name for param in runbook.params}
    problems = []
    for at, case in enumerate(tests.cases):
        named: list[tuple[tuple[str, ...], str, set[str]]] = [(("stubs",), name, steps - manual) for name in case.stubs]
        named += [((key,), name, steps) for key in ("confirm", "skip") for name in getattr(case, key)]
        named += [(("expect", key), name, steps) for key in ("steps", "output") for name in getattr(case.expect, key)]
        named += [(("params",), name, params) for name in case.params if case.expect.run != REFUSED]
        for below, name, known in named:
            if name not in known:
                problems.append(_unknown(tests, ("cases", at, *below, name), name, known))
        lists = [("real", case.real, steps), ("only", case.only, steps), ("undo", case.undo, undoing)]
        for key, names, known in (*lists, ("from", (case.start,) if case.start else (), steps)):
            problems += [
                _unknown(tests, ("cases", at, key), name, known, on_key=False) for name in names if name not in known
            ]
    return problems


def _unknown(
    tests: RunbookTests, path: tuple[str | int, ...], name: str, known: set[str], *, on_key: bool = True
) -> Problem:
    hint = nearest(name, known)
    return tests.document.problem(path, "unknown-name", f"{tests.runbook.name} has no {name!r}{hint}", on_key=on_key)


def _case(said: Mapping[str, Any], line: int) -> Case:
    fields = {
        name: said[name]
        for name in ("title", "params", "env", "files", "confirm", "skip", "timeout", "scratch")
        if name in said
    }
    fields |= {name: tuple(said[name]) for name in ("real", "only", "undo") if name in said}
    return Case(
        **fields,
        line=line,
        start=said.get("from", ""),
        demo=_need(said["demo"]) if "demo" in said else None,
        stubs={name: Stub(**stub) for name, stub in said.get("stubs", {}).items()},
        expect=_expected(said.get("expect", {})),
    )


def _need(said: Any) -> Need:
    if isinstance(said, str):
        return Need()
    pairs = [text.partition(" ") for text in said.get("break", [])]
    return Need(tuple((fault, target) for fault, _, target in pairs), said.get("until", ""))


def _expected(said: Mapping[str, Any]) -> Expected:
    fields = {name: said[name] for name in ("run", "reason", "steps", "output") if name in said}
    prom = [Metric(one) if isinstance(one, str) else Metric(**one) for one in said.get("prom", [])]
    sql = [Rows(one["conn"], one["query"], _count(one["rows"])) for one in said.get("sql", [])]
    return Expected(**fields, prom=tuple(prom), sql=tuple(sql))


def _count(text: str) -> Count:
    found = re.fullmatch(r"(<=|>=|!=|<|>|=)?\s*([0-9]+)", text)
    assert found is not None
    relation: Any = found[1] or "="
    return Count(relation, int(found[2]))
