"""From a step to an `Action`: what it sees, what carries it out, and when its output counts as good."""

import asyncio
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from opsconsole.actions.action import Action, Outcome, Result, Runner, Sink, Verification
from opsconsole.config.settings import Environment, PostgresSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.secret import Secret
from opsconsole.runbooks.command import exact_command
from opsconsole.runbooks.model import Expectations, Kind, Runbook, Step
from opsconsole.runbooks.patterns import PatternTimeoutError, matches
from opsconsole.runbooks.record import Ends

DEFAULT_TIMEOUT = 60.0
_TRIED = frozenset({Outcome.OK, Outcome.WARN, Outcome.FAILED})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the steps of one run have in common."""

    environment: Environment
    variables: Mapping[str, str | Secret]
    """For shell steps: `env:` of the configuration, and `OPS_…`."""
    secrets: Mapping[str, Secret]
    """The runbook's secrets; a step sees those that its `env` lists."""
    folder: Path
    """Of the runbook: where shell steps start."""

    @classmethod
    def of(
        cls, environment: Environment, runbook: Runbook, secrets: Mapping[str, Secret], *, resolve: bool = True
    ) -> "Surroundings":
        """Resolves what the configuration only refers to; a command among it may take seconds.

        Without `resolve` those values are left out and shown masked: for a rehearsal, which runs nothing.

        Raises:
            SecretError: one of the references leads nowhere.
        """
        variables: dict[str, str | Secret] = {
            "OPS_ENVIRONMENT": environment.name,
            "OPS_RUNBOOK": runbook.id,
            # for steps that read JSON or HTTP: surely there, which `python3` and `curl` are not
            "OPS_PYTHON": sys.executable,
        }
        if environment.prometheus is not None:
            variables["OPS_PROMETHEUS_URL"] = environment.prometheus.url
        for name, reference in environment.env.items():
            # what stands in the configuration in plain text is a setting, not a secret, and stays readable
            if reference.literal is not None:
                variables[name] = reference.literal.reveal()
            else:
                variables[name] = reference.resolve() if resolve else Secret("")
        folder = Path(runbook.path).resolve().parent
        return cls(environment, MappingProxyType(variables), secrets, folder)

    def visible(self, step: Step, values: Mapping[str, str]) -> dict[str, str | Secret]:
        """What `step` sees of `values` (parameters and captured) and secrets: all values, or what its `env` lists."""
        if step.env is None:
            return dict(values)
        listed: dict[str, str | Secret] = {name: values[name] for name in step.env if name in values}
        return listed | {name: self.secrets[name] for name in step.env if name in self.secrets}


@dataclass(frozen=True, slots=True)
class StepRunner:
    """Runs a step, judges its output, and where it has an `until` runs it again until that is met."""

    inner: Runner
    expectations: Expectations
    separate: bytes = field(default=b"")
    """Written to the output between two tries."""

    async def run(self, sink: Sink) -> Result:
        """The last try's result. There is no limit to the tries but the action's timeout."""
        if not self.expectations.until:
            return (await self._try(sink))[0]
        tries, seen = 0, ""
        try:
            while True:
                tries += 1
                result, output = await self._try(sink)
                if result.outcome not in (*_TRIED, Outcome.CANCELLED):
                    return result
                if result.outcome is not Outcome.CANCELLED and await asyncio.to_thread(self._is_met, output):
                    return replace(result, detail=f"met at try {tries}" if tries > 1 else result.detail)
                seen = _last_line(output) or result.detail or seen
                if result.outcome is Outcome.CANCELLED or _is_cancelled():
                    break
                await asyncio.sleep(self.expectations.every)
                sink(self.separate)
        except asyncio.CancelledError:
            pass
        return Result(Outcome.CANCELLED, detail=f"not met after {tries} tries" + (f"; last: {seen}" if seen else ""))

    async def _try(self, sink: Sink) -> tuple[Result, str]:
        ends = Ends()
        result = await self.inner.run(_tee(sink, ends))
        return await asyncio.to_thread(judged, result, self.expectations, ends.text), ends.text

    def _is_met(self, output: str) -> bool:
        try:
            return matches(self.expectations.until, output)
        except (PatternTimeoutError, re.error):
            return False


def judged(result: Result, expectations: Expectations, output: str) -> Result:
    """`result` after what the step expects of its output: a step that did not do what it should has failed."""
    if result.outcome not in (Outcome.OK, Outcome.WARN):
        return result
    try:
        if expectations.reject and matches(expectations.reject, output):
            return _failed(result, f"the output has what it must not have: {expectations.reject}")
        if expectations.match and not matches(expectations.match, output):
            return _failed(result, f"the output does not have {expectations.match}")
    except (PatternTimeoutError, re.error) as error:
        return _failed(result, str(error))
    return result


def action_for(
    step: Step,
    runbook: Runbook,
    surroundings: Surroundings,
    values: Mapping[str, str],
    *,
    run: str,
    attempt: int = 1,
    incident: str = "",
    verify: Verification | None = None,
    verify_timeout: float = 60.0,
) -> Action:
    """The action that `step` is, with `values` for parameters and captured values.

    Where it cannot be carried out (its database is not configured), running it fails and says why.
    """
    seen = surroundings.visible(step, values)
    undo = runbook.step(step.undo) if step.undo else None
    typed = values.get(step.confirm.text, step.confirm.text) if step.confirm.mode == "type" else ""
    provenance = runbook.provenance
    details = (
        ("runbook", runbook.id),
        ("step", step.name),
        ("attempt", str(attempt)),
        ("sha256", provenance.sha256),
        ("commit", provenance.commit),
        ("dirty", "yes" if provenance.dirty else ""),
    )
    return Action(
        id="runbook.step",
        title=f"{runbook.title}: {step.title}",
        command=step_command(step, surroundings, values),
        target=typed or f"{runbook.id}/{step.name}",
        risk=step.risk,
        runner=_runner(step, surroundings, seen, run),
        timeout=step.timeout or DEFAULT_TIMEOUT,
        undo=step_command(undo, surroundings, values) if undo else "",
        verify=verify,
        verify_timeout=verify_timeout,
        run=run,
        incident=incident,
        confirm={"none": "", "yes": "yes", "type": f"type:{typed}"}[step.confirm.mode],
        secrets=tuple(value for value in seen.values() if isinstance(value, Secret)),
        details=tuple((name, value) for name, value in details if value),
    )


def step_command(step: Step, surroundings: Surroundings, values: Mapping[str, str]) -> str:
    """The exact text of `step`, with what it mentions of values and variables."""
    seen = surroundings.visible(step, values)
    if step.kind is Kind.SHELL:
        return exact_command(step, {**surroundings.variables, **seen})
    return exact_command(step, seen)


def _runner(step: Step, surroundings: Surroundings, seen: Mapping[str, str | Secret], run: str) -> Runner:
    try:
        if step.kind is Kind.SHELL:
            inner = _shell(step, surroundings, seen, run)
        elif step.kind is Kind.SQL:
            inner = _sql(step, surroundings, seen)
        else:
            return _Impossible(f"kind {step.kind} cannot run yet in this version")
    except ValueError as error:
        return _Impossible(str(error))
    return StepRunner(inner, step.expectations, b"--\n")


@dataclass(frozen=True, slots=True)
class _Impossible:
    """Stands for what cannot be run, so that the attempt is judged and recorded like any other."""

    why: str

    async def run(self, sink: Sink) -> Result:
        return Result(Outcome.FAILED, detail=self.why)


def _shell(step: Step, surroundings: Surroundings, seen: Mapping[str, str | Secret], run: str) -> Runner:
    from opsconsole.actions.runners.shell import INTERPRETERS, ShellRunner

    return ShellRunner(
        script=step.body + "\n",
        interpreter=INTERPRETERS["sh" if step.language in ("shell", "") else step.language],
        env={**surroundings.variables, **seen, "OPS_RUN": run, "OPS_STEP": step.name},
        cwd=surroundings.folder / step.cwd if step.cwd else surroundings.folder,
        secrets=tuple(surroundings.secrets.values()),
        risk=step.risk,
        expected_exits=step.expectations.exits,
        capture=step.capture,
    )


def _sql(step: Step, surroundings: Surroundings, seen: Mapping[str, str | Secret]) -> Runner:
    from opsconsole.actions.runners.sql import SqlRunner
    from opsconsole.sources.sqltext import slots

    names = {slot.name for slot in slots(step.body) if slot.kind == "identifier"}
    return SqlRunner(
        settings=_database(step, surroundings.environment),
        sql=step.body,
        values=seen,
        identifiers={name: value for name, value in seen.items() if name in names and isinstance(value, str)},
        risk=step.risk,
        timeout=step.timeout or DEFAULT_TIMEOUT,
        max_rows=step.max_rows,
        expect_rows=step.expectations.rows,
    )


def _database(step: Step, environment: Environment) -> PostgresSettings:
    """The database of `conn`, with or without `postgres/` before its name; the only one where the step names none."""
    known = environment.postgres
    name = step.conn.removeprefix("postgres/")
    if not name and len(known) == 1:
        name = next(iter(known))
    if name not in known:
        configured = f"configured are {', '.join(known)}" if known else "none is configured"
        wanted = f"no database {name!r} in {environment.name}" if name else 'the step has no "conn"'
        raise ValueError(f"{step.name}: {wanted}; {configured}")
    return known[name]


def _tee(sink: Sink, ends: Ends) -> Sink:
    def take(piece: bytes) -> None:
        ends.take(piece)
        sink(piece)

    return take


def _is_cancelled() -> bool:
    """Whether this task was cancelled and a runner kept that to itself, because what it ran had just ended."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _failed(result: Result, why: str) -> Result:
    detail = f"{why}; {result.detail}" if result.detail else why
    return replace(result, outcome=Outcome.FAILED, detail=clean_line(detail))


def _last_line(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return clean_line(lines[-1], limit=200) if lines else ""
