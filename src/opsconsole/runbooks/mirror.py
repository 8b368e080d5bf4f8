"""A run as it is known elsewhere: what its supervisor told of it last, to be looked at like a `Run`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from opsconsole.actions.action import Result
from opsconsole.actions.confirmation import Demand, Requirement
from opsconsole.runbooks.encoding import decode
from opsconsole.runbooks.model import Runbook, Step
from opsconsole.runbooks.states import RunState, StepState
from opsconsole.runbooks.told import Change, StepReport


class RunMirror:
    """What there is to see of a run that another process carries."""

    def __init__(self, runbook: Runbook) -> None:
        self.runbook = runbook
        self.id = ""
        self.folder = Path()
        self.mode = ""
        self.environment = ""
        self.params: Mapping[str, str] = MappingProxyType({})
        self.lost = False
        """The supervisor is gone without a word."""
        self.driver = ""
        """Whose decisions the run takes; empty: nobody's at present."""
        self.driving = False
        """Whether that is this end of the line."""
        self.unapproved = ""
        """The step that was to run and lacks other people's approval."""
        self.locked_out = ""
        """The step that was to run and whose lock another live step has."""
        self.in_background: list[str] = []
        """The steps that go on beside the walk."""
        self.word = ""
        """What whoever handed the run over had to say (`NAME: text`), the latest."""
        self._state = RunState.WAITING
        self._states: dict[str, StepState] = {}
        self._current = ""
        self._values: dict[str, str] = {}
        self._file_changed = False
        self._rollback: list[str] = []
        self._running: tuple[str, float] | None = None
        self._plan: dict[str, Any] = {}
        self._accounts: dict[str, Any] = {}
        self._results: dict[str, Result] = {}
        self._listeners: list[Callable[[Change], None]] = []

    @property
    def state(self) -> RunState:
        """Where the run stands."""
        return self._state

    @property
    def states(self) -> Mapping[str, StepState]:
        """Where each step stands."""
        return MappingProxyType(self._states)

    @property
    def current(self) -> Step | None:
        """The step that is next; None when the walk is at its end and the run waits to be finished."""
        return self.runbook.step(self._current) if self._current else None

    @property
    def actor(self) -> str:
        """Who drives."""
        return self.driver

    @property
    def running(self) -> tuple[Step, float] | None:
        """The step that is under way, and since when (unix seconds)."""
        step = self.runbook.step(self._running[0]) if self._running else None
        return (step, self._running[1]) if step is not None and self._running else None

    @property
    def values(self) -> Mapping[str, str]:
        """Parameters, and what steps captured."""
        return MappingProxyType(self._values)

    @property
    def results(self) -> Mapping[str, Result]:
        """Step -> how it ended last."""
        return MappingProxyType(self._results)

    @property
    def file_changed(self) -> bool:
        """The file on disk is not what was opened any more."""
        return self._file_changed

    def command(self, step: Step) -> str:
        """The exact text that `step` would run now."""
        return str(self._plan.get(step.name, {}).get("command", step.body))

    def requirement(self, step: Step) -> Requirement:
        """What confirmation `step` takes."""
        planned = self._plan.get(step.name)
        return decode(Requirement, planned["requirement"]) if planned else Requirement(Demand.NONE)

    def refusal(self, step: Step) -> str | None:
        """Why the guard would refuse `step`; None where it would not."""
        refused = self._plan.get(step.name, {}).get("refusal")
        return str(refused) if refused else None

    def report(self, step: Step) -> StepReport:
        """How `step` stands."""
        account, result = self._accounts.get(step.name, {}), self._results.get(step.name)
        return StepReport(
            step=step,
            state=self._states.get(step.name, StepState.PENDING),
            exit_code=result.exit_code if result else None,
            started_at=account.get("started_at"),
            duration=result.duration if result else None,
            output_bytes=result.output_bytes if result else 0,
            detail=result.detail if result else "",
            attempts=int(account.get("attempts", 0)),
            output=str(account.get("out", "")),
        )

    def reports(self) -> list[StepReport]:
        """How each step of the walk stands, and any other that was run, in the order of the runbook."""
        route = self.runbook.route
        return [self.report(step) for step in self.runbook.steps if step in route or step.name in self._accounts]

    def rollback_plan(self) -> list[Step]:
        """The undo steps of what was tried, the latest first."""
        return [step for name in self._rollback if (step := self.runbook.step(name)) is not None]

    def output_path(self, step: Step) -> Path | None:
        """The file with the output of the latest attempt of `step`."""
        name = self._accounts.get(step.name, {}).get("out")
        return self.folder / "steps" / Path(str(name)).name if name else None

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Have `listener` told of every change. Returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.lost or self._state.over or self._state is RunState.LEFT

    # -- what is told -------------------------------------------------------------------------------------------

    def welcome(self, said: Mapping[str, Any]) -> None:
        """Take what the supervisor says of the run as a whole."""
        self.id, self.folder = str(said["id"]), Path(str(said["folder"]))
        self.mode, self.environment = str(said["mode"]), str(said["environment"])
        self.params = MappingProxyType(dict(said["params"]))
        self._plan = dict(said["plan"])
        self._take_accounts(said["accounts"])
        self._take_standing(said)

    def _take_news(self, message: Mapping[str, Any]) -> None:
        if "run" in message:
            self._take_standing(message)
        self._take_accounts(message.get("accounts", {}))
        self._plan.update(message.get("plan", {}))

    def _take_loss(self) -> None:
        """The line is down without a word: how the step that ran ends is not known."""
        self.lost = True
        if self._running is not None:
            going = {name for name, state in self._states.items() if state is StepState.RUNNING}
            self._states.update(dict.fromkeys({*going, self._running[0]}, StepState.UNKNOWN))
            self._running, self._state = None, RunState.UNKNOWN

    def _take_standing(self, message: Mapping[str, Any]) -> None:
        run = message["run"]
        self._state = RunState(run["state"])
        self._states = {name: StepState(state) for name, state in run["states"].items()}
        self._current, self._values = str(run["current"]), dict(run["values"])
        self._file_changed = bool(run["file_changed"])
        self.unapproved, self._rollback = str(run["unapproved"]), list(run["rollback"])
        self.locked_out, self.in_background = str(run["locked_out"]), list(run["background"])
        self.driver, self.driving = str(message["driver"]), bool(message["driving"])
        self.word = str(message["word"])
        running = message.get("running")
        self._running = (str(running[0]), float(running[1])) if running else None

    def _take_accounts(self, accounts: Mapping[str, Any]) -> None:
        for name, account in accounts.items():
            self._accounts[name] = account
            if account.get("result"):
                self._results[name] = decode(Result, account["result"])

    def _tell(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            listener(change)
