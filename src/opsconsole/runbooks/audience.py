"""Those who are connected to a run, and what they are told of it: what happens, where it stands, what it printed."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from opsconsole.actions.guard import Context
from opsconsole.runbooks.encoding import encode
from opsconsole.runbooks.link import Link
from opsconsole.runbooks.model import Step
from opsconsole.runbooks.run import Run
from opsconsole.runbooks.states import StepState
from opsconsole.runbooks.told import Change
from opsconsole.runbooks.view_of_run import account, accounts, differences, plan, standing

_OUTPUT_PERIOD = 0.05
"""Seconds between two words about how much output there is: more often than a screen is painted."""


@dataclass(slots=True, eq=False)
class Visitor:
    """Somebody who is connected."""

    link: Link
    context: Context
    gone: bool = False


class Audience:
    """Whoever is connected; one of them drives."""

    def __init__(self, run: Run, *, unattended: bool) -> None:
        self.run = run
        self.unattended = unattended
        """The run walks by itself: which step runs follows from what it says."""
        self.visitors: list[Visitor] = []
        self.driver: Visitor | None = None
        self.running: tuple[str, float] | None = None
        self.together = False
        """Steps run beside each other."""
        self.typing = False
        """The step that runs is interactive."""
        self.word = ""
        """Of whoever handed the run over, to whoever drives it next."""
        self._sizes: dict[str, int] = {}
        """Output file -> bytes, of the step that runs or ran last."""
        self._told: dict[str, int] = {}
        self._plan: dict[str, Any] = {}
        self._basis: object = None
        """What the plan was made of."""
        self._telling: asyncio.TimerHandle | None = None

    def welcome(self, visitor: Visitor, request: object) -> None:
        """Tell `visitor`, who asked with `request`, everything; from now on he hears what changes."""
        run = self.run
        self.tell_plan()
        answer = {
            "id": run.id,
            "folder": str(run.folder.path),
            "mode": run.mode,
            "environment": run.door.context.environment,
            "params": dict(run.params),
            "accounts": accounts(run),
            "plan": self._plan,
            "outputs": self._sizes,
            **self.standing(visitor),
        }
        visitor.link.send({"re": request, "ok": answer})
        self.visitors.append(visitor)

    def take_output(self, piece: bytes) -> None:
        """Output: it is in its file already. Others are told how much there is, now and then."""
        if self._telling is None:
            # who types waits for what he typed
            period = _OUTPUT_PERIOD if not self.typing else 0.0
            self._telling = asyncio.get_running_loop().call_later(period, self.tell_output)

    def tell_output(self, *, final: bool = False) -> None:
        """Say how much output there is: to all (`final`), or to those who keep up."""
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        self._measure()
        if self._sizes != self._told:
            for visitor in self.visitors:
                if final or not visitor.link.behind:
                    visitor.link.send({"ev": "output", "outputs": self._sizes})
            self._told = dict(self._sizes)
        self._sizes = {}
        self._measure()

    def _measure(self) -> None:
        outputs = self.run.folder.outputs
        for output in outputs if self.together else outputs[-1:]:
            self._sizes[output.path.name] = output.ends.size

    def hear(self, change: Change) -> None:
        """Something happened in the run."""
        run = self.run
        step = run.runbook.step(change.step) if change.kind == "step" else None
        if step is not None and change.state == StepState.RUNNING:
            if self.unattended and self.running is None:
                self.running = (step.name, time.time())
            self._measure()
        elif step is not None:
            self.tell_output(final=True)
            if self.running and self.running[0] == step.name:
                self._next_running()
        message: dict[str, Any] = {"ev": "change", "change": encode(change)}
        if step is not None:
            message["accounts"] = {step.name: account(run, step)}
        for visitor in self.visitors:
            visitor.link.send({**message, **self.standing(visitor)})

    def _next_running(self) -> None:
        """The step that ran has ended. Of several beside each other another one is told of, as long as one goes on."""
        going = [name for name, state in self.run.states.items() if state is StepState.RUNNING]
        if self.together:
            if going:
                self.running = (going[0], self.run.report(_known(self.run, going[0])).started_at or time.time())
        elif self.unattended:
            self.running = None

    def standing(self, visitor: Visitor) -> dict[str, Any]:
        """Where the run stands, as `visitor` sees it."""
        return {
            "run": standing(self.run),
            "driver": self.driver.context.actor if self.driver is not None else "",
            "driving": visitor is self.driver,
            "word": self.word,
            "running": list(self.running) if self.running else None,
        }

    def tell_standing(self) -> None:
        """Say where the run stands."""
        for visitor in self.visitors:
            visitor.link.send({"ev": "standing", **self.standing(visitor)})

    def tell_plan(self) -> None:
        """What steps would run follows from what others captured."""
        basis = (dict(self.run.values), self.run.door.context)
        if basis == self._basis:
            return
        now, self._basis = plan(self.run), basis
        changed = differences(self._plan, now)
        self._plan = now
        if changed:
            for visitor in self.visitors:
                visitor.link.send({"ev": "plan", "plan": changed})


def _known(run: Run, name: str) -> Step:
    step = run.runbook.step(name)
    assert step is not None
    return step
