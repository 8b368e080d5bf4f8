"""Output of a step on its way to the screen: inert, bounded, complete where it matters."""

from hypothesis import given
from hypothesis import strategies as st

from opsconsole.ui.lines import line_width, text_of
from opsconsole.ui.output import KEPT_LINES, OutputLog, wrapped


def fed(*chunks: bytes) -> OutputLog:
    log = OutputLog()
    for chunk in chunks:
        log.feed(chunk)
    return log


def test_lines_come_whole_however_they_are_cut() -> None:
    assert fed(b"one\ntw", b"o\nthr", b"ee").lines == ["one", "two", "three"]


def test_a_character_cut_in_two_is_one_character() -> None:
    assert fed("ä".encode()[:1], "ä".encode()[1:] + b"\n").lines == ["ä"]


def test_a_progress_bar_shows_its_last_state() -> None:
    assert fed(b"10 %\r20 %\r", b"30 %\n").lines == ["30 %"]
    assert fed(b"10 %\r20 %").lines == ["20 %"]


def test_escapes_and_markup_are_inert() -> None:
    shown = fed(b"\x1b]52;c;aGk=\x07 [red]x[/] \x9b31m\n").lines[0]
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[red]x[/]" in shown


def test_only_the_end_is_kept_and_the_rest_is_counted() -> None:
    log = fed(b"".join(b"%d\n" % number for number in range(KEPT_LINES + 100)))
    assert len(log.lines) == KEPT_LINES
    assert log.lines[-1] == str(KEPT_LINES + 99)
    assert log.dropped >= 100


def test_a_hundred_megabytes_in_one_line_stay_small() -> None:
    log = OutputLog()
    for _ in range(100):
        log.feed(b"x" * 1_000_000)
    assert log.total_bytes == 100_000_000
    assert sum(map(len, log.lines)) < 10_000


def test_the_end_shows_what_was_not_ended() -> None:
    log = fed(b"no newline")
    log.end()
    assert log.lines == ["no newline"]


def test_scrolling_back_shows_earlier_rows() -> None:
    lines = [str(number) for number in range(50)]
    shown, _ = wrapped(lines, 10, 5)
    assert text_of(shown).split() == ["45", "46", "47", "48", "49"]
    shown, back = wrapped(lines, 10, 5, back=10)
    assert text_of(shown).split() == ["35", "36", "37", "38", "39"]
    assert back == 10


@given(st.lists(st.binary(max_size=200), max_size=8), st.integers(1, 40), st.integers(0, 20))
def test_no_bytes_break_it_and_no_row_is_too_wide(chunks: list[bytes], width: int, rows: int) -> None:
    log = fed(*chunks)
    log.end()
    shown, _ = wrapped(log.lines, width, rows)
    assert len(shown) <= rows
    assert all(line_width(one) <= max(2, width) for one in shown)


def test_what_was_left_out_is_counted_and_cuts_no_character_in_two() -> None:
    log = OutputLog()
    log.feed("begun\nhalf a \u00fc".encode()[:-1])
    log.skip(5_000_000)
    log.feed("\u00fc whole\n".encode())
    assert log.lines[0] == "begun"
    assert log.lines[-1] == "\u00fc whole"
    assert (log.total_bytes, log.dropped) == (5_000_000 + 14 + 9, 1)
