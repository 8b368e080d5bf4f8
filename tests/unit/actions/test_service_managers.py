"""What becomes of a service action under each manager: done and seen, or refused in words that say what to do next."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsconsole.actions import registry, service
from opsconsole.actions.action import Outcome, Result
from opsconsole.config.settings import Environment
from tests.unit.actions.managers import Managers

DRIVERS: dict[str, dict[str, object]] = {
    "systemd": {"driver": "systemd"},
    "docker": {"driver": "docker"},
    "compose": {"driver": "compose", "files": ["/srv/compose.yml"], "project": "shop"},
    "kubectl": {"driver": "kubectl", "namespace": "prod", "replicas": 2},
}
UP = {"systemd": "active", "docker": "running", "compose": "running", "kubectl": "2 2 2"}
DOWN = {"systemd": "inactive", "docker": "exited", "compose": "exited", "kubectl": "0  "}
every_driver = pytest.mark.parametrize("driver", DRIVERS)


@pytest.fixture
def managers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Managers:
    """On PATH before everything else; nobody waits a second between two looks."""
    found = Managers.installed(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{found.folder}:/usr/bin:/bin")
    monkeypatch.setattr(service, "_SETTLE", 0.01)
    return found


@pytest.fixture
def perform(tmp_path: Path) -> Callable[..., Any]:
    """Does `verb` with a service `api` of that driver: result, output, and what the verification said."""

    async def performed(driver: str, verb: str, **more: object) -> tuple[Result, str, Result | None]:
        content = {"version": 1, "services": {"api": {**DRIVERS[driver], **more}}}
        (tmp_path / "services.yaml").write_text(json.dumps(content))
        environment = Environment("e", tmp_path, tmp_path, services=tmp_path / "services.yaml")
        registration = registry.find(f"service.{verb}")
        assert registration is not None
        action = registration.build({"service": "api"}, environment)
        said: list[bytes] = []
        result = await action.runner.run(said.append)
        output = b"".join(said).decode()
        if action.verify is None or result.outcome is not Outcome.OK:
            return result, output, None
        task = asyncio.ensure_future(action.verify())
        done, _ = await asyncio.wait({task}, timeout=0.5)
        if not done:
            task.cancel()
        return result, output, await task

    return performed


@every_driver
async def test_what_is_up_and_what_is_down_is_told_apart(
    driver: str, managers: Managers, perform: Callable[..., Any]
) -> None:
    for state, words in ((UP, "it runs"), (DOWN, "it does not run")):
        managers.set("api", state[driver])
        result, _, _ = await perform(driver, "status")
        assert (result.outcome, result.detail) == (Outcome.OK, words)


@pytest.mark.parametrize(("driver", "state"), [("docker", "restarting"), ("kubectl", "3 3 1"), ("compose", "paused")])
async def test_what_is_in_between_is_worth_a_look(
    driver: str, state: str, managers: Managers, perform: Callable[..., Any]
) -> None:
    managers.set("api", state)
    result, _, _ = await perform(driver, "status")
    assert result.outcome is Outcome.WARN
    assert result.detail.startswith("neither up nor down: ")


@every_driver
@pytest.mark.parametrize(("verb", "before"), [("restart", UP), ("start", DOWN), ("stop", UP)])
async def test_it_is_done_seen_and_dated(
    driver: str, verb: str, before: dict[str, str], managers: Managers, perform: Callable[..., Any]
) -> None:
    managers.set("api", before[driver])
    result, output, verified = await perform(driver, verb)
    assert result.outcome is Outcome.OK
    assert output.splitlines()[-1].startswith(f"-- {verb} of api done at ")
    assert verified.outcome is Outcome.OK, verified


@every_driver
async def test_the_log_is_shown(driver: str, managers: Managers, perform: Callable[..., Any]) -> None:
    managers.set("api", UP[driver])
    result, output, _ = await perform(driver, "logs")
    assert result.outcome is Outcome.OK
    assert output.strip()


ADVICE = {
    "systemd": ("systemd has no unit api;", "systemd does not run here"),
    "docker": ("Docker has no container api;", "the Docker daemon does not answer;"),
    "compose": ("Compose has no service api;", "the Docker daemon does not answer;"),
    "kubectl": ("there is no deployment/api there;", "the cluster does not answer;"),
}


@every_driver
@pytest.mark.parametrize("verb", ["status", "restart"])
async def test_an_unknown_name_and_a_manager_that_is_down_are_told_apart(
    driver: str, verb: str, managers: Managers, perform: Callable[..., Any]
) -> None:
    unknown, down = ADVICE[driver]
    result, _, _ = await perform(driver, verb)
    assert result.outcome is Outcome.FAILED
    assert f"{verb} api by {driver}: {unknown}" in result.detail
    managers.stop_daemon()
    result, _, _ = await perform(driver, verb)
    assert result.outcome is Outcome.FAILED
    assert f"{verb} api by {driver}: {down}" in result.detail


@pytest.mark.parametrize(
    ("state", "advice"),
    [("broken", "its log says why: journalctl --unit=api"), ("locked", "set sudo: true in services.yaml")],
)
async def test_what_systemd_refuses_says_what_to_do(
    state: str, advice: str, managers: Managers, perform: Callable[..., Any]
) -> None:
    managers.set("api", state)
    result, _, _ = await perform("systemd", "restart")
    assert advice in result.detail


@pytest.mark.parametrize(("driver", "state"), [("systemd", "dies"), ("docker", "dies"), ("kubectl", "2 1 1")])
async def test_what_is_started_and_does_not_stay_up_is_no_success(
    driver: str, state: str, managers: Managers, perform: Callable[..., Any]
) -> None:
    managers.set("api", state)
    if driver == "kubectl":  # the roll-out does not get on
        result, _, verified = await perform(driver, "restart", restart=["true"])
    else:
        result, _, verified = await perform(driver, "restart")
    assert result.outcome is Outcome.OK
    assert verified.outcome is Outcome.CANCELLED
    assert verified.detail.startswith("it does not run: ")


@pytest.mark.parametrize("state", ["running exited", "none"])
async def test_one_replica_that_runs_is_not_the_service(
    state: str, managers: Managers, perform: Callable[..., Any]
) -> None:
    managers.set("api", state)
    _, _, verified = await perform("compose", "restart", restart=["true"])
    assert verified.outcome is Outcome.CANCELLED


async def test_a_manager_that_is_not_installed_is_named(
    perform: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result, _, _ = await perform("kubectl", "restart")
    assert "restart api by kubectl: it could not be started: kubectl: No such file" in result.detail
    assert "set host: or driver: in services.yaml" in result.detail


async def test_what_is_cancelled_is_not_said_to_be_done(tmp_path: Path) -> None:
    own = ["sh", "-c", "echo begun; exec sleep 60"]
    (tmp_path / "services.yaml").write_text(json.dumps({"version": 1, "services": {"api": {"restart": own}}}))
    environment = Environment("e", tmp_path, tmp_path, services=tmp_path / "services.yaml")
    registration = registry.find("service.restart")
    assert registration is not None
    said: list[bytes] = []
    begun = asyncio.Event()

    def take(piece: bytes) -> None:
        said.append(piece)
        loop.call_soon_threadsafe(begun.set)

    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(registration.build({"service": "api"}, environment).runner.run(take))
    await asyncio.wait_for(begun.wait(), 10)
    task.cancel()
    assert (await task).outcome is Outcome.CANCELLED
    assert b"".join(said) == b"begun\n"


async def test_verifying_gives_up_at_once_where_looking_again_is_in_vain(
    managers: Managers, perform: Callable[..., Any]
) -> None:
    _, _, verified = await perform("systemd", "restart", restart=["true"])
    assert verified.outcome is Outcome.FAILED
    assert "systemd has no unit api" in verified.detail


async def test_commands_reach_the_manager_as_they_are_meant(managers: Managers, perform: Callable[..., Any]) -> None:
    managers.set("api", UP["kubectl"])
    await perform("kubectl", "restart")
    assert managers.calls == [
        "kubectl --namespace=prod rollout restart -- deployment/api",
        "kubectl --namespace=prod rollout status --timeout=10s -- deployment/api",
    ]
