"""What carries a step out, by kind, and the exact text of it. Nothing is started, and nothing is connected to."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsconsole.actions import registry
from opsconsole.actions.action import Action, Outcome, Result, Risk, Runner, Sink
from opsconsole.config.settings import Environment, PostgresSettings, PrometheusSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.secret import MASK, Secret
from opsconsole.runbooks.command import exact_command
from opsconsole.runbooks.execution import DEFAULT_TIMEOUT, Surroundings
from opsconsole.runbooks.judging import StepRunner
from opsconsole.runbooks.model import ANSWERED, Kind, Step
from opsconsole.runbooks.scopes import complaints_in, with_arguments

if TYPE_CHECKING:
    from opsconsole.actions.runners.terminal import Terminal

NO_TERMINAL = "it is interactive, and there is no terminal to hand over to it"
Seen = Mapping[str, "str | Secret"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A step, ready to be carried out."""

    command: str
    runner: Runner
    action: Action | None = None
    """For a console action: what it brings along."""
    secrets: tuple[Secret, ...] = ()
    """What the step sees and must not show."""


def prepared(
    step: Step, surroundings: Surroundings, values: Mapping[str, str], run: str, terminal: "Terminal | None" = None
) -> Prepared:
    """What carries `step` out with the `values` of its run.

    Where it cannot be carried out (its database is not configured), running it fails and says why. `terminal` is for
    an interactive step.
    """
    seen = surroundings.visible(step, values)
    secrets = tuple(value for value in seen.values() if isinstance(value, Secret))
    if wrong := complaints_in(surroundings.runbook, step.scope, values):
        why = f"what is passed to {step.scope}: {'; '.join(map(str, wrong))}"
        return Prepared(exact_command(step, seen), _Impossible(why), secrets=secrets)
    try:
        return _prepared(step, surroundings, values, seen, run, secrets, terminal)
    except ValueError as error:
        return Prepared(exact_command(step, seen), _Impossible(str(error)), secrets=secrets)


def _prepared(
    step: Step,
    surroundings: Surroundings,
    values: Mapping[str, str],
    seen: Seen,
    run: str,
    secrets: tuple[Secret, ...],
    terminal: "Terminal | None",
) -> Prepared:
    action: Action | None = None
    command = exact_command(step, seen)
    until_good = False
    inner: Runner
    match step.kind:
        case Kind.SHELL:
            inner, command = _shell(step, surroundings, seen, run, terminal)
        case Kind.SQL:
            inner = _sql(step, surroundings, seen)
        case Kind.HTTP:
            inner, command = _http(step, surroundings, seen, run)
        case Kind.PROM:
            inner, command = _prom(step, surroundings.environment, seen)
            until_good = step.expectations.until_value is not None
        case Kind.CONFIRM:
            inner = _Agreed()
        case Kind.WAIT:
            inner, until_good = _wait(step, surroundings, values, run), bool(step.wait_for)
        case Kind.ACTION:
            action = _action(step, surroundings, seen)
            inner, command = action.runner, action.command
        case kind if kind in ANSWERED:
            inner = _Impossible("it is for the operator to answer")
        case _:
            inner = _Impossible(f"{step.includes!r} was not put in")
    if step.background:
        return Prepared(command, inner, secrets=secrets)
    runner = StepRunner(
        inner,
        step.expectations,
        b"--\n",
        until_good,
        step.capture if step.capture_pattern else (),
        step.capture_pattern,
    )
    return Prepared(command, runner, action, secrets)


@dataclass(frozen=True, slots=True)
class _Impossible:
    """Stands for what cannot be run, so that the attempt is judged and recorded like any other."""

    why: str

    async def run(self, sink: Sink) -> Result:
        return Result(Outcome.FAILED, detail=self.why)


@dataclass(frozen=True, slots=True)
class Refusing:
    """Stands for what was kept from starting, so that the audit journal has it."""

    why: str

    async def run(self, sink: Sink) -> Result:
        return Result(Outcome.REFUSED, detail=self.why)


@dataclass(frozen=True, slots=True)
class _Agreed:
    """A question that was answered with yes: nobody comes this far without."""

    async def run(self, sink: Sink) -> Result:
        return Result(Outcome.OK, detail="confirmed")


@dataclass(frozen=True, slots=True)
class _Pause:
    """Lets time pass."""

    seconds: float

    async def run(self, sink: Sink) -> Result:
        await asyncio.sleep(self.seconds)
        return Result(Outcome.OK, detail=f"waited {self.seconds:g} s")


def _shell(
    step: Step, surroundings: Surroundings, seen: Seen, run: str, terminal: "Terminal | None"
) -> tuple[Runner, str]:
    from opsconsole.actions.runners.shell import INTERPRETERS, ShellRunner

    variables = {**surroundings.variables, "OPS_RUNBOOK": surroundings.book_of(step).id, **seen}
    command = exact_command(step, variables)
    script = step.body + "\n"
    interpreter = INTERPRETERS["sh" if step.language in ("shell", "") else step.language]
    env = {**variables, "OPS_RUN": run, "OPS_STEP": step.name}
    if step.hosts is not None:
        return _elsewhere(step, surroundings, seen, run, interpreter)
    if step.interactive and terminal is None:
        return _Impossible(NO_TERMINAL), command
    runner = ShellRunner(
        script=script,
        interpreter=interpreter,
        env=env,
        cwd=surroundings.folder_of(step),
        secrets=tuple(surroundings.secrets.values()),
        risk=step.risk,
        expected_exits=step.expectations.exits,
        capture=() if step.capture_pattern else step.capture,
        terminal=terminal if step.interactive else None,
    )
    if step.background:
        from opsconsole.runbooks.background import BackgroundRunner

        return BackgroundRunner(runner, step.expectations.until, step.expectations.every), command
    return runner, command


def _elsewhere(
    step: Step, surroundings: Surroundings, seen: Seen, run: str, interpreter: tuple[str, ...]
) -> tuple[Runner, str]:
    """A script on another host or on a group of them; of the variables only what makes sense there."""
    from opsconsole.actions.runners.fleet import FleetRunner
    from opsconsole.actions.runners.remote import SshRunner

    environment, where = surroundings.environment, step.hosts
    assert where is not None
    visible = {**surroundings.variables, "OPS_RUNBOOK": surroundings.book_of(step).id, **seen}
    variables = {name: value for name, value in visible.items() if name != "OPS_PYTHON"}
    env = {**variables, "OPS_RUN": run, "OPS_STEP": step.name}
    name = _named_host(where.host or where.group, seen)
    command = f"# on {name}{'' if where.host else f', {where.parallel} at a time'}\n{exact_command(step, variables)}"
    secrets = tuple(surroundings.secrets.values())
    config = str(environment.ssh_config) if environment.ssh_config else ""
    script, exits = step.body + "\n", step.expectations.exits
    if where.host:
        if name not in {host for hosts in environment.hosts.values() for host in hosts}:
            raise ValueError(f"no host {name!r} under hosts: of {environment.name}")
        return SshRunner(name, script, interpreter, env, secrets, step.risk, exits, config), command
    hosts = environment.hosts.get(name, ())
    if not hosts and environment.inventory is None:
        raise ValueError(f"no group {name!r} under hosts: of {environment.name}, and no inventory")
    inventory = None if hosts else environment.inventory
    runner = FleetRunner(
        name,
        hosts,
        inventory,
        script,
        interpreter,
        env,
        secrets,
        step.risk,
        exits,
        where.parallel,
        where.max_fail,
        config,
    )
    return runner, command


def _named_host(text: str, seen: Seen) -> str:
    """The name of a host or group, which a parameter may hold."""
    if not text.startswith("$"):
        return text
    value = seen.get(text[1:], "")
    name = value if isinstance(value, str) else ""
    # it becomes an argument of ssh and of Ansible, where a dash, a comma or a colon would mean something
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}", name):
        raise ValueError(f"{text} is {clean_line(name, limit=60)!r}; expected the name of a host or group")
    return name


def _sql(step: Step, surroundings: Surroundings, seen: Seen) -> Runner:
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
        txn=step.txn,
    )


def _http(step: Step, surroundings: Surroundings, seen: Seen, run: str) -> tuple[Runner, str]:
    from opsconsole.actions.runners.http import HttpRunner, Reachable
    from opsconsole.actions.runners.http_request import parse_request, shown

    template = parse_request(step.body)
    reachable = Reachable.of(surroundings.environment)
    book = surroundings.book_of(step)
    numbers = frozenset(param.name for param in book.params if param.type in ("int", "bool"))
    known = {**_where(step, surroundings, run), **seen}
    request = template.filled(known, reachable.bases(), numbers)
    masked = {name: MASK if isinstance(value, Secret) else value for name, value in known.items()}
    command = shown(template.filled(masked, reachable.bases(), numbers))
    timeout = step.timeout or DEFAULT_TIMEOUT
    return HttpRunner(request, reachable, step.expectations.statuses, timeout), command


def _prom(step: Step, environment: Environment, seen: Seen) -> tuple[Runner, str]:
    from opsconsole.actions.runners.prom import PromRunner
    from opsconsole.sources.promqltext import filled

    query = filled(step.body, {name: value for name, value in seen.items() if isinstance(value, str)})
    wanted = step.expectations
    demands = tuple(dict.fromkeys(one for one in (wanted.until_value, wanted.value) if one is not None))
    command = f"# on {step.conn}\n{query}" if step.conn else query
    return PromRunner(_prometheus(step, environment), query, demands, wanted.rows, step.max_rows), command


def _wait(step: Step, surroundings: Surroundings, values: Mapping[str, str], run: str) -> Runner:
    if step.duration:
        return _Pause(step.duration)
    target = surroundings.runbook.step(step.wait_for)
    if target is None or target.risk is not Risk.READ or not target.executable:
        raise ValueError(f"there is no reading step {step.wait_for!r} to wait for")
    return prepared(target, surroundings, values, run).runner


def _action(step: Step, surroundings: Surroundings, seen: Seen) -> Action:
    registration = registry.find(step.action)
    if registration is None:
        raise ValueError(f"there is no action {step.action!r}")
    plain = {name: value for name, value in seen.items() if isinstance(value, str)}
    given = {name: with_arguments(text, plain) for name, text in step.arguments}
    return registration.build(given, surroundings.environment)


def _where(step: Step, surroundings: Surroundings, run: str) -> dict[str, str]:
    return {
        "OPS_ENVIRONMENT": surroundings.environment.name,
        "OPS_RUNBOOK": surroundings.book_of(step).id,
        "OPS_RUN": run,
        "OPS_STEP": step.name,
    }


def _prometheus(step: Step, environment: Environment) -> PrometheusSettings:
    """The Prometheus of `conn`, with or without `prometheus/` before its name; the first where the step names none."""
    known = environment.every_prometheus
    name = step.conn or next(iter(known), "")
    found = known.get(name) or known.get(f"prometheus/{name}")
    if found is None:
        configured = f"configured are {', '.join(known)}" if known else "none is configured"
        wanted = f"no prometheus {name!r} in" if name else "no prometheus is configured in"
        raise ValueError(f"{step.name}: {wanted} {environment.name}" + (f"; {configured}" if name else ""))
    return found


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
