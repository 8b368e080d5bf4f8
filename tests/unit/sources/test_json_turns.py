"""JSON in turns is JSON: the same values, the same refusals."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.sources import json_turns
from opsconsole.sources.json_turns import read_in_turns

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=40,
)


@given(VALUES, st.sampled_from([None, 0, 2]), st.booleans())
def test_it_reads_what_python_reads(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert read_in_turns(f" \n{text}\t") == json.loads(text)


@given(VALUES, st.integers(0, 200), st.sampled_from(list('[]{},:"\\ x1')))
def test_it_refuses_what_python_refuses(value: Any, at: int, put: str) -> None:
    text = json.dumps(value)
    broken = text[: at % (len(text) + 1)] + put + text[at % (len(text) + 1) + 1 :]
    try:
        wanted = json.loads(broken)
    except ValueError:
        with pytest.raises(ValueError):
            read_in_turns(broken)
    else:
        assert read_in_turns(broken) == wanted


@pytest.mark.parametrize(
    "text", ["", " ", "[", "[1", "[1,", "[1,]", "{", '{"a"', '{"a":', '{"a":1', '{"a":1,}', "{1: 2}", "[1] 2", "[1 2]"]
)
def test_what_is_cut_or_wrong_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_in_turns(text)


def test_of_two_equal_names_the_last_one_counts_as_everywhere() -> None:
    assert read_in_turns('{"a": 1, "a": 2}') == {"a": 2}


def test_numbers_that_json_does_not_have_are_read_as_by_python() -> None:
    (value,) = read_in_turns("[NaN]")
    assert math.isnan(value)


def test_beyond_so_many_containers_python_reads_alone() -> None:
    many = [[{"n": n}] for n in range(3 * json_turns._LOOKED_INTO)]
    assert read_in_turns(json.dumps(many)) == many


def test_no_single_step_holds_more_than_an_element(monkeypatch: pytest.MonkeyPatch) -> None:
    """What keeps others waiting is one call of Python's reader: it must not have the whole of a list of rules."""
    rule = {"name": "Rule", "labels": {"severity": "critical"}, "alerts": [{"value": "1"}] * 5}
    text = json.dumps({"status": "success", "data": {"groups": [{"name": "g", "rules": [rule] * 2000}]}})
    read, longest = json_turns._READER.raw_decode, 0

    class Watched:
        def raw_decode(self, told: str, at: int) -> tuple[Any, int]:
            nonlocal longest
            value, end = read(told, at)
            longest = max(longest, end - at)
            return value, end

    monkeypatch.setattr(json_turns, "_READER", Watched())
    assert read_in_turns(text) == json.loads(text)
    assert longest <= len(json.dumps(rule))
