"""What comes from outside is shown, never interpreted."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from opsconsole.core.clean import clean, clean_bytes, clean_line

ANYTHING = st.text(alphabet=st.characters(), max_size=300)
ALLOWED_CONTROLS = {"\n", "\t"}


@given(ANYTHING)
def test_no_control_or_direction_character_survives(text: str) -> None:
    for character in clean(text):
        assert character in ALLOWED_CONTROLS or unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
        assert unicodedata.bidirectional(character) not in {
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        }


@given(st.binary(max_size=300))
def test_any_bytes_become_text_without_escapes(data: bytes) -> None:
    shown = clean_bytes(data)
    assert "\x1b" not in shown
    assert "\x9b" not in shown


@given(ANYTHING)
def test_a_line_is_one_line(text: str) -> None:
    assert not {"\n", "\r", "\t"} & set(clean_line(text))


@given(ANYTHING)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_clipboard_and_title_escapes_are_made_visible() -> None:
    assert clean("a\x1b]52;c;ZXZpbA==\x07b") == "a␛]52;c;ZXZpbA==␇b"


def test_ordinary_text_is_untouched() -> None:
    text = "SELECT 1; -- grüße, 東京 ☃ [red]x[/red]\n\tdone"
    assert clean(text) == text


def test_carriage_returns_before_newlines_go() -> None:
    assert clean("one\r\ntwo\r") == "one\ntwo␍"


def test_what_is_cut_is_counted() -> None:
    assert clean("x" * 30, limit=10) == "x" * 10 + "… (20 more characters)"


def test_things_that_are_not_text_are_shown_as_text() -> None:
    assert clean(None) == "None"
