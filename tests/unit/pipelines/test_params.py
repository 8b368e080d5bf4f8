"""Parameters of DAGs: what is typed becomes the JSON that the schema asks for, or it is said what is wrong."""

from typing import Any

import pytest

from opsconsole.pipelines.model import DagParam
from opsconsole.pipelines.params import complaints, conf_of, limits_of, parsed
from opsconsole.pipelines.wire import params_of, serialized_params


def param(name: str = "p", default: Any = None, **schema: Any) -> DagParam:
    return DagParam(name, default, schema)


@pytest.mark.parametrize(
    ("given", "text", "value"),
    [
        (param(type="string"), "5", "5"),
        (param(type="string"), "", ""),
        (param(type=["null", "string"]), "", None),
        (param(type="integer"), "-5", -5),
        (param(type="number"), "2.5e3", 2500.0),
        (param(type=["integer", "string"]), "five", "five"),
        (param(type="boolean"), "True", True),
        (param(type="array"), '["a", 1]', ["a", 1]),
        (param(type="object"), '{"a": {"b": null}}', {"a": {"b": None}}),
        (param(enum=[1, "1", None]), "1", 1),
        (param(default=5), "6", 6),
        (param(default="5"), "6", "6"),
        (param(default=False), "true", True),
        (param(), "anything", "anything"),
    ],
)
def test_a_text_becomes_the_value_that_the_schema_asks_for(given: DagParam, text: str, value: Any) -> None:
    found = parsed(given, text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (param(type="integer"), "five"),
        (param(type="integer"), "1.5"),
        (param(type="integer"), ""),
        (param(type="number"), "nan"),
        (param(type="number"), "1e999"),
        (param(type="boolean"), "yes"),
        (param(type="array"), '{"a": 1}'),
        (param(type="object"), "[" * 100_000),
    ],
)
def test_a_text_that_means_none_says_what_is_expected(given: DagParam, text: str) -> None:
    with pytest.raises(ValueError, match=r"is not (a whole number|a number|true or false|a JSON)"):
        parsed(given, text)


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 10}, 11, "11 is not at most 10"),
        ({"type": "integer", "minimum": 1}, 0, "0 is not at least 1"),
        ({"exclusiveMinimum": 0}, 0, "0 is not more than 0"),
        ({"multipleOf": 0.1}, 0.35, "0.35 is not a multiple of 0.1"),
        ({"type": "integer"}, True, "true is not a whole number"),
        ({"enum": ["full", "delta"]}, "ful", 'expected one of "full", "delta"; did you mean \'full\'?'),
        ({"const": "v1"}, "v2", 'it is always "v1"'),
        ({"type": "string", "format": "date"}, "21.11.2026", "is no date such as 2026-11-21"),
        ({"type": "string", "format": "date"}, "2026-02-30", "is no date such as"),
        ({"type": "string", "format": "date-time"}, "2026-11-21T10:00:00", "is no date-time such as"),
        ({"type": "string", "format": "time"}, "25:00", "is no time such as"),
        ({"type": "string", "minLength": 3}, "ab", "2 characters; at least 3"),
        ({"type": "string", "pattern": "^[a-z]+$"}, "A1", "does not match ^[a-z]+$"),
        ({"type": ["string", "null"]}, 5, "5 is not a text or nothing"),
    ],
)
def test_values_are_held_to_the_schema(schema: dict[str, Any], value: Any, said: str) -> None:
    (wrong,) = complaints([DagParam("p", 1, schema)], {"p": value})
    assert said in str(wrong)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"multipleOf": 0.1}, 0.3),
        ({"type": "integer"}, 3.0),
        ({"type": ["null", "integer"], "minimum": 5}, None),
        ({"type": "string", "format": "date-time"}, "2026-11-21T10:00:00Z"),
        ({"type": "string", "format": "ipv4"}, "for Airflow to judge"),
        ({"pattern": "("}, "for Airflow to judge"),
        ({"type": "no-type", "minimum": "x"}, 4),
    ],
)
def test_what_suits_or_is_not_for_us_to_judge_passes(schema: dict[str, Any], value: Any) -> None:
    assert complaints([DagParam("p", 1, schema)], {"p": value}) == []


def test_all_that_is_wrong_is_found_at_once_and_json_may_have_other_keys() -> None:
    params = [
        param("day", type="string", format="date"),
        param("size", 3, type="integer", maximum=10),
        param("who", type="string"),
    ]
    found = conf_of(params, {"size": "x", "sise": "4"}, {"free": [1], "day": "now"})
    assert {str(one).partition(":")[0] for one in found.wrong} == {"day", "size", "sise", "who"}
    assert "did you mean 'size'?" in next(one.message for one in found.wrong if one.name == "sise")
    good = conf_of(params, {"day": "2026-11-21", "who": ""}, {"free": [1]})
    assert (good.wrong, good.text) == ((), '{"day": "2026-11-21", "free": [1], "who": ""}')


def test_limits_are_said_in_words() -> None:
    assert limits_of(param(type="integer", minimum=1, maximum=10)) == "a whole number, 1 to 10"
    assert limits_of(param(type=["null", "string"], const="\x1b[31mx")) == 'nothing or a text, always "\\u001b[31mx"'
    assert limits_of(param(type="number", minimum=2)) == "a number, at least 2"


@pytest.mark.parametrize(
    "text",
    [
        '[["day", {"default": {"__var": null, "__type": "arg_not_set"}, "description": "which day",'
        ' "schema": {"__var": {"type": "string", "title": "Day"}, "__type": "dict"}}], ["n", {"default": 3}]]',
        '{"day": {"default": null, "description": "which day", "schema": {"__type": "dict", "__var":'
        ' {"type": "string", "title": "Day"}}}, "n": 3}',
    ],
    ids=["3", "2"],
)
def test_a_serialized_dag_tells_the_same_as_the_api(text: str) -> None:
    schema = {"type": "string", "title": "Day"}
    api = {"params": {"day": {"value": None, "schema": schema, "description": "which day"}, "n": {"value": 3}}}
    assert serialized_params(text) == params_of(api)
    day, n = params_of(api)
    assert (day.required, day.about, n.default, n.required) == (True, "Day: which day", 3, False)


@pytest.mark.parametrize("text", ["", "null", "[" * 100_000, "[1, [2]]", '"x"'])
def test_nonsense_is_no_parameter(text: str) -> None:
    assert serialized_params(text) == ()
