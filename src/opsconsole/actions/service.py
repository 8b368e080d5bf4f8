"""Looking at a service, starting, stopping and restarting it: the `service.*` actions."""

import asyncio
import contextlib
import math
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from opsconsole.actions.action import Action, Outcome, Result, Risk, Runner, Sink, Verification
from opsconsole.actions.runners.shell import ShellRunner
from opsconsole.actions.service_answers import advice, is_answer, is_blind, runs
from opsconsole.actions.service_drivers import argv, settled_argv
from opsconsole.config.services import Service, load_services
from opsconsole.config.settings import Environment
from opsconsole.core.clean import clean_line
from opsconsole.core.problem import ContentError, nearest

_RISKS = {"status": Risk.READ, "logs": Risk.READ, "start": Risk.WRITE, "restart": Risk.WRITE, "stop": Risk.DESTRUCTIVE}
_UNDO = {"start": "stop", "stop": "start"}
_CHANGING = ("start", "restart", "stop")
_SETTLE = 1.0
"""Seconds between two looks whether it runs."""
_LOOKS = {"systemd": 2, "docker": 2, "compose": 2}
"""Driver -> how often in a row it has to be seen to run: these say so of what is about to die at once."""
_KEPT = 16 * 1024
"""Bytes of output that are looked at for what went wrong."""
_NOT_RUNNABLE, _NOT_FOUND = 126, 127
"""Exit codes that say that the program did not start, as shells have them."""
_NO_CONNECTION = 255
"""ssh's own exit code."""


def find_service(environment: Environment, name: str) -> Service:
    """The service of that name.

    Raises:
        ValueError: there is none, or services.yaml cannot be used.
    """
    if environment.services is None:
        raise ValueError(f"no services are configured in {environment.name}; name a file under services:")
    try:
        services, _ = load_services(environment.services)
    except ContentError as error:
        raise ValueError(f"services: {error.problems[0]}") from None
    found = next((service for service in services if service.name == name), None)
    if found is None:
        known = [service.name for service in services]
        raise ValueError(f"no service {name!r} in {environment.services.name}{nearest(name, known)}")
    return found


def service_action(verb: str, arguments: Mapping[str, str], environment: Environment) -> Action:
    """The action that does `verb` with the service that `arguments` name."""
    service, instance = find_service(environment, arguments["service"]), arguments.get("instance", "")
    config = str(environment.ssh_config) if environment.ssh_config else ""
    command = argv(service, verb, instance, config)
    undo = ""
    if verb in _UNDO:
        with contextlib.suppress(ValueError):
            undo = shlex.join(argv(service, _UNDO[verb], instance, config))
    return Action(
        id=f"service.{verb}",
        title=f"{verb} {service.title}" + (f" ({instance})" if instance else ""),
        command=shlex.join(command),
        target=service.name,
        risk=_RISKS[verb],
        runner=_Asked(service, verb, tuple(command)),
        timeout=service.timeout,
        undo=undo,
        verify=_verification(service, verb, instance, config),
        verify_timeout=service.timeout,
    )


status = partial(service_action, "status")
logs = partial(service_action, "logs")
start = partial(service_action, "start")
stop = partial(service_action, "stop")
restart = partial(service_action, "restart")


@dataclass(frozen=True, slots=True)
class _Asked:
    """Asks a service manager to do something, and says in words what came of it."""

    service: Service
    verb: str
    command: tuple[str, ...]

    async def run(self, sink: Sink) -> Result:
        """What was changed ends with a line that says when: a verification wants what was measured after that."""
        said = bytearray()

        def take(piece: bytes) -> None:
            said.extend(piece)
            del said[:-_KEPT]
            sink(piece)

        runner: Runner = ShellRunner(script="", argv=self.command, risk=Risk.WRITE)
        result = await runner.run(take)
        output = bytes(said).decode("utf-8", "replace")
        if result.outcome not in (Outcome.OK, Outcome.FAILED):
            return result
        if self.verb == "status" and is_answer(self.service, result.exit_code, output):
            return _state(result, runs(self.service, result.exit_code, output), output)
        if result.outcome is Outcome.FAILED:
            return replace(result, detail=_explained(self.service, self.verb, result, output))
        if self.verb in _CHANGING:
            sink(f"-- {self.verb} of {self.service.name} done at {math.ceil(time.time())}\n".encode())
        return result


def _state(result: Result, state: bool | None, output: str) -> Result:
    """To have looked is a success, whatever was seen."""
    if state is None:
        detail = f"neither up nor down: {_last_line(output)}"
        return replace(result, outcome=Outcome.WARN, detail=detail)
    return replace(result, outcome=Outcome.OK, detail="it runs" if state else "it does not run")


def _explained(service: Service, verb: str, result: Result, output: str) -> str:
    """What failed, where, why, and what to do next."""
    where = f"{verb} {service.name} by {service.driver}" + (f" on {service.host}" if service.host else "")
    why = advice(service, output)
    if result.exit_code == _NOT_FOUND:
        said = _last_line(output) or result.detail
        why = f"{said}; install it {'there' if service.host else 'here'}, or set host: or driver: in services.yaml"
    elif result.exit_code == _NO_CONNECTION and service.host:
        why = f"{_last_line(output) or 'no connection'}; try: ssh -o BatchMode=yes {service.host} true"
    return f"{where}: {why or _last_line(output) or result.detail}"


def _last_line(output: str) -> str:
    lines = output.strip().splitlines()
    return clean_line(lines[-1], limit=200) if lines else ""


def _verification(service: Service, verb: str, instance: str, config: str) -> Verification | None:
    """Looks until the service manager says that it runs (or, after a stop, that it does not)."""
    if verb not in _CHANGING:
        return None
    try:
        if verb == "stop":
            command = argv(service, "status", instance, config)
        else:
            command = settled_argv(service, instance, config)
    except ValueError:
        return None
    return partial(_looked, service, tuple(command), verb != "stop")


async def _looked(service: Service, command: tuple[str, ...], wanted: bool) -> Result:
    """Cancelled when its time is over; the last look then says what was seen."""
    seen, good = "", 0
    needed = _LOOKS.get(service.driver, 1) if wanted else 1
    try:
        while True:
            result, output = await _look(command)
            if result.outcome is Outcome.CANCELLED or _is_cancelled():
                break
            seen = clean_line(output.strip().split("\n")[0], limit=200) or result.detail
            if _is_in_vain(service, result, output):
                return Result(Outcome.FAILED, result.exit_code, _explained(service, "status", result, output))
            good = good + 1 if runs(service, result.exit_code, output) is wanted else 0
            if good >= needed:
                return Result(Outcome.OK, detail=seen)
            await asyncio.sleep(_SETTLE)
    except asyncio.CancelledError:
        pass
    state = "does not run" if wanted else "still runs"
    return Result(Outcome.CANCELLED, detail=f"it {state}" + (f": {seen}" if seen else ""))


def _is_in_vain(service: Service, result: Result, output: str) -> bool:
    """Whether the next look would fail as this one did."""
    lost = result.exit_code == _NO_CONNECTION and service.host
    unable = result.exit_code in (_NOT_RUNNABLE, _NOT_FOUND)
    return result.outcome is Outcome.FAILED and bool(lost or unable or is_blind(service, output))


def _is_cancelled() -> bool:
    """Whether this task was cancelled and the runner kept that to itself, because what it ran had just ended."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _look(command: tuple[str, ...]) -> tuple[Result, str]:
    said: list[bytes] = []
    runner: Runner = ShellRunner(script="", argv=command, risk=Risk.WRITE)
    result = await runner.run(said.append)
    return result, b"".join(said).decode("utf-8", "replace")
