"""Typing one line."""

from hypothesis import given
from hypothesis import strategies as st

from opsconsole.ui.editor import LineEditor
from opsconsole.ui.lines import line_width


def typed(*keys: str) -> LineEditor:
    editor = LineEditor()
    for key in keys:
        editor.press(key, key if len(key) == 1 else None)
    return editor


def test_letters_go_in_at_the_cursor() -> None:
    editor = typed("a", "c", "left", "b")
    assert (editor.text, editor.cursor) == ("abc", 2)


def test_words_and_lines_are_removed() -> None:
    editor = LineEditor.holding("one two three")
    editor.press("ctrl+w", None)
    assert editor.text == "one two "
    editor.press("ctrl+u", None)
    assert editor.text == ""


def test_what_means_nothing_is_not_taken() -> None:
    assert not LineEditor().press("f5", None)


def test_pasted_lines_become_one_without_escapes() -> None:
    editor = LineEditor()
    editor.insert("one\r\ntwo\x1b]52;c;aGk=\x07\n")
    assert "\x1b" not in editor.text
    assert "\n" not in editor.text


@given(st.text(max_size=80), st.integers(0, 80), st.integers(3, 40))
def test_the_cursor_is_always_in_view(text: str, cursor: int, width: int) -> None:
    editor = LineEditor()
    editor.insert(text)
    editor.cursor = min(cursor, len(editor.text))
    shown = editor.shown(width)
    assert line_width(shown) <= width
    assert any(span.role == "cursor" for span in shown)
