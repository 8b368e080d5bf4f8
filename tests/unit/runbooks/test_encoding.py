"""What goes over the line to a supervisor comes out as it went in, or is an error."""

import json
from pathlib import Path
from types import MappingProxyType

import pytest

from opsconsole.actions.action import Outcome, Result
from opsconsole.actions.confirmation import Confirmation, Demand, Requirement
from opsconsole.actions.guard import Context
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import (
    Environment,
    Mode,
    PostgresSettings,
    PrometheusSettings,
    RedisSettings,
    Role,
    Roles,
)
from opsconsole.core.problem import Problem
from opsconsole.core.secret import Secret
from opsconsole.runbooks.encoding import decode, encode
from opsconsole.runbooks.order import Order
from opsconsole.runbooks.unattended import Instructions

ENVIRONMENT = Environment(
    "production",
    Path("/screens"),
    Path("/runbooks"),
    mode=Mode.OPEN,
    prometheus=PrometheusSettings("http://p", headers=MappingProxyType({"X": SecretRef(env="X")}), ca=Path("/ca")),
    postgres=MappingProxyType({"app": PostgresSettings("app", SecretRef.of("postgresql://u:pw@h/d"))}),
    redis=RedisSettings(SecretRef(command=("vault", "read"))),
    env=MappingProxyType({"TOKEN": SecretRef(file=Path("/run/token"))}),
)
ORDER = Order(
    ENVIRONMENT,
    Context("alice", "ops1", "production", Mode.OPEN, Role.ADMIN, login="bob"),
    Secret("sqlite"),
    Roles(MappingProxyType({Role.ADMIN: ("alice", "%ops")})),
    secrets=MappingProxyType({"TOKEN": Secret("s\udcff\x00é")}),
    known=(Secret("other"),),
    instructions=Instructions(MappingProxyType({"a": "yes"}), only=("a",), yes=True),
    folder=Path("/runs/1"),
    values=MappingProxyType({"A": "'; drop table x;--\n\u202e"}),
)


@pytest.mark.parametrize(
    "value",
    [
        ORDER,
        Result(Outcome.TIMED_OUT, 3, "x", 5, 0.25, (("A", "1"),)),
        Confirmation.typed("näme"),
        Requirement(Demand.TYPED, "x"),
        Problem("f", 1, 2, "error", "c", "m"),
    ],
)
def test_a_value_survives_the_way(value: object) -> None:
    assert decode(type(value), json.loads(json.dumps(encode(value)))) == value


@pytest.mark.parametrize(
    "data",
    [None, [], {"outcome": "splendid"}, {"outcome": "ok", "exit_code": "0"}, {"outcome": "ok", "captured": [["A"]]}],
)
def test_what_is_no_result_is_refused(data: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        decode(Result, data)


def test_what_nobody_thought_of_is_not_sent() -> None:
    with pytest.raises(TypeError):
        encode(object())
