"""YAML with positions: what it means, where it stands, and that nothing in it can hang or crash the console."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opsconsole.config.document import MAX_BYTES, load_document, parse_document
from opsconsole.core.problem import ContentError, Problem
from tests.examples import share

SCREEN = """\
id: health
panes:
  - {id: up, query: 'up{job="api"}'}
  - id: p95
    query: |
      histogram
"""


def refusals(text: str) -> list[str]:
    with pytest.raises(ContentError) as caught:
        parse_document(text, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_data_is_plain_python() -> None:
    assert parse_document(SCREEN, "f.yaml").data == {
        "id": "health",
        "panes": [{"id": "up", "query": 'up{job="api"}'}, {"id": "p95", "query": "histogram\n"}],
    }


@pytest.mark.parametrize(
    ("path", "value_at", "key_at"),
    [
        (("id",), (1, 5), (1, 1)),
        (("panes",), (3, 3), (2, 1)),
        (("panes", 0, "query"), (3, 21), (3, 14)),
        (("panes", 1, "query"), (5, 12), (5, 5)),
        (("panes", 1), (4, 5), (4, 5)),
    ],
)
def test_each_value_and_key_has_its_position(
    path: tuple[str | int, ...], value_at: tuple[int, int], key_at: tuple[int, int]
) -> None:
    document = parse_document(SCREEN, "f.yaml")
    assert (document.where(path), document.where_key(path)) == (value_at, key_at)


def test_what_is_missing_is_placed_where_it_should_be() -> None:
    assert parse_document(SCREEN, "f.yaml").where(("panes", 1, "thresholds", 0)) == (4, 5)


def test_front_matter_counts_from_the_line_it_starts_on() -> None:
    document = parse_document("a: 1\nb: 2\n", "r.md", first_line=2)
    assert document.where(("b",)) == (3, 4)
    with pytest.raises(ContentError) as caught:
        parse_document("a: 1\na: 2\n", "r.md", first_line=2)
    assert caught.value.problems[0].line == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"), ("no", "no"), ("12:30:45", "12:30:45"), ("2027-01-31", "2027-01-31"), ("1_000", "1_000"),
        ("true", True), ("~", None), ("", None), ("0o17", 15), ("0x1F", 31), ("-12", -12), ("1.5e3", 1500.0),
        ("'1'", "1"), ('"true"', "true"), ("!!str 1", "1"), (".inf", float("inf")), ("1.2.3", "1.2.3"), (".", "."),
    ],
)  # fmt: skip
def test_scalars_mean_what_people_mean(text: str, value: object) -> None:
    read = parse_document(f"a: {text}\n", "f").data["a"]
    assert (read, type(read)) == (value, type(value))


def test_the_form_of_a_scalar_is_kept() -> None:
    document = parse_document("a: 007\nb: 1.10\n", "f")
    assert (document.raw(("a",)), document.raw(("b",))) == ("007", "1.10")


def test_an_anchor_can_be_used_again() -> None:
    document = parse_document("a: &t [1, 2]\nb: *t\n", "f")
    assert document.data == {"a": [1, 2], "b": [1, 2]}
    assert document.where(("b", 1)) == (1, 11)


def test_every_duplicate_key_is_reported_at_once() -> None:
    assert refusals("a: 1\nb: {c: 1, c: 2}\na: 3\n") == [
        "f.yaml:2:11: error: key 'c' is already given in line 2 [duplicate-key]",
        "f.yaml:3:1: error: key 'a' is already given in line 1 [duplicate-key]",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b: c", "1:5: error: not YAML: mapping values are not allowed in this context; quote a value"),
        ("a:\n\tb: 1", "2:1: error: not YAML: while scanning for the next token, found character that cannot start"),
        ("a: [1, 2", "2:1: error: not YAML: "),
        ("a: 1\n---\nb: 2", "2:1: error: a second document starts here; expected one [several-documents]"),
        ("a: !!python/object:os.system ls", "1:4: error: tag !!python/object:os.system is not used here"),
        ("a: !vault x", "1:4: error: tag !vault is not used here; expected a plain value [bad-tag]"),
        ("a: \0", "1:4: error: character U+0000 is not allowed in YAML"),
        ("a: *b", "1:4: error: *b is not defined above [bad-alias]"),
        ("a: &a [*a]", "1:8: error: *a contains itself [bad-alias]"),
        ("? [a]\n: b", "1:3: error: a list as a key; expected text"),
        ("a: {{ b }}", "1:5: error: a mapping as a key; expected text (quote what starts with { or [)"),
        ("<<: {a: 1}", "1:1: error: merge keys (<<) are not supported; repeat the keys [bad-key]"),
        ("[" * 100_000, "1:33: error: nested more than 32 deep [too-deep]"),
        ("- " * 100_000, "1:65: error: nested more than 32 deep [too-deep]"),
        ("- 1\n" * 150_000, "stands for more than 100000 values [too-large]"),
        ("#" * (MAX_BYTES + 1), "1:1: error: more than 2000000 characters [too-large]"),
    ],
)  # fmt: skip
def test_what_is_refused_says_where_and_what_was_expected(text: str, expected: str) -> None:
    assert expected in refusals(text)[0]


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]" for n in range(9)]
    assert "[too-large]" in refusals("\n".join(lines))[0]


def test_a_file_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    document = load_document(tmp_path / "f.yaml")
    assert (document.data, document.where(("b",))) == ({"a": 1, "b": 2}, (2, 4))


def test_bytes_that_are_not_utf8_are_placed(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes(b"a: 1\nb: \xfcber\n")
    with pytest.raises(ContentError, match=r"f\.yaml:2:4: error: byte 0xfc is not UTF-8; expected UTF-8 text"):
        load_document(tmp_path / "f.yaml")


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "missing", Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(ContentError, match="unreadable"):
            load_document(path)


_YAMLISH = st.lists(
    st.sampled_from(
        [*"[]{}:,-?&*!|>'\"%@`#\n\t \\", "a", "1", "&a ", "*a", ": ", "- ", "? ", "<<: ", "---\n", "é", "\ufeff"]
    ),
    max_size=60,
).map("".join)  # fmt: skip


@settings(max_examples=share(2), deadline=2000)
@given(st.one_of(st.text(st.characters(exclude_categories=())), _YAMLISH))
@example("\ud800")
@example("a: " + "9" * 10_000)
@example("%YAML 9.9\n---\na: 1")
@example("a: 1e99999")
def test_no_text_can_do_more_than_be_refused(text: str) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        where = parse_document(text, "f").where(("a", 0, "b"))
    except ContentError as error:
        problems = error.problems
        where = problems[0].line, problems[0].column
    assert where >= (1, 1)
    assert all(problem.column >= 1 for problem in problems)


# The library writes 0E0 without quotes: a text to YAML 1.1, a number to 1.2 and to whoever reads it.
_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"])).filter(
    lambda text: re.fullmatch(r"[-+]?\.?\d[\d_.]*[eE][-+]?\d+", text) is None
)


@settings(deadline=2000)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | _TEXTS,
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abc", min_size=1), inner),
        max_leaves=20,
    )
)
def test_what_was_written_is_what_is_read(value: object) -> None:
    import yaml

    # The library's writer in C, where it has one: the other one takes ten times as long.
    dumper: type = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    assert parse_document(yaml.dump(value, Dumper=dumper, allow_unicode=True), "f").data == value
