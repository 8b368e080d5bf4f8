"""Prometheus answers become core values, whatever is in them."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.core.reading import SourceError
from opsconsole.core.values import Histogram, Matrix, Scalar, Text, Value, Vector
from opsconsole.sources.datasource import MetricMetadata
from opsconsole.sources.prometheus_wire import Asked, envelope, metadata_of, strings_of, targets_of, value_of

ASKED = Asked("prometheus", "http://p:9090")
RECORDED = Path(__file__).parents[4] / "shared" / "data" / "monitoring" / "api-fixtures"


def value(kind: str, result: Any) -> Value:
    body = json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()
    return value_of(envelope(200, "application/json", body, ASKED).data, ASKED)


def refusal(body: bytes, status: int = 200) -> SourceError:
    with pytest.raises(SourceError) as caught:
        value_of(envelope(status, "application/json", body, ASKED).data, ASKED)
    return caught.value


def test_numbers_that_are_none_are_kept_as_what_they_are() -> None:
    vector = value("vector", [{"metric": {"k": k}, "value": [1.5, k]} for k in ("NaN", "+Inf", "-Inf", "1e3")])
    assert isinstance(vector, Vector)
    nan, more, less, number = (sample.value for sample in vector.samples)
    assert math.isnan(nan)
    assert (more, less, number) == (math.inf, -math.inf, 1000.0)
    assert vector.samples[0].at == 1.5


def test_scalar_and_string_are_no_series() -> None:
    assert value("scalar", [2.0, "7"]) == Scalar(7.0, 2.0)
    assert value("string", [2.0, "hi\x1b[2J"]) == Text("hi␛[2J", 2.0)


def test_matrix_points_keep_their_order_and_gaps() -> None:
    matrix = value("matrix", [{"metric": {"a": "b"}, "values": [[1, "1"], [2, "NaN"], [5, "3"]]}])
    assert isinstance(matrix, Matrix)
    assert [at for at, _ in matrix.series[0].points] == [1, 2, 5]
    assert matrix.series[0].labels == {"a": "b"}


def test_native_histograms_are_tolerated() -> None:
    raw = {"count": "10", "sum": "2.5", "buckets": [[0, "0", "0.5", "4"], [0, "0.5", "+Inf", "6"]]}
    vector = value("vector", [{"metric": {}, "histogram": [1, raw]}])
    assert isinstance(vector, Vector)
    assert vector.samples[0].histogram == Histogram(10, 2.5, ((0, 0.5, 4), (0.5, math.inf, 6)))
    assert math.isnan(vector.samples[0].value)
    matrix = value("matrix", [{"metric": {}, "values": [[3, "1"]], "histograms": [[1, raw], [2, raw]]}])
    assert isinstance(matrix, Matrix)
    assert [at for at, _ in matrix.series[0].points] == [1, 2, 3]


def test_labels_are_cleaned() -> None:
    vector = value("vector", [{"metric": {"na\x1bme": "\x1b]52;c;x\x07[red]"}, "value": [1, "1"]}])
    assert isinstance(vector, Vector)
    assert vector.samples[0].labels == {"na␛me": "␛]52;c;x␇[red]"}


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"resultType": "vector"},
        {"resultType": "vector", "result": [{}]},
        {"resultType": "vector", "result": [{"metric": {}, "value": [1]}]},
        {"resultType": "vector", "result": [{"metric": {}, "value": ["x", "1"]}]},
        {"resultType": "vector", "result": [{"metric": {}, "value": [1e400, "1"]}]},
        {"resultType": "vector", "result": [{"metric": {"a": 1}, "value": [1, "1"]}]},
        {"resultType": "vector", "result": [{"metric": [], "value": [1, "1"]}]},
        {"resultType": "matrix", "result": 5},
        {"resultType": "scalar", "result": []},
        {"resultType": "scalar", "result": [1, "one"]},
        {"resultType": "streams", "result": []},
    ],
)
def test_what_breaks_the_protocol_is_garbage(data: Any) -> None:
    error = refusal(json.dumps({"status": "success", "data": data}).encode())
    assert error.kind == "garbage"


@pytest.mark.parametrize(
    ("status", "reported", "kind"),
    [
        (400, "bad_data", "bad-query"),
        (422, "execution", "bad-query"),
        (422, "422", "bad-query"),
        (503, "timeout", "timeout"),
        (503, "canceled", "gone"),
        (429, "too_many_requests", "overloaded"),
        (500, "internal", "internal"),
        (500, "news", "internal"),
        (401, "bad_data", "refused"),
    ],
)
def test_reported_errors_have_a_kind(status: int, reported: str, kind: str) -> None:
    body = json.dumps({"status": "error", "errorType": reported, "error": "why\nnot \x1b"}).encode()
    error = refusal(body, status)
    assert error.kind == kind
    assert kind == "refused" or error.message == "why⏎not ␛"


@given(
    st.binary(max_size=60)
    | st.text().map(str.encode)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["status", "data", "resultType", "result", "metric", "value"]), inner)
        ),
        max_leaves=8,
    ).map(lambda document: json.dumps(document).encode())
)
def test_any_body_is_a_value_or_a_source_error(body: bytes) -> None:
    for status in (200, 404, 500):
        try:
            value_of(envelope(status, "application/json", body, ASKED).data, ASKED)
        except SourceError as error:
            assert error.message.isprintable()  # noqa: PT017 - either outcome is fine


def test_nesting_without_end_is_garbage() -> None:
    assert refusal(b'{"status":' + b"[" * 200_000).kind == "garbage"


def test_metadata_and_label_values() -> None:
    assert strings_of(["b", "a", "b\x1b"], ASKED) == ("a", "b", "b␛")
    assert strings_of(None, ASKED) == ()
    found = metadata_of({"up": [{"type": "gauge", "help": "Is it up?", "unit": ""}], "odd": []}, ASKED)
    assert found == (MetricMetadata("up", "gauge", "Is it up?"),)


def recorded(name: str) -> Any:
    file = RECORDED / name
    if not file.exists():
        pytest.skip("recorded answers are not beside this checkout")
    return envelope(200, "application/json", file.read_bytes(), ASKED).data


@pytest.mark.parametrize(
    "name", ["vector", "matrix", "scalar", "string", "nan_inf", "range", "empty", "post", "ALERTS"]
)
def test_recorded_answers_are_understood(name: str) -> None:
    assert value_of(recorded(f"query_{name}.json"), ASKED) is not None


def test_recorded_targets_are_understood() -> None:
    targets = {target.labels["job"]: target for target in targets_of(recorded("targets.json"), ASKED)}
    assert targets["dead"].health == "down"
    assert "connection refused" in targets["dead"].last_error
    assert metadata_of(recorded("metadata.json"), ASKED)
    assert strings_of(recorded("label_values.json"), ASKED)
