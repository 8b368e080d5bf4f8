"""Captures and baselines: what was written is read again, and nothing else is taken for one."""

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsconsole.database.captures import (
    CaptureError,
    baselines,
    capture_of,
    load_baseline,
    load_capture,
    save_baseline,
    span_of,
)
from opsconsole.database.finding import Coverage
from tests.unit.database.statement_rows import span, usage


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "state"


SPAN = span(
    usage(-9_223_372_036_854_775_807, 10, 0.5, text="select 1", wal_bytes=7.0),
    usage(2, 3, 0.1),
    coverage=Coverage(("hidden",)),
)


def test_a_capture_read_again_is_the_same() -> None:
    assert span_of(json.loads(json.dumps(capture_of(SPAN))), "x") == SPAN


def test_ids_are_texts_for_programs_that_know_only_floating_point() -> None:
    assert capture_of(SPAN)["queries"][0]["queryid"] == "-9223372036854775807"


def test_a_baseline_is_for_this_user_only_and_replaces_one_of_its_name(state: Path) -> None:
    save_baseline("release-1", SPAN)
    path = save_baseline("release-1", replace(SPAN, total=9.0))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert load_baseline("release-1").total == 9.0
    assert load_capture("release-1").total == 9.0
    assert baselines() == ["release-1"]
    assert [one.name for one in path.parent.iterdir()] == ["release-1.json"]


def test_a_capture_of_a_few_statements_says_so() -> None:
    assert span_of(capture_of(SPAN, SPAN.usages[:1]), "x").partial
    assert not span_of(capture_of(SPAN), "x").partial


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a\0b"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(CaptureError, match="no name of a baseline"):
        save_baseline(name, SPAN)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("not json", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no capture"),
        ('{"kind": "queries", "format": 2}', "has format 2, and 1 is known"),
        ('{"kind": "queries", "format": 1}', "is a damaged capture: KeyError"),
    ],
)
def test_what_is_no_capture_is_said(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(CaptureError, match=said):
        load_capture("c.json")


def test_a_capture_whose_numbers_are_none_is_damaged() -> None:
    document: dict[str, Any] = capture_of(SPAN)
    document["queries"][0]["calls"] = "many"
    with pytest.raises(CaptureError, match="damaged"):
        span_of(document, "x")


def test_what_is_missing_is_said_with_what_is_there() -> None:
    save_baseline("monday", SPAN)
    with pytest.raises(CaptureError, match="saved are: monday"):
        load_baseline("tuesday")
    with pytest.raises(CaptureError, match="neither a file nor a baseline; saved baselines: monday"):
        load_capture("../tuesday")
