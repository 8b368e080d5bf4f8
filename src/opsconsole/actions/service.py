"""Looking at a service, starting, stopping and restarting it: the `service.*` actions."""

import re
import shlex
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from opsconsole.actions.action import Action, Outcome, Result, Risk, Sink, Verification
from opsconsole.actions.runners.shell import ShellRunner
from opsconsole.actions.service_drivers import ACTIVE, INACTIVE, argv
from opsconsole.config.services import Service, load_services
from opsconsole.config.settings import Environment
from opsconsole.core.clean import clean_line
from opsconsole.core.problem import ContentError, nearest

_RISKS = {"status": Risk.READ, "logs": Risk.READ, "start": Risk.WRITE, "restart": Risk.WRITE, "stop": Risk.DESTRUCTIVE}
_UNDO = {"start": "stop", "stop": "start"}
_SETTLE = 1.0
"""Seconds between two looks whether it runs."""


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
    verify = _verification(service, verb, instance, config)
    undo = ""
    if verb in _UNDO:
        try:
            undo = shlex.join(argv(service, _UNDO[verb], instance, config))
        except ValueError:
            undo = ""
    return Action(
        id=f"service.{verb}",
        title=f"{verb} {service.title}" + (f" ({instance})" if instance else ""),
        command=shlex.join(command),
        target=service.name,
        risk=_RISKS[verb],
        runner=ShellRunner(script="", argv=tuple(command), risk=_RISKS[verb]),
        timeout=service.timeout,
        undo=undo,
        verify=verify,
        verify_timeout=service.timeout,
    )


status = partial(service_action, "status")
logs = partial(service_action, "logs")
start = partial(service_action, "start")
stop = partial(service_action, "stop")
restart = partial(service_action, "restart")


def _verification(service: Service, verb: str, instance: str, config: str) -> Verification | None:
    """Looks until the service manager says that it runs (or, after a stop, that it does not)."""
    if verb in ("status", "logs"):
        return None
    try:
        command = argv(service, "status", instance, config)
    except ValueError:
        return None
    runs = verb != "stop"
    pattern = (ACTIVE if runs else INACTIVE).get(service.driver, "")
    return partial(_looked, tuple(command), pattern, runs)


async def _looked(command: tuple[str, ...], pattern: str, runs: bool) -> Result:
    """Cancelled when its time is over; the last look then says what was seen."""
    import asyncio

    said: list[bytes] = []
    look: Callable[[Sink], Awaitable[Result]] = ShellRunner(script="", argv=command, risk=Risk.WRITE).run
    seen = ""
    try:
        while True:
            said.clear()
            result = await look(said.append)
            output = b"".join(said).decode("utf-8", "replace")
            if result.outcome is Outcome.CANCELLED:
                break
            if result.exit_code in (126, 127, 255) and result.outcome is Outcome.FAILED:
                return Result(Outcome.FAILED, result.exit_code, clean_line(output, limit=200) or result.detail)
            good = result.outcome is Outcome.OK
            if re.search(pattern, output, re.MULTILINE) if pattern else good is runs:
                return Result(Outcome.OK, detail=clean_line(output.strip().split("\n")[0], limit=200))
            seen = clean_line(output.strip().split("\n")[0], limit=200) or result.detail
            await asyncio.sleep(_SETTLE)
    except asyncio.CancelledError:
        pass
    state = "does not run" if runs else "still runs"
    return Result(Outcome.CANCELLED, detail=f"it {state}: {seen}" if seen else f"it {state}")
