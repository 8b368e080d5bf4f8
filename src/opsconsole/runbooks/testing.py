"""Running a runbook's test cases: the real engine in a scratch folder, with stubs in the place of some steps.

A case without a demo runs nothing but what it lists under `real`; a case with one runs everything that it does not
stub, on the demo platform that a `Stage` gives. Nothing is written to the operator's own journal or runs.
"""

import asyncio
import base64
import re
import shlex
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from opsconsole.actions.action import Outcome
from opsconsole.actions.confirmation import Confirmation
from opsconsole.actions.door import Door
from opsconsole.actions.guard import Context
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import Environment, Mode, Role
from opsconsole.core.clean import clean_line
from opsconsole.core.problem import ContentError, Problem
from opsconsole.core.secret import Secret
from opsconsole.runbooks.execution import Surroundings
from opsconsole.runbooks.includes import expand
from opsconsole.runbooks.library import load_runbook
from opsconsole.runbooks.lint import errors, lint
from opsconsole.runbooks.model import Expectations, Kind, Runbook, Step
from opsconsole.runbooks.parameters import fill
from opsconsole.runbooks.run import Run
from opsconsole.runbooks.testfile import REFUSED, Case, Need, RunbookTests, Stub, check_against
from opsconsole.runbooks.unattended import Instructions, follow, questions

SCRATCH = "{scratch}"
"""In values of a case: a folder of its own, removed afterwards."""


class StageError(Exception):
    """What a case needs cannot be had; the message says why."""


class Stage(Protocol):
    """A demo platform, to be broken and made whole again. Its methods block."""

    @property
    def environment(self) -> Environment:
        """The environment that points at it."""
        ...

    def prepare(self, need: Need) -> None:
        """Make it whole, then as `need` says.

        Raises:
            StageError: it cannot be.
        """
        ...

    def restore(self) -> None:
        """Undo what was broken."""
        ...


class CaseOutcome(StrEnum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """What it needs is not there."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of one case."""

    case: Case
    outcome: CaseOutcome
    complaints: tuple[str, ...] = ()
    """What was not as expected, or why it was skipped."""
    run: str = ""
    """The state of the run."""
    steps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    executed: tuple[str, ...] = ()
    """The steps that were really run, not stubbed."""
    duration: float = 0.0


def check_tests(tests: RunbookTests) -> tuple[Runbook, list[Problem]]:
    """The runbook that `tests` are for, and what is wrong with it or with the names in them.

    Raises:
        UnreadableError: there is no such runbook.
    """
    runbook = expand(load_runbook(tests.runbook))
    return runbook, [*errors(lint(runbook)), *check_against(tests, runbook)]


async def run_case(runbook: Runbook, case: Case, stage: Stage | None, files: Path | None = None) -> CaseResult:
    """Run one case of `runbook`, which has no errors. `files` is its `{scratch}` folder; None: one of its own.

    Without a `stage` a case that needs the demo is skipped. A case that does not end within its time has failed.
    """
    if case.demo is not None and stage is None:
        return CaseResult(case, CaseOutcome.SKIPPED, ("needs the demo, and none is running; --demo starts one",))
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="opsconsole-test-") as scratch:
        trial = _Trial(runbook, case, stage, Path(scratch), files or Path(scratch) / "files")
        try:
            if case.demo is not None and stage is not None:
                await asyncio.to_thread(stage.prepare, case.demo)
            async with asyncio.timeout(case.timeout):
                await trial.run()
        except StageError as error:
            trial.complain(str(error))
        except TimeoutError:
            trial.complain(f"not at its end after {case.timeout:g} s")
        finally:
            if case.demo is not None and stage is not None:
                await asyncio.to_thread(stage.restore)
        return trial.result(time.monotonic() - started)


class _Trial:
    """One case on its way."""

    def __init__(self, runbook: Runbook, case: Case, stage: Stage | None, scratch: Path, files: Path) -> None:
        self.case = case
        self.files = files
        self.scratch = scratch
        self.runbook = with_stubs(runbook, case)
        self.environment = _environment(case, stage, files, Path(runbook.path).parent)
        self.complaints: list[str] = []
        self.state = ""
        self.steps: dict[str, str] = {}
        self.started: set[str] = set()

    def complain(self, text: str) -> None:
        self.complaints.append(clean_line(text, limit=2000))

    def result(self, duration: float) -> CaseResult:
        outcome = CaseOutcome.FAILED if self.complaints else CaseOutcome.PASSED
        real = tuple(step.name for step in self.runbook.steps if step.name in self.started and not is_stub(step))
        return CaseResult(self.case, outcome, tuple(self.complaints), self.state, self.steps, real, duration)

    async def run(self) -> None:
        """Begin the run, follow its way, and compare."""
        case = self.case
        self.files.mkdir(mode=0o700, exist_ok=True)
        for name, text in case.files.items():
            (self.files / name).write_text(text, encoding="utf-8")
        manual = {step.name: "done" for step in self.runbook.route if step.kind is Kind.MANUAL}
        instructions = Instructions(
            confirmed={**manual, **self._placed(case.confirm)}, skipped=case.skip, only=case.only, start=case.start
        )
        run, reason = self._begun(self._placed(case.params), instructions)
        if run is None:
            self.state = REFUSED
            self._compare_refusal(reason)
            return
        try:
            await follow(run, instructions, lambda piece: None)
            for name in case.undo:
                step = run.runbook.step(name)
                assert step is not None
                result = await run.execute(step, _said(instructions, step, run), lambda piece: None)
                if result.outcome is Outcome.DECLINED:
                    self.complain(f"{name}: {result.detail}")
            await run.end_background()
            self.state = run.finish().value
        finally:
            await run.end_background()
            run.close()
        reports = run.reports()
        self.steps = {report.step.name: report.state.value for report in reports}
        self.started = {report.step.name for report in reports if report.attempts}
        self._compare_steps({report.step.name: report.detail for report in reports}, run.folder.path / "steps")
        if not self.complaints:
            await self._compare_world()

    def _placed(self, texts: Mapping[str, str]) -> dict[str, str]:
        return {name: text.replace(SCRATCH, str(self.files)) for name, text in texts.items()}

    def _begun(self, values: Mapping[str, str], instructions: Instructions) -> tuple[Run | None, str]:
        """The run, or why there is none."""
        from opsconsole.store import open_journal

        filled = fill(self.runbook.params, values)
        if filled.complaints:
            return None, "; ".join(map(str, filled.complaints))
        secrets = {name: Secret(f"secret of {name}") for name in self.runbook.secrets}
        surroundings = Surroundings.of(self.environment, self.runbook, secrets)
        asked = questions(self.runbook, filled.values, surroundings, self.environment.mode, instructions)
        if asked:
            return None, "; ".join(asked)
        context = replace(Context.current(self.environment), role=Role.ADMIN)
        door = Door(context, open_journal(f"sqlite:{self.scratch}/journal.sqlite"))
        runs, locks = self.scratch / "runs", self.scratch / "locks"
        runs.mkdir(mode=0o700)
        locks.mkdir(mode=0o700)
        try:
            run = Run.create(
                self.runbook,
                values,
                door=door,
                environment=self.environment,
                secrets=secrets,
                mode="auto",
                root=runs,
                locks=locks,
            )
        except (ContentError, ValueError) as error:
            return None, str(error)
        return run, ""

    def _compare_refusal(self, reason: str) -> None:
        expected = self.case.expect
        if expected.run != REFUSED:
            self.complain(f"it did not begin: {reason}")
        elif expected.reason and not re.search(expected.reason, reason):
            self.complain(f"refused because {reason}; expected {expected.reason}")

    def _compare_steps(self, details: Mapping[str, str], outputs: Path) -> None:
        expected = self.case.expect
        for name, state in expected.steps.items():
            found = self.steps.get(name, "no part of the walk")
            if found != state:
                why = details.get(name, "") or _last_words(outputs, name)
                self.complain(f"{name}: {found}{f' ({why})' if why else ''}, expected {state}")
        if self.state != expected.run:
            self.complain(f"the run is {self.state}, expected {expected.run}")
        if self.complaints:
            named = expected.steps.keys()
            bad = [name for name, state in self.steps.items() if state not in _CALM and name not in named]
            for name in bad:
                self.complain(f"{name}: {self.steps[name]} ({details.get(name, '') or _last_words(outputs, name)})")
        for name, pattern in expected.output.items():
            output = _output(outputs, name)
            if not re.search(pattern, output, re.MULTILINE):
                self.complain(f"{name}: its output does not have {pattern}: {output[-300:]!r}")

    async def _compare_world(self) -> None:
        from opsconsole.core.reading import SourceError

        try:
            for metric in self.case.expect.prom:
                if not await _has_samples(self.environment, metric.query, metric.within):
                    self.complain(f"no sample within {metric.within:g} s: {metric.query}")
            for rows in self.case.expect.sql:
                if complaint := await _rows_differ(self.environment, rows.conn, rows.query, rows.count):
                    self.complain(f"{complaint}: {rows.query}")
        except SourceError as error:
            self.complain(str(error))


_CALM = frozenset({"ok", "warn", "done", "skipped", "not-applicable", "pending"})


def with_stubs(runbook: Runbook, case: Case) -> Runbook:
    """`runbook` with a harmless step in the place of each that `case` stubs.

    Without a demo that is every step the case does not list under `real`: one without a stub of its own succeeds.
    """
    steps = []
    for step in runbook.steps:
        stub = case.stubs.get(step.name)
        if stub is not None:
            steps.append(_stubbed(step, stub))
        elif case.demo is None and step.executable and step.name not in case.real:
            steps.append(replace(_stubbed(step, Stub()), expectations=Expectations(), capture=()))
        else:
            steps.append(_impatient(step))
    return replace(runbook, steps=tuple(steps))


def _impatient(step: Step) -> Step:
    """`step` as it is, but it looks again sooner: operators and servers want to be spared, a demo does not."""
    often = replace(step.expectations, every=min(step.expectations.every, _EVERY))
    return replace(step, expectations=often, retry_delay=min(step.retry_delay, 2 * _EVERY))


_STUB = "# opsconsole: a stub"
_EVERY = 0.25
"""Seconds between two tries of a step that waits."""


def is_stub(step: Step) -> bool:
    """Whether `with_stubs` made it."""
    return step.body.startswith(_STUB)


def _stubbed(step: Step, stub: Stub) -> Step:
    """A shell step that says what `stub` says, judged by the expectations of `step`, asking what `step` asks."""
    judged = step.expectations
    code = 1 if judged.rows is not None and stub.rows is not None and not judged.rows.holds(stub.rows) else stub.exit
    lines = [_STUB, _printing(stub.output)]
    captured = {**_found_in(stub.output, step), **stub.capture}
    lines += [f'{_printing(f"{name}={value}" + chr(10))} >> "$OPS_OUT"' for name, value in captured.items()]
    lines.append(f"exit {code}")
    exits = judged.exits if step.kind is Kind.SHELL else (0,)
    expectations = Expectations(exits=exits, match=judged.match, reject=judged.reject, until=judged.until, every=0.1)
    attributes = {name: step.attributes[name] for name in _KEPT if name in step.attributes}
    return replace(
        step, kind=Kind.SHELL, language="sh", body="\n".join(lines), timeout=2.0, retry_delay=0.1, cwd="", env=None,
        conn="", expectations=expectations, hosts=None, capture_pattern="", duration=None, wait_for="",
        attributes=MappingProxyType(attributes), interactive=False, background=False, lock="",
    )  # fmt: skip


def _found_in(output: str, step: Step) -> dict[str, str]:
    """What `captureRegex` of the step finds in the stub's output."""
    found = re.search(step.capture_pattern, output, re.MULTILINE) if step.capture_pattern else None
    if found is None:
        return {}
    named = found.groupdict()
    return {name: (named[name] if name in named else found[at]) or "" for at, name in enumerate(step.capture, start=1)}


_KEPT = ("name", "title", "risk", "confirm", "timeout", "excludeFromRunAll", "verify", "undo")


def _printing(text: str) -> str:
    """A shell command that prints `text` to the byte, whatever it holds."""
    return f"printf %s {shlex.quote(base64.b64encode(text.encode()).decode())} | base64 -d"


def _environment(case: Case, stage: Stage | None, files: Path, folder: Path) -> Environment:
    if case.demo is not None and stage is not None:
        environment = stage.environment
    else:
        environment = Environment(name="test", screens=folder, runbooks=folder, mode=Mode.GUARDED)
    said = {name: SecretRef.of(value.replace(SCRATCH, str(files))) for name, value in case.env.items()}
    return replace(environment, env=MappingProxyType({**environment.env, **said}))


def _said(instructions: Instructions, step: Step, run: Run) -> Confirmation:
    return instructions.confirmation(step, run.requirement(step).demand)


def _output(outputs: Path, name: str) -> str:
    """All that the attempts of a step said."""
    pattern = re.compile(rf"[0-9]+-{re.escape(name)}\.out")
    found = sorted(path for path in outputs.iterdir() if pattern.fullmatch(path.name))
    return "".join(path.read_text(encoding="utf-8", errors="replace") for path in found)


def _last_words(outputs: Path, name: str) -> str:
    return clean_line(_output(outputs, name)[-300:])


async def _has_samples(environment: Environment, query: str, within: float) -> bool:
    from opsconsole.core.reading import Query
    from opsconsole.core.values import is_empty
    from opsconsole.sources.registry import Sources

    sources = Sources(environment)
    limit = time.monotonic() + within
    try:
        while True:
            answer = await sources.get("prometheus").read(Query("prometheus", query))
            if not is_empty(answer.value):
                return True
            if time.monotonic() > limit:
                return False
            await asyncio.sleep(0.25)  # a scrape and an evaluation are two seconds apart
    finally:
        await sources.close()


async def _rows_differ(environment: Environment, conn: str, query: str, count: object) -> str:
    """What is wrong with the number of rows; empty where nothing is."""
    from opsconsole.actions.action import Risk
    from opsconsole.actions.runners.sql import SqlRunner
    from opsconsole.runbooks.model import Count

    assert isinstance(count, Count)
    settings = environment.postgres.get(conn)
    if settings is None:
        return f"no database {conn!r}"
    result = await SqlRunner(settings, query, risk=Risk.READ, timeout=10.0, expect_rows=count).run(lambda piece: None)
    return "" if result.outcome is Outcome.OK else result.detail
