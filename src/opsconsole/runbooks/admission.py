"""Whether a step may begin as it is: what the operator said, other people's approval, another live step's lock."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from opsconsole.actions.action import Action, Approval, Outcome, Result, Sink
from opsconsole.actions.approval import ApprovalError
from opsconsole.actions.confirmation import Confirmation, shortfall
from opsconsole.actions.door import Door
from opsconsole.runbooks.lock import LockHeldError
from opsconsole.runbooks.model import Step
from opsconsole.runbooks.preparing import Refusing


class Admission:
    """Turns steps away that may not begin. The door hears of each, so that the journal has it, too; the step is as it
    was before."""

    def __init__(self, door: Door, record: Callable[..., None]) -> None:
        """`record` writes an event with its fields to the record of the run."""
        self._door = door
        self._record = record
        self.unapproved = ""
        """The step that was to run and lacks other people's approval."""
        self.locked_out = ""
        """The step that was to run and whose lock another live step has."""

    def begin(self) -> None:
        """The operator has decided anew: who was turned away before does not matter any more."""
        self.unapproved = self.locked_out = ""

    async def turned_away(self, step: Step, action: Action, confirmation: Confirmation, sink: Sink) -> Result | None:
        """What comes of `step` where it may not begin; None: it may. What the guard refuses is the door's to say."""
        if self._door.refusal(action):
            return None
        missing = shortfall(self._door.required(action), confirmation)
        if missing:
            self._record("declined", step=step.name, reason=missing)
            return await self._door.perform(action, confirmation, sink=sink)
        if action.approval is not None and (wanting := action.approval.missing()):
            return await self._ask_for_approval(step, action, action.approval, confirmation, wanting, sink)
        return None

    async def lock_out(
        self, step: Step, action: Action, confirmation: Confirmation, sink: Sink, held: LockHeldError
    ) -> Result:
        """What comes of `step` where another live step has its lock."""
        self.locked_out = step.name
        self._record("locked", step=step.name, reason=str(held))
        refusing = replace(action, runner=Refusing(str(held)), verify=None)
        return await self._door.perform(refusing, confirmation, sink=sink)

    async def _ask_for_approval(
        self, step: Step, action: Action, approval: Approval, confirmation: Confirmation, wanting: str, sink: Sink
    ) -> Result:
        """Nothing starts; the request is left where others find it, and the record says so."""
        self.unapproved = step.name
        try:
            await asyncio.to_thread(approval.ask)
        except ApprovalError as error:
            wanting = f"{wanting}; {error}"
        self._record("approval-requested", step=step.name, reason=wanting)
        result = await self._door.perform(action, confirmation, sink=sink)
        return replace(result, detail=wanting) if result.outcome is Outcome.UNAPPROVED else result
