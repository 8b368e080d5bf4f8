"""Who may do what: every combination of risk, mode, role and flag."""

import os
import pwd
from itertools import product
from pathlib import Path
from types import MappingProxyType

import pytest

from opsconsole.actions import guard
from opsconsole.actions.action import Action, Outcome, Result, Risk, Sink
from opsconsole.actions.guard import Context, refusal
from opsconsole.config.settings import Environment, Mode, Role, Roles


class Nothing:
    async def run(self, sink: Sink) -> Result:
        return Result(Outcome.OK)


def action(risk: Risk) -> Action:
    return Action("test.act", "Act", "true", "thing", risk, Nothing(), 1.0)


@pytest.mark.parametrize(("risk", "mode", "role", "flag"), product(Risk, Mode, Role, (False, True)))
def test_every_combination(risk: Risk, mode: Mode, role: Role, flag: bool) -> None:
    context = Context("alice", "ops1", "production", mode, role, read_only=flag)
    refused = refusal(action(risk), context)
    if risk is Risk.READ:
        assert refused is None
    elif flag:
        assert refused is not None
        assert "--read-only" in refused
    elif mode is Mode.READ_ONLY:
        assert refused is not None
        assert "environments.production.mode" in refused
    elif role is Role.VIEWER:
        assert refused is not None
        assert "alice is a viewer" in refused
        assert "roles.operator" in refused
    else:
        assert refused is None


ENVIRONMENT = Environment("production", Path("screens"), Path("runbooks"), mode=Mode.OPEN)


def test_the_actor_is_the_uid_whatever_the_environment_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, "mallory")
    context = Context.current(ENVIRONMENT)
    assert context.actor == pwd.getpwuid(os.getuid()).pw_name
    assert context.environment == "production"
    assert context.mode is Mode.OPEN


def test_a_uid_without_a_name_still_acts_under_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    assert Context.current(ENVIRONMENT).actor == "uid:4000000"


def test_the_role_comes_from_user_and_groups() -> None:
    actor = pwd.getpwuid(os.getuid()).pw_name
    by_name = Roles(MappingProxyType({Role.VIEWER: ("*",), Role.OPERATOR: (actor,)}))
    by_nothing = Roles(MappingProxyType({Role.OPERATOR: ("somebody-else",)}))
    assert Context.current(ENVIRONMENT, by_name).role is Role.OPERATOR
    assert Context.current(ENVIRONMENT, by_nothing).role is Role.VIEWER


@pytest.mark.parametrize(
    ("kernel", "sudo", "expected"),
    [
        ("4294967295", "", ""),
        ("4294967295", "alice", "alice"),
        (None, "alice", "alice"),
        ("garbage", "", ""),
        ("4000000", "mallory", "uid:4000000"),  # the kernel knows better than a variable
        ("4294967295", "root", ""),
    ],
)
def test_whoever_is_behind_sudo_is_known(tmp_path: Path, kernel: str | None, sudo: str, expected: str) -> None:
    file = tmp_path / "loginuid"
    if kernel is not None:
        file.write_text(kernel)
    assert guard._login("root", {"SUDO_USER": sudo}, file) == expected
