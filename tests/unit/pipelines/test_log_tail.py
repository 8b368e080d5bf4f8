"""The end of a log: bounded whatever its length, and parsed only where somebody looks."""

from opsconsole.pipelines.log_tail import LogTail
from opsconsole.pipelines.log_wire import structured_line
from opsconsole.pipelines.model import LogLine


def test_the_last_lines_are_kept_and_only_those_that_are_looked_at_are_parsed() -> None:
    parsed = []

    def parse(raw: str) -> LogLine:
        parsed.append(raw)
        return LogLine(raw.upper())

    tail = LogTail(parse, lines=1000)
    for n in range(100_000):
        tail.feed(f"line {n}")
    assert (len(tail), tail.fed, tail.dropped) == (1000, 100_000, 99_000)
    assert parsed == []
    assert [one.text for one in tail[-2:]] == ["LINE 99998", "LINE 99999"]
    assert tail[0].text == "LINE 99000"
    assert len(parsed) == 3


def test_long_lines_count_by_their_length_and_one_is_always_kept() -> None:
    tail = LogTail(lambda raw: LogLine(raw), lines=1000, characters=10_000)
    for _ in range(50):
        tail.feed("x" * 1000)
    assert len(tail) == 10
    tail.feed("y" * 50_000)
    assert [one.text[0] for one in tail] == ["y"]
    tail.feed("z")
    assert [one.text[0] for one in tail] == ["z"]


def test_what_a_terminal_would_obey_is_gone_when_it_is_looked_at() -> None:
    tail = LogTail(structured_line)
    tail.feed('{"event": "a \\u001b[31mred\\u001b]52;c;aGk=\\u0007 word", "level": "ERROR"}')
    (one,) = tail[:]
    assert "\x1b" not in one.text
    assert one.level == "error"
