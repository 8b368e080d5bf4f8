"""One form for runs of several DAGs: what all of them take, each value held to each DAG's own schema."""

from typing import Any

import pytest

from opsconsole.pipelines.fitting import shared_params
from opsconsole.pipelines.model import DagParam
from opsconsole.ui.pipelines.typed_params import TypedParams


def param(name: str = "p", default: Any = None, about: str = "", **schema: Any) -> DagParam:
    return DagParam(name, default, schema, about)


DAY = param("day", type="string", format="date")
SMALL = param("size", 3, "rows at once", type="integer", maximum=10)
LARGE = param("size", 50, type="integer", maximum=100)


def test_the_form_of_one_dag_sends_what_differs_from_its_defaults() -> None:
    asked = TypedParams({"a": [DAY, param("size", 3, type="integer"), param("tags", ["a"])]})
    day, size, tags, conf = asked.params
    assert (day.required, day.default, day.help) == (True, None, "a date as 2026-11-21")
    assert (size.default, tags.default, conf.name) == ("3", '["a"]', "conf")
    assert asked.judged("size", "x") == '"x" is not a whole number'
    assert asked.judged("size", "4") is None
    assert asked.judged("conf", "[1]") == 'expected a JSON object such as {"day": "2026-11-21"}'
    typed = {"day": "2026-11-21", "size": "3", "tags": '["a"]', "conf": ""}
    assert asked.confs(typed)["a"].values == {"day": "2026-11-21"}
    assert asked.confs({**typed, "tags": "[]", "conf": '{"x": 1}'})["a"].values == {
        "day": "2026-11-21", "tags": [], "x": 1,
    }  # fmt: skip


def test_of_those_that_say_the_same_the_first_is_named() -> None:
    (size,) = shared_params({"a": [SMALL], "b": [SMALL], "c": [LARGE]})
    assert "at most 10 (a) or a whole number, at most 100 (c)" in size.about
    assert "3 (a) and 50 (c)" in size.about


def test_several_dags_are_asked_for_what_all_of_them_have_and_differences_are_said() -> None:
    of = {"a": [DAY, SMALL, param("only_a", 1)], "b": [LARGE, DAY]}
    day, size = shared_params(of)
    assert (day.name, day.required, day.about) == ("day", True, "a date as 2026-11-21")
    assert (size.name, size.required, size.default) == ("size", False, "")
    assert size.about == (
        "rows at once   a whole number, at most 10 (a) or a whole number, at most 100 (b)   "
        "empty: each its own default: 3 (a) and 50 (b)"
    )


def test_a_value_is_refused_at_once_only_where_it_suits_none_of_them() -> None:
    (size,) = shared_params({"a": [SMALL], "b": [LARGE]})
    assert size.judged("20") is None
    assert size.judged("200") == "200 is not at most 10"
    assert size.judged("") is None, "each keeps its own default"


def test_whom_it_does_not_suit_is_named_with_every_reason_and_the_others_have_their_configuration() -> None:
    asked = TypedParams(
        {"a": [SMALL], "b": [LARGE], "c": [LARGE, DAY], "d": [param("size", "big", type="string")]},
        {"e": "403: user watcher may not see the DAG's parameters"},
    )
    confs = asked.confs({"size": "20", "conf": ""})
    assert {dag: conf.values for dag, conf in confs.items() if not conf.wrong} == {
        "b": {"size": 20}, "d": {"size": "20"},
    }  # fmt: skip
    assert asked.misfits(confs) == {
        "a": "size: 20 is not at most 10",
        "c": "day: a value is required",
        "e": "403: user watcher may not see the DAG's parameters",
    }
    # What only one of them requires is given as JSON.
    assert asked.misfits(asked.confs({"size": "", "conf": '{"day": "2026-11-21"}'})).keys() == {"e"}


def test_defaults_that_nobody_touched_are_not_sent_to_anybody() -> None:
    asked = TypedParams({"a": [SMALL], "b": [LARGE]})
    assert [conf.values for conf in asked.confs({"size": "", "conf": ""}).values()] == [{}, {}]


@pytest.mark.parametrize("taken", [["conf"], ["conf", "conf as JSON"]])
def test_a_parameter_called_conf_is_no_json(taken: list[str]) -> None:
    asked = TypedParams({"a": [param(name, "x", type="string") for name in taken]})
    typed = dict.fromkeys(taken, "y") | {asked.conf_field: '{"z": 1}'}
    assert asked.confs(typed)["a"].values == {**dict.fromkeys(taken, "y"), "z": 1}


def test_what_is_said_of_dags_moves_no_cursor() -> None:
    of = {"a": [param("p", "\x1b[2J", type="string")], "b": [param("p", "x", type="string")]}
    (one,) = shared_params(of)
    assert "\x1b" not in one.about
