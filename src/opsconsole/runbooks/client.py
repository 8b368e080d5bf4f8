"""A run as its fronts hold it: the same to look at as `Run`, and asked over the line to its supervisor.

What is to be seen is here at once, as the supervisor told it last; what is to be done is awaited. The end of the
line is no end of the run.
"""

import asyncio
import base64
import contextlib
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from opsconsole.actions.action import Outcome, Result, Sink
from opsconsole.actions.confirmation import Confirmation
from opsconsole.runbooks.answers import StepCancelledError, raised
from opsconsole.runbooks.command import fingerprint
from opsconsole.runbooks.encoding import decode, encode
from opsconsole.runbooks.link import Link, connect
from opsconsole.runbooks.mirror import RunMirror
from opsconsole.runbooks.model import Runbook, Step
from opsconsole.runbooks.resuming import opened_runbook
from opsconsole.runbooks.states import IllegalTransitionError, RunState, StepState, Verdict
from opsconsole.runbooks.told import Change

_PIECE = 1024 * 1024
"""Bytes of output that are read at once: a front's loop is free again in between."""
_TAIL = 256 * 1024
"""Bytes of output that somebody who comes later gets to see of what was printed before."""


class SupervisorLostError(Exception):
    """The supervisor is gone without a word. How the step that ran has ended is not known."""


class NotCarriedError(ValueError):
    """Nobody carries that run: there is nothing to attach to."""


class RunClient(RunMirror):
    """One front's end of the line to a run."""

    def __init__(self, link: Link, runbook: Runbook) -> None:
        """For `attach` and `order`; use those."""
        super().__init__(runbook)
        self.in_order = False
        """Whether output is passed on before a change is told: for a front that prints both."""
        self.skipped: Callable[[int], None] | None = None
        """Told how many bytes of output are left out, by a front that shows only the end of what it cannot follow."""
        self._link = link
        self._requests: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._sink: Sink | None = None
        self._output: dict[str, int] = {}
        self._read: dict[str, int] = {}
        self._more = asyncio.Event()
        self._closed = False
        self._listening = asyncio.ensure_future(self._listen())
        self._following = asyncio.ensure_future(self._follow())

    @classmethod
    async def attach(
        cls, folder: Path, *, drive: str = "if-free", read_only: bool = False, login: str = ""
    ) -> "RunClient":
        """Connect to the run in `folder`.

        Args:
            folder: of the run.
            drive: `if-free`: decide if nobody else does; `watch`: never; `take`: whoever does.
            read_only: this front changes nothing, whatever it drives.
            login: who logged in, where that is not the user.

        Raises:
            NotCarriedError: nobody carries it.
            CannotResumeError: its folder cannot be read.
        """
        runbook = await asyncio.to_thread(opened_runbook, folder)
        link = await connect(folder)
        if link is None:
            raise NotCarriedError(f"run {folder.name} is not going on")
        client = cls(link, runbook)
        hello = {"drive": drive, "read_only": read_only, "login": login}
        try:
            client.welcome(await client.ask("hello", **hello, ssh_connection=os.environ.get("SSH_CONNECTION", "")))
        except SupervisorLostError:
            await client.close()
            raise NotCarriedError(f"run {folder.name} does not let you in, or has just ended") from None
        client.skip_to_tail()
        return client

    def watch(self, sink: Sink) -> None:
        """Have `sink` get all output from now on, of whatever step."""
        self._sink = sink
        self._more.set()

    # -- what can be done ---------------------------------------------------------------------------------------

    async def execute(
        self,
        step: Step,
        confirmation: Confirmation,
        sink: Sink,
        *,
        again: bool = False,
        size: tuple[int, int] | None = None,
    ) -> Result:
        """Run `step`; see `Run.execute`. Its output goes to `sink`, at the pace of this end.

        `size` (rows, columns) says that there is a terminal here to hand over to an interactive step; see `hand_over`.
        Cancelling the calling task leaves the step alone; `cancel` ends it.

        Raises:
            IllegalTransitionError: as `Run.execute`, and when another operator drives.
            StepCancelledError: it was ended by `cancel`, and that is recorded.
            SupervisorLostError: how it ends is not known.
        """
        self._sink = sink
        said = await self.ask(
            "execute",
            step=step.name,
            confirmation=encode(confirmation),
            again=again,
            shown=fingerprint(self.command(step)),
            rows=size[0] if size else 0,
            columns=size[1] if size else 0,
        )
        await self.caught_up()
        return decode(Result, said["result"])

    async def execute_together(self, confirmations: Mapping[str, Confirmation]) -> None:
        """Run several steps, some beside each other; see `Run.execute_together`. What they print is in their files.

        Raises:
            Exception: as `execute`.
        """
        steps = [step for name in confirmations if (step := self.runbook.step(name)) is not None]
        said = [
            {
                "step": step.name,
                "confirmation": encode(confirmations[step.name]),
                "shown": fingerprint(self.command(step)),
            }
            for step in steps
        ]
        await self.ask("execute-together", steps=said)

    async def rehearse(self, step: Step, sink: Sink) -> Result:
        """Write to `sink` what `step` would run; the result says what would be asked. Nothing is run or recorded."""
        said = await self.ask("rehearse", step=step.name)
        sink(str(said["text"]).encode())
        return decode(Result, said["result"])

    def type(self, data: bytes) -> None:
        """Pass on what was typed, to the interactive step that runs."""
        self._link.send({"do": "type", "data": base64.b64encode(data).decode("ascii")})

    def resize(self, rows: int, columns: int) -> None:
        """The terminal that was handed over has another size."""
        self._link.send({"do": "resize", "rows": rows, "columns": columns})

    async def cancel(self) -> bool:
        """End the step that runs, with everything it started; False where none runs. Returns when that is recorded."""
        return bool(await self.ask("cancel"))

    async def skip(self, step: Step, reason: str) -> None:
        """See `Run.skip`."""
        await self.ask("skip", step=step.name, reason=reason)

    async def exclude(self, step: Step, reason: str) -> None:
        """See `Run.exclude`."""
        await self.ask("exclude", step=step.name, reason=reason)

    async def complete_manual(self, step: Step, verdict: Verdict, note: str = "") -> None:
        """See `Run.complete_manual`."""
        await self.ask("complete", step=step.name, verdict=verdict.value, note=note)

    async def choose(self, step: Step, option: str) -> None:
        """See `Run.choose`."""
        await self.ask("choose", step=step.name, option=option)

    async def rollback(self, confirm: Callable[[Step], Awaitable[Confirmation]], sink: Sink) -> bool:
        """Run the undo steps of what was tried, the latest first, until one fails. Whether all of them worked.

        Raises:
            Exception: as `execute`.
        """
        for name in await self.ask("rollback"):
            step = self.runbook.step(str(name))
            if step is None:
                return False
            again = self.states[step.name] is not StepState.PENDING
            result = await self.execute(step, await confirm(step), sink, again=again)
            if result.outcome not in (Outcome.OK, Outcome.WARN):
                return False
        return True

    async def jump(self, step: Step) -> None:
        """See `Run.jump`."""
        await self.ask("jump", step=step.name)

    async def note(self, text: str) -> None:
        """Write `text` to the record; whoever watches may do that."""
        await self.ask("note", text=text)

    async def leave(self) -> None:
        """See `Run.leave`. Its supervisor ends; the run can be resumed."""
        await self.ask("leave")

    async def abort(self, reason: str = "") -> None:
        """See `Run.abort`; of a run without an operator also in the middle of a step, which is ended."""
        await self.ask("abort", reason=reason)

    async def finish(self) -> RunState:
        """See `Run.finish`."""
        return RunState(await self.ask("finish"))

    async def hand_over(self, text: str) -> None:
        """Drive no longer, and leave word for whoever does next; until then the run waits."""
        await self.ask("hand-over", text=text)

    async def pause(self) -> None:
        """Drive no longer; the run waits, and keeps its lock."""
        await self.ask("pause")

    async def take_over(self) -> None:
        """Drive from now on; who drove so far watches."""
        await self.ask("take-over")

    async def detach(self, reason: str = "asked") -> None:
        """Go, and leave the run to itself: what runs goes on.

        `reason` is recorded; any other than `asked` is a lost line, on which a step with `onHangup: kill` is ended.
        """
        self._link.send({"do": "detach", "reason": reason})
        await self.close()

    async def close(self) -> None:
        """Hang up."""
        self._closed = True
        await self._link.close()
        self._following.cancel()
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(self._listening, self._following, return_exceptions=True)

    async def wait_over(self) -> None:
        """Wait until the run is over or was left, or the supervisor is gone."""
        over = asyncio.Event()

        def look(change: Change) -> None:
            if self.ended:
                over.set()

        stop = self.subscribe(look)
        try:
            if not self.ended:
                await over.wait()
            await self.caught_up()
        finally:
            stop()

    # -- the line -----------------------------------------------------------------------------------------------

    async def ask(self, verb: str, **arguments: Any) -> Any:
        """Ask the supervisor for something.

        Raises:
            SupervisorLostError: there is no answer.
            Exception: whatever is wrong with the request; see `answers`.
        """
        if self._closed or self.lost:
            raise SupervisorLostError("the supervisor of this run is gone")
        self._number += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._requests[self._number] = answer
        self._link.send({"id": self._number, "do": verb, **arguments})
        return await answer

    async def _listen(self) -> None:
        while (message := await self._link.receive()) is not None:
            answer = self._requests.pop(int(message.get("re") or 0), None)
            if answer is not None:
                if answer.done():
                    continue
                if "error" in message:
                    answer.set_exception(raised(message["error"]))
                else:
                    answer.set_result(message.get("ok"))
            elif "ev" in message:
                self._hear(message)
        self._line_is_down()

    def _line_is_down(self) -> None:
        if not self._closed and not self._state.over and self._state is not RunState.LEFT:
            self._take_loss()
        for answer in self._requests.values():
            if not answer.done():
                answer.set_exception(SupervisorLostError("the supervisor of this run is gone"))
        self._requests.clear()
        if self.lost:
            self._tell(Change("run", state=self._state.value, detail="the supervisor is gone"))

    def welcome(self, said: Mapping[str, Any]) -> None:
        """Take what the supervisor says of the run as a whole."""
        super().welcome(said)
        self._output = {str(name): int(size) for name, size in said["outputs"].items()}

    def skip_to_tail(self) -> None:
        """Of what was printed before, only the end is of interest."""
        self._read = {name: max(0, size - _TAIL) for name, size in self._output.items()}

    def _hear(self, message: Mapping[str, Any]) -> None:
        self._take_news(message)
        if "outputs" in message:
            self._output.update({str(name): int(size) for name, size in message["outputs"].items()})
            self._more.set()
        while self.in_order and self._sink is not None and self._pass_on():
            pass
        self._tell(decode(Change, message["change"]) if "change" in message else Change("run", state=self._state.value))

    # -- output -------------------------------------------------------------------------------------------------

    async def caught_up(self) -> None:
        """Wait until all output that was announced has been passed on."""
        while self._sink is not None and self._pass_on():  # noqa: ASYNC110 - it works, and lets others work
            await asyncio.sleep(0)

    async def _follow(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            await self.caught_up()

    def _pass_on(self) -> bool:
        """Pass on one piece; False where there is nothing left."""
        for name, size in self._output.items():
            done = self._read.get(name, 0)
            if done >= size:
                continue
            if self.skipped is not None and size - done > _PIECE:
                self.skipped(size - done - _TAIL)
                done = size - _TAIL
            piece = self._piece(name, done, min(_PIECE, size - done))
            self._read[name] = done + len(piece) if piece else size  # the file may lack what the disk had no room for
            if piece and self._sink is not None:
                self._sink(piece)
            return True
        return False

    def _piece(self, name: str, offset: int, size: int) -> bytes:
        try:
            with (self.folder / "steps" / Path(name).name).open("rb") as file:
                file.seek(offset)
                return file.read(size)
        except OSError:
            return b""


__all__ = ["IllegalTransitionError", "NotCarriedError", "RunClient", "StepCancelledError", "SupervisorLostError"]
