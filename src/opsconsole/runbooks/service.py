"""A run in the service of those who are connected: one drives, the others watch, and it goes on without any."""

import asyncio
import base64
import binascii
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from opsconsole.actions.confirmation import Confirmation
from opsconsole.actions.guard import Context, user_name
from opsconsole.actions.runners.terminal import Terminal
from opsconsole.config.settings import Role
from opsconsole.core.clean import clean_line
from opsconsole.runbooks.answers import StepCancelledError, WatchingError, described
from opsconsole.runbooks.audience import Audience, Visitor
from opsconsole.runbooks.command import fingerprint
from opsconsole.runbooks.encoding import decode, encode
from opsconsole.runbooks.link import LONGEST, Link, listen
from opsconsole.runbooks.model import Step
from opsconsole.runbooks.order import Order
from opsconsole.runbooks.record import SOCKET
from opsconsole.runbooks.run import Run
from opsconsole.runbooks.states import IllegalTransitionError, RunState, StepState, Verdict
from opsconsole.runbooks.together import at_once
from opsconsole.runbooks.unattended import Instructions, walk

_log = logging.getLogger(__name__)
_FAREWELL = 2.0
"""Seconds that everybody connected has to take the last news."""

Arguments = Mapping[str, Any]


class RunService:
    """Carries one run, from here to its end."""

    def __init__(self, run: Run, order: Order) -> None:
        self._run = run
        self._order = order
        self._audience = Audience(run, unattended=order.instructions is not None)
        self._task: asyncio.Task[Any] | None = None
        self._waiting: asyncio.TimerHandle | None = None
        self._attending: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._terminal: Terminal | None = None
        """Of the interactive step that runs."""

    async def serve(self, front: Link, request: object = None) -> None:
        """Serve whoever is connected until the run is over, was left, or nobody came back."""
        self._run.subscribe(self._audience.hear)
        server = await self._open_door()
        visitor = Visitor(front, self._order.context)
        self._audience.driver = visitor
        self._audience.welcome(visitor, request)
        self._attend(visitor)
        if self._order.instructions is not None:
            self._task = asyncio.ensure_future(self._walk(self._order.instructions))
        try:
            await self._ended.wait()
            if self._task is not None:
                await asyncio.wait({self._task})
        finally:
            if server is not None:
                server.close()
                with contextlib.suppress(OSError):
                    (self._run.folder.path / SOCKET).unlink()
            await self._run.end_background()
            await asyncio.gather(*(self._farewell(one) for one in self._audience.visitors))
            for task in self._attending:
                task.cancel()
            self._run.close()

    def stop(self) -> None:
        """The machine wants this process gone: end the step, have that recorded, and leave the run as it stands."""
        asyncio.get_running_loop().create_task(self._stopped("the supervisor was asked to end (SIGTERM)"))

    # -- coming and going ---------------------------------------------------------------------------------------

    async def _open_door(self) -> asyncio.AbstractServer | None:
        try:
            listening = listen(self._run.folder.path)
            return await asyncio.start_unix_server(self._arrived, sock=listening, limit=LONGEST)
        except OSError as error:
            sys.stderr.write(f"nobody can attach to this run: {error}\n")
            return None

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(reader, writer)
        try:
            peer = link.peer
        except OSError:
            await link.close()
            return
        hello = await link.receive() if peer.uid in (0, os.getuid()) else None
        if hello is None or hello.get("do") != "hello":
            await link.close()
            return
        visitor = Visitor(link, self._context_of(peer.uid, hello))
        wish = hello.get("drive")
        drives = wish == "take" or (wish == "if-free" and self._audience.driver is None)
        before = self._audience.driver
        self._run.record("attach", **_by(visitor), driving=drives and before is None)
        if drives:
            self._let_drive(visitor)
        self._audience.welcome(visitor, hello.get("id"))
        self._attend(visitor)

    def _context_of(self, uid: int, hello: Arguments) -> Context:
        ours = self._order.context
        return replace(
            ours,
            actor=user_name(uid),
            role=ours.role if uid == os.getuid() else Role.ADMIN,
            read_only=bool(hello.get("read_only")),
            login=clean_line(hello.get("login", ""), limit=100),
            ssh_connection=clean_line(hello.get("ssh_connection", ""), limit=200),
        )

    def _attend(self, visitor: Visitor) -> None:
        task = asyncio.ensure_future(self._listen_to(visitor))
        self._attending.add(task)
        task.add_done_callback(self._attending.discard)

    async def _listen_to(self, visitor: Visitor) -> None:
        while (message := await visitor.link.receive()) is not None:
            if message.get("do") == "detach":
                self._gone(visitor, str(message.get("reason", "")))
                await visitor.link.close()
                return
            if message.get("do") in ("type", "resize"):
                self._at_terminal(visitor, message)
            else:
                await self._answer(visitor, message)
        self._gone(visitor, "the line is down")

    def _gone(self, visitor: Visitor, reason: str) -> None:
        if visitor.gone:
            return
        visitor.gone = True
        self._audience.visitors.remove(visitor)
        driving = visitor is self._audience.driver
        if driving:
            self._audience.driver = None
        if self._ended.is_set():
            return
        with contextlib.suppress(OSError):
            self._run.record("detach", **_by(visitor), driving=driving, reason=clean_line(reason, limit=200))
        self._audience.tell_standing()
        if driving and reason != "asked":
            self._hung_up()
        self._wait_for_somebody()

    def _hung_up(self) -> None:
        step = self._run.runbook.step(self._audience.running[0]) if self._audience.running else None
        if step is None or self._task is None:
            return
        # what talks to its operator would wait for answers for ever: a terminal that is gone ends what ran on it
        if step.interactive or step.attributes.get("onHangup") == "kill":
            self._task.cancel()

    def _let_drive(self, visitor: Visitor) -> None:
        before = self._audience.driver
        if before is visitor:
            return
        self._audience.driver = visitor
        self._run.door.context = visitor.context
        self._audience.tell_plan()
        if before is not None:
            self._run.record("take-over", **_by(visitor), before=before.context.actor)
        self._audience.tell_standing()
        self._wait_for_somebody()

    def _wait_for_somebody(self) -> None:
        """Start to count the time that nobody drives and nothing happens."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self._audience.driver is None and self._task is None and not self._ended.is_set():
            limit = self._order.idle_limit
            self._waiting = asyncio.get_running_loop().call_later(limit, self._nobody_came)

    def _nobody_came(self) -> None:
        self.stop_with("nobody came back")

    def stop_with(self, reason: str) -> None:
        """Leave the run as it stands, for a reason that is recorded."""
        asyncio.get_running_loop().create_task(self._stopped(reason))

    async def _stopped(self, reason: str) -> None:
        await self._cancelled()
        await self._end_background()
        if self._run.state is RunState.WAITING:
            with contextlib.suppress(OSError):
                self._run.record("note", text=f"the run is left: {reason}")
            self._run.leave()
        self._end_if_over()
        self._ended.set()

    async def _farewell(self, visitor: Visitor) -> None:
        await visitor.link.flush(_FAREWELL)
        await visitor.link.close()

    # -- what is asked for --------------------------------------------------------------------------------------

    async def _answer(self, visitor: Visitor, message: Arguments) -> None:
        request, verb = message.get("id"), str(message.get("do"))
        try:
            if verb in ("execute", "execute-together"):
                start = self._execute if verb == "execute" else self._execute_together
                start(visitor, request, message)
                return
            answer = await self._done(visitor, verb, message)
        except Exception as error:
            visitor.link.send({"re": request, "error": _described(error)})
            return
        visitor.link.send({"re": request, "ok": answer})
        self._end_if_over()

    async def _done(self, visitor: Visitor, verb: str, message: Arguments) -> Any:
        run = self._run
        if verb == "take-over":
            self._let_drive(visitor)
            return None
        if verb == "note":
            run.note(str(message["text"]))
            return None
        if visitor is not self._audience.driver:
            who = self._audience.driver.context.actor if self._audience.driver is not None else "nobody"
            raise WatchingError(f"you are watching; {who} drives this run")
        if verb == "cancel":
            return await self._cancelled()
        if verb == "abort" and self._order.instructions is not None:
            await self._cancelled()
        if self._task is not None:
            raise IllegalTransitionError("a step is running")
        if verb == "rehearse":
            pieces: list[bytes] = []
            result = await run.rehearse(self._step(message), pieces.append)
            return {"result": encode(result), "text": b"".join(pieces).decode("utf-8", "replace")}
        if verb in ("hand-over", "pause"):
            return self._set_aside(visitor, verb, str(message.get("text", "")))
        if verb in ("leave", "abort", "finish"):
            await self._end_background()
        decision = DECISIONS.get(verb)
        if decision is None:
            raise ValueError(f"{clean_line(verb, limit=40)} is nothing that can be asked of a run")
        step = self._step(message) if message.get("step") else None
        answer = decision(run, step, message)
        self._audience.tell_plan()
        self._audience.tell_standing()
        return answer

    def _step(self, message: Arguments) -> Step:
        step = self._run.runbook.step(str(message.get("step")))
        if step is None:
            raise ValueError(f"there is no step {clean_line(message.get('step'), limit=80)}")
        return step

    def _execute(self, visitor: Visitor, request: object, message: Arguments) -> None:
        if visitor is not self._audience.driver:
            raise WatchingError("you are watching; only the driver runs steps")
        if self._task is not None:
            raise IllegalTransitionError("a step is running")
        step = self._step(message)
        self._terminal = _terminal_of(message) if step.interactive else None
        self._audience.typing = self._terminal is not None
        self._see_that_it_is_what_was_shown(step, message)
        confirmation = decode(Confirmation, message["confirmation"])
        self._task = asyncio.ensure_future(
            self._carry(visitor, request, step, confirmation, bool(message.get("again")))
        )

    def _execute_together(self, visitor: Visitor, request: object, message: Arguments) -> None:
        if visitor is not self._audience.driver:
            raise WatchingError("you are watching; only the driver runs steps")
        if self._task is not None:
            raise IllegalTransitionError("a step is running")
        beside = at_once(self._run.runbook)
        if beside < 2:
            raise IllegalTransitionError("these steps run one after the other")
        steps = {self._step(one).name: one for one in message["steps"]}
        for one in steps.values():
            self._see_that_it_is_what_was_shown(self._step(one), one)
        said = {name: decode(Confirmation, one["confirmation"]) for name, one in steps.items()}
        self._task = asyncio.ensure_future(self._carry_together(visitor, request, said, beside))

    def _see_that_it_is_what_was_shown(self, step: Step, message: Arguments) -> None:
        shown = message.get("shown")
        if shown and shown != fingerprint(self._run.command(step)):
            raise IllegalTransitionError(f"{step.name}: what it would run has changed since it was shown; look again")

    def _at_terminal(self, visitor: Visitor, message: Arguments) -> None:
        """What the operator types into the interactive step, and how large his terminal is."""
        if self._terminal is None or visitor is not self._audience.driver:
            return
        if message.get("do") == "resize":
            self._terminal.resize(*_size_in(message))
            return
        with contextlib.suppress(binascii.Error):
            self._terminal.type(base64.b64decode(str(message.get("data", "")), validate=True))

    async def _carry(
        self, visitor: Visitor, request: object, step: Step, confirmation: Confirmation, again: bool
    ) -> None:
        answer: dict[str, Any]
        self._begin(step.name)
        try:
            result = await self._run.execute(
                step, confirmation, self._audience.take_output, again=again, terminal=self._terminal
            )
            answer = {"ok": {"result": encode(result)}}
        except asyncio.CancelledError:
            answer = {"error": described(StepCancelledError(f"{step.name} was cancelled"))}
        except Exception as error:
            answer = {"error": _described(error)}
        finally:
            self._end()
        visitor.link.send({"re": request, **answer})
        self._end_if_over()

    async def _carry_together(
        self, visitor: Visitor, request: object, said: Mapping[str, Confirmation], beside: int
    ) -> None:
        answer: dict[str, Any] = {"ok": None}
        self._audience.together = True
        self._begin(next(iter(said), ""))
        try:
            await self._run.execute_together(said, self._audience.take_output, beside)
        except asyncio.CancelledError:
            answer = {"error": described(StepCancelledError("they were cancelled"))}
        except Exception as error:
            answer = {"error": _described(error)}
        finally:
            self._end()
        visitor.link.send({"re": request, **answer})
        self._end_if_over()

    async def _walk(self, instructions: Instructions) -> None:
        """Without an operator, to the end. What is unknown is not run again unless that does no harm."""
        run = self._run
        step = run.current
        self._audience.together = at_once(run.runbook) > 1
        try:
            if step is not None and run.states[step.name] is StepState.UNKNOWN:
                if not step.idempotent:
                    run.leave()
                    return
                demand = run.requirement(step).demand
                await run.execute(step, instructions.confirmation(step, demand), self._audience.take_output, again=True)
            await walk(run, instructions, self._audience.take_output)
        except asyncio.CancelledError:
            pass
        except Exception:
            _log.exception("the walk failed")
            await run.end_background()
            if run.state is RunState.WAITING:
                run.leave()
        finally:
            self._end()
            self._end_if_over()

    def _set_aside(self, visitor: Visitor, verb: str, text: str) -> None:
        """The run waits, and nobody drives it until somebody takes it; its lock is kept."""
        text = clean_line(text.strip(), limit=1000)
        self._run.record(verb, **_by(visitor), text=text, sync=True)
        self._audience.word = f"{visitor.context.actor}: {text}" if text else ""
        self._audience.driver = None
        self._audience.tell_standing()
        self._wait_for_somebody()

    async def _end_background(self) -> None:
        """What goes on beside the walk ends with the run; meanwhile nothing else is decided."""
        if self._run.in_background:
            self._task = asyncio.ensure_future(self._run.end_background())
            await asyncio.wait({self._task})
            self._task = None

    async def _cancelled(self) -> bool:
        """End the step that runs, and wait until that is recorded."""
        task = self._task
        if task is None:
            return False
        task.cancel()
        await asyncio.wait({task})
        return True

    # -- what goes on ------------------------------------------------------------------------------------------

    def _begin(self, step: str) -> None:
        self._audience.running = (step, time.time())
        self._audience.tell_standing()

    def _end(self) -> None:
        self._audience.tell_output(final=True)
        self._audience.running, self._task, self._terminal = None, None, None
        self._audience.typing = self._audience.together = False
        self._audience.tell_plan()
        self._audience.tell_standing()
        self._wait_for_somebody()

    def _end_if_over(self) -> None:
        if self._run.state.over or self._run.state is RunState.LEFT:
            self._ended.set()


Decision = Callable[[Run, Step | None, Arguments], Any]


def _about(step: Step | None) -> Step:
    if step is None:
        raise ValueError("of which step?")
    return step


DECISIONS: Mapping[str, Decision] = {
    "skip": lambda run, step, said: run.skip(_about(step), str(said["reason"])),
    "exclude": lambda run, step, said: run.exclude(_about(step), str(said["reason"])),
    "complete": lambda run, step, said: run.complete_manual(
        _about(step), Verdict(said["verdict"]), str(said.get("note", ""))
    ),
    "choose": lambda run, step, said: run.choose(_about(step), str(said["option"])),
    "rollback": lambda run, step, said: [one.name for one in run.begin_rollback()],
    "jump": lambda run, step, said: run.jump(_about(step)),
    "leave": lambda run, step, said: run.leave(),
    "abort": lambda run, step, said: run.abort(str(said.get("reason", ""))),
    "finish": lambda run, step, said: run.finish().value,
}
"""What a driver may have recorded, beside running a step."""


def _terminal_of(message: Arguments) -> Terminal | None:
    return Terminal(*_size_in(message)) if message.get("rows") else None


def _size_in(message: Arguments) -> tuple[int, int]:
    return int(message.get("rows") or 24), int(message.get("columns") or 80)


def _described(error: Exception) -> dict[str, Any]:
    if not isinstance(error, IllegalTransitionError | ValueError | OSError | KeyError | TypeError):
        _log.error("a request failed", exc_info=error)
    return described(error)


def _by(visitor: Visitor) -> dict[str, str]:
    context = visitor.context
    return {"by": context.actor, "login": context.login, "ssh_connection": context.ssh_connection}
