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

    def _failed(result: Result, why: str) -> Result:
    detail = f"{why}; {result.detail}" if result.detail else why
    return replace(result, outcome=Outcome.FAILED, detail=clean_line(detail))


def _last_line(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return clean_line(lines[-1], limit=200) if lines else ""
