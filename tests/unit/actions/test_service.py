"""Services: the exact command of each driver, and what becomes of an action."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from opsconsole.actions import registry
from opsconsole.actions.action import Action, Outcome, Risk
from opsconsole.actions.service_drivers import VERBS, argv
from opsconsole.config.document import parse_document
from opsconsole.config.services import Service, read_services
from opsconsole.config.settings import Environment

SYSTEMD = Service("api", "API", driver="systemd", unit="api@{instance}.service", sudo=True)
COMPOSE = Service("api", "API", driver="compose", files=("/srv/a.yml",), project="shop", unit="web")
KUBE = Service("api", "API", driver="kubectl", namespace="prod", context="eu", replicas=3)
OWN = Service("api", "API", restart=("ctl", "restart", "api", "{instance}"))


@pytest.mark.parametrize(
    ("service", "verb", "instance", "expected"),
    [
        (Service("api", "", driver="systemd"), "restart", "", "systemctl --no-ask-password restart -- api"),
        (SYSTEMD, "stop", "2", "sudo -n -- systemctl --no-ask-password stop -- api@2.service"),
        (Service("a", "", driver="systemd", user=True), "logs", "", "journalctl --no-pager --lines=40 --user-unit=a"),
        (Service("a", "", driver="docker", unit="a-1"), "restart", "", "docker restart -- a-1"),
        (COMPOSE, "restart", "", "docker compose --file /srv/a.yml --project-name shop restart -- web"),
        (COMPOSE, "start", "", "docker compose --file /srv/a.yml --project-name shop up --detach --no-deps -- web"),
        (Service("a", "", driver="supervisor", unit="a:*"), "restart", "", "supervisorctl restart a:*"),
        (KUBE, "restart", "", "kubectl --context=eu --namespace=prod rollout restart -- deployment/api"),
        (KUBE, "start", "", "kubectl --context=eu --namespace=prod scale --replicas=3 -- deployment/api"),
        (OWN, "restart", "", "ctl restart api"),
        (OWN, "restart", "app-2", "ctl restart api app-2"),
    ],
)
def test_each_driver_has_its_command(service: Service, verb: str, instance: str, expected: str) -> None:
    assert argv(service, verb, instance) == expected.split()


def test_another_host_is_reached_by_ssh_and_what_runs_there_is_quoted() -> None:
    service = Service("a", "", driver="command", restart=("ctl", "a b", "$(id)", "; rm"), host="app-1")
    *ssh, host, command = argv(service, "restart")
    assert (ssh[0], ssh[-1], host) == ("ssh", "--", "app-1")
    assert "BatchMode=yes" in ssh
    assert command == "ctl 'a b' '$(id)' '; rm'"


@pytest.mark.parametrize(
    ("service", "verb", "instance", "why"),
    [
        (OWN, "stop", "", "no command for stop"),
        (COMPOSE, "restart", "2", "has no instances"),
        (SYSTEMD, "restart", "", "which instance"),
    ],
)
def test_what_a_service_cannot_do_is_said(service: Service, verb: str, instance: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        argv(service, verb, instance)


def test_no_driver_ends_an_option_list_with_a_name() -> None:
    for driver in ("systemd", "docker", "compose", "kubectl"):
        for verb in VERBS:
            words = argv(Service("name", "", driver=driver), verb)
            assert "--" in words[:-1] or words[-1].startswith("--unit="), words


def test_what_a_driver_does_not_know_is_reported() -> None:
    text = "version: 1\nservices: {a: {driver: docker, namespace: x}, b: {driver: systemd, unit: -x}}\n"
    problems = read_services(parse_document(text, "s.yaml"))[1]
    assert [(one.line, one.code) for one in problems] == [(2, "misplaced-key"), (2, "bad-text")]


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    state = tmp_path / "state"
    script = tmp_path / "ctl"
    words = {"restart": "up", "start": "up", "stop": "down"}
    cases = " ".join(f"{verb}) echo {word} > {state};;" for verb, word in words.items())
    script.write_text(
        f"#!/bin/sh\necho >> {tmp_path}/asked\ncase $1 in {cases} esac\ncat {state}; grep -q up {state}\n"
    )
    script.chmod(0o700)
    own = {verb: [str(script), verb] for verb in VERBS} | {"timeout": "3s"}
    stuck = {**own, "restart": [str(script), "status"], "timeout": "1s"}
    state.write_text("off\n")
    content = {"version": 1, "services": {"api": own, "stuck": stuck}}
    (tmp_path / "services.yaml").write_text(json.dumps(content))
    return Environment("e", tmp_path, tmp_path, services=tmp_path / "services.yaml")


def build(action_id: str, environment: Environment, **arguments: str) -> Action:
    registration = registry.find(action_id)
    assert registration is not None
    return registration.build(arguments, environment)


async def test_a_restart_restarts_and_looks_whether_it_runs(environment: Environment, tmp_path: Path) -> None:
    action = build("service.restart", environment, service="api")
    assert (action.command, action.target, action.risk) == (f"{tmp_path}/ctl restart", "api", Risk.WRITE)
    assert (await action.runner.run(lambda _: None)).outcome is Outcome.OK
    assert action.verify is not None
    assert (await action.verify()).detail == "up"


async def test_a_service_that_does_not_come_up_is_no_success(environment: Environment, tmp_path: Path) -> None:
    action = build("service.restart", environment, service="stuck")
    assert action.verify is not None
    task = asyncio.ensure_future(action.verify())
    asked = tmp_path / "asked"
    async with asyncio.timeout(20):
        while not asked.exists() or len(asked.read_text()) < 2:  # noqa: ASYNC110 - of other processes no event tells
            await asyncio.sleep(0.01)
    task.cancel()
    result = await task
    assert (result.outcome, result.detail) == (Outcome.CANCELLED, "it does not run: off")


async def test_a_stop_is_destructive_and_looks_whether_it_is_down(environment: Environment) -> None:
    action = build("service.stop", environment, service="api")
    assert action.risk is Risk.DESTRUCTIVE
    assert action.undo.endswith("ctl start")
    await action.runner.run(lambda _: None)
    assert action.verify is not None
    assert (await action.verify()).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "service is missing"),
        ({"service": "apo"}, "did you mean 'api'"),
        ({"service": "-rf"}, "expected the name of a service"),
        ({"service": "api", "instance": "x"}, "has no instances"),
        ({"service": "api", "serv": "x"}, "no argument 'serv'"),
    ],
)
def test_arguments_are_checked(environment: Environment, arguments: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        build("service.restart", environment, **arguments)
