"""What starts a DAG, as Airflow 3 and 2 tell it, and what of that is still to come."""

import json

import pytest

from opsconsole.pipelines.awaiting import assets_in, awaited_in, awaited_of, enough, remaining, words
from opsconsole.pipelines.model import Awaited


def asset(name: str) -> dict[str, object]:
    return {"asset": {"name": name, "uri": f"s3://{name}", "group": "asset"}}


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ({"all": [asset("a"), asset("b")]}, "all of a, b"),
        ({"any": [asset("a"), {"all": [asset("b"), asset("c")]}]}, "any of a, (all of b, c)"),
        ({"all": ["s3://a", {"any": ["s3://b", "s3://c"]}]}, "all of s3://a, (any of s3://b, s3://c)"),
        ({"all": [asset("a")]}, "a"),
        ({"any": [{"alias": {"name": "nightly", "group": "x"}}, {"alias": "old"}]}, "any of alias nightly, alias old"),
        ({"all": [{"asset_ref": {"name": "r"}}, asset("a")]}, "all of r, a"),
        ({"all": [asset(str(n)) for n in range(9)]}, "all of 0, 1, 2, 3, 4, 5 and 3 more"),
        ({"all": [asset("a\x1b[31m"), 7, None, {"what": 1}]}, "a␛[31m"),
    ],
)
def test_expressions_of_both_versions_become_words(expression: object, said: str) -> None:
    found = awaited_in(json.dumps(expression))
    assert found is not None
    assert words(found) == said


@pytest.mark.parametrize("text", ["", "null", "{", "[]", '{"all": []}', '{"all": 1}', "7", '{"any": [{"x": 1}]}'])
def test_what_is_no_expression_starts_nothing(text: str) -> None:
    assert awaited_in(text) is None


def test_an_expression_that_no_person_wrote_ends() -> None:
    deep: object = "s3://a"
    for _ in range(5000):
        deep = {"all": [deep, "s3://b"]}
    assert awaited_of(deep) is not None
    assert awaited_in('{"all":[' * 100_000) is None


@pytest.mark.parametrize(
    ("there", "left"),
    [
        ("", "all of a, (any of b, c)"),
        ("a", "any of b, c"),
        ("b", "a"),
        ("b c", "a"),
        ("a c", None),
        ("d", "all of a, (any of b, c)"),
    ],
)
def test_what_is_to_come_is_what_is_not_there(there: str, left: str | None) -> None:
    awaited = awaited_of({"all": [asset("a"), {"any": [asset("b"), asset("c")]}]})
    assert awaited is not None
    still = remaining(awaited, frozenset(f"s3://{one}" for one in there.split()))
    assert (words(still) if still else None) == left
    assert assets_in(awaited) == {"s3://a", "s3://b", "s3://c"}


def test_an_alias_is_never_there_by_its_name_alone() -> None:
    alias = Awaited("alias", name="nightly")
    assert remaining(alias, frozenset({"", "nightly"})) is alias
    assert not enough(alias, "nightly")
