"""Lines of logs to errors, and files that grow, rotate and are truncated: each line once."""

import json
import os
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsconsole.config.errors import FileErrors, LogFormat
from opsconsole.core.reading import SourceError
from opsconsole.errors.file_logs import FileLogs
from opsconsole.errors.file_tail import LONGEST_LINE, FileTail, FileTailError
from opsconsole.errors.log_entries import EntryJoiner
from opsconsole.errors.log_lines import line_parser
from opsconsole.errors.model import Occurrence
from opsconsole.errors.moments import parse_moment, zone

NOW = datetime(2026, 11, 29, 14, 0, tzinfo=UTC).timestamp()
AT = datetime(2026, 11, 29, 13, 59, 58, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-11-29T13:59:58Z", AT),
        ("2026-11-29 13:59:58,250", AT + 0.25),
        ("2026-11-29 14:59:58 +0100", AT),
        ("2026/11/29 13:59:58", AT),
        ("29/Nov/2026:13:59:58 +0000", AT),
        ("Nov 29 13:59:58", AT),
        (AT, AT),
        (int(AT * 1000), AT),
        (str(int(AT)) + "000000000", AT),
        ("yesterday", None),
        (True, None),
        (None, None),
    ],
)
def test_times_of_many_kinds(value: object, at: float | None) -> None:
    assert parse_moment(value, UTC, now=NOW) == at


def test_a_time_without_a_zone_is_of_the_configured_one_and_without_a_year_not_to_come() -> None:
    assert parse_moment("2026-11-29 14:59:58", zone("Europe/Berlin")) == AT
    assert parse_moment("29.11.2026 13.59", UTC, time_format="%d.%m.%Y %H.%M") == AT - 58
    december = parse_moment("Dec 31 23:00:00", UTC, now=NOW)
    assert december == datetime(2025, 12, 31, 23, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("line", "level", "message", "service"),
    [
        (
            '{"timestamp":"2026-11-29T13:59:58Z","level":"ERROR","msg":"no","service":{"name":"api"}}',
            "error",
            "no",
            "api",
        ),
        ('{"time":1795960798,"level":50,"msg":"no"}', "error", "no", ""),
        ('ts=2026-11-29T13:59:58Z level=error msg="no \\"way\\"" app=api', "error", 'no "way"', "api"),
        ("2026-11-29 13:59:58,000 - loader - ERROR - no", "error", "no", ""),
        ("2026-11-29 13:59:58 [main] ERROR c.a.Loader: no", "error", "c.a.Loader: no", ""),
        ("Nov 29 13:59:58 host app[12]: CRITICAL: no", "critical", "no", ""),
        ("[2026-11-29 13:59:58] WARN no errors", "warn", "no errors", ""),
    ],
)
def test_usual_lines_are_understood_without_being_told(line: str, level: str, message: str, service: str) -> None:
    entry = line_parser(LogFormat(), lambda: NOW)(line)
    assert entry is not None
    assert (entry.at, entry.level, entry.message, entry.service) == (AT, level, message, service)


@pytest.mark.parametrize("line", ["", "  File 'x', line 3", "{broken", "just words", "a=b c", "[1, 2]"])
def test_other_lines_begin_no_entry(line: str) -> None:
    assert line_parser(LogFormat(), lambda: NOW)(line) is None


def test_a_pattern_and_other_names() -> None:
    written = LogFormat("regex", r"(?P<time>\d+) (?P<svc>\w+) (?P<level>\w)/(?P<message>.*)", {"service": "svc"})
    entry = line_parser(written, lambda: NOW)("1795960798 api E/it broke")
    assert entry is not None
    assert (entry.at, entry.service, entry.level, entry.message) == (AT, "api", "e", "it broke")


def joined(text: str, written: LogFormat | None = None) -> list[Occurrence]:
    joiner = EntryJoiner(written or LogFormat(), lambda entry: entry.service or "app", lambda: NOW)
    found = [one for line in text.splitlines() for one in joiner.see(line, "app.log")]
    return [*found, *joiner.end()]


TRACED = """\
2026-11-29 13:59:50 INFO started
2026-11-29 13:59:58 ERROR request 17 failed
Traceback (most recent call last):
  File "/srv/app/loader.py", line 12, in load
    int("x")
ValueError: invalid literal

2026-11-29 13:59:59 WARNING slow: TimeoutError is near
2026-11-29 14:00:00 ERROR no trace here
"""


def test_a_trace_belongs_to_the_line_before_it() -> None:
    first, second = joined(TRACED)
    assert (first.type, first.frame, first.at) == ("ValueError", "loader.py:load", AT)
    assert first.message == "request 17 failed: invalid literal"
    assert first.trace.startswith("Traceback")
    assert (second.type, second.message, second.trace) == ("", "no trace here", "")


def test_a_bare_traceback_is_an_error_and_takes_the_time_of_what_is_before_it() -> None:
    (one,) = joined(
        "2026-11-29 13:59:58 started\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 'x'"
    )
    assert (one.type, one.frame, one.at) == ("KeyError", "a.py:f", AT)


def test_traces_in_json_and_levels_of_ones_own() -> None:
    trace = "java.lang.IllegalStateException: no\n\tat com.acme.Loader.load(Loader.java:3)"
    line = json.dumps(
        {"@timestamp": "2026-11-29T13:59:58Z", "level": "ERROR", "message": "failed", "stack_trace": trace}
    )
    (one,) = joined(line)
    assert (one.type, one.frame) == ("java.lang.IllegalStateException", "com.acme.Loader.load")
    fine = json.dumps({"ts": AT, "level": "info", "msg": "no error"})
    (one,) = joined(f'{fine}\n{{"ts": {AT}, "level": "oops", "msg": "it broke"}}', LogFormat("json", levels=("oops",)))
    assert one.message == "it broke"


@pytest.mark.parametrize("filling", ["x", "a ", "\\\\", '\\"', "/a", "::"])
def test_of_json_that_is_too_long_the_beginning_is_understood(filling: str) -> None:
    before = '{"time": "2026-11-29T13:59:58Z", "level": "error", "service": "api", "message": "it broke: '
    (one,) = joined((before + filling * LONGEST_LINE)[:LONGEST_LINE], LogFormat(format="json"))
    assert (one.at, one.service, one.message[:9]) == (AT, "api", "it broke:")
    assert joined((before.replace('"error"', '"info"') + filling * LONGEST_LINE)[:LONGEST_LINE]) == []


def never_older(_line: str) -> bool | None:
    return None


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


@pytest.fixture
def tail(log: Path) -> Iterator[FileTail]:
    log.write_text("one\n")
    tail = FileTail(log)
    yield tail
    tail.close()


def read(tail: FileTail) -> list[str]:
    return list(tail.lines(never_older))


def test_what_is_appended_is_read_once_and_half_a_line_waits(tail: FileTail, log: Path) -> None:
    assert read(tail) == ["one"]
    with log.open("a") as file:
        file.write("two\nthr")
        file.flush()
        assert read(tail) == ["two"]
        file.write("ee\n")
    assert read(tail) == ["three"]
    assert read(tail) == []


def test_what_was_written_before_a_rename_is_still_read(tail: FileTail, log: Path) -> None:
    read(tail)
    with log.open("a") as file:
        file.write("two\nlast without an end")
    log.rename(log.with_suffix(".1"))
    log.write_text("three\n")
    assert read(tail) == ["two", "last without an end", "three"]
    assert read(tail) == []


def test_between_two_files_of_a_rotation_nothing_is_lost(tail: FileTail, log: Path) -> None:
    read(tail)
    log.rename(log.with_suffix(".1"))
    assert read(tail) == []
    log.write_text("two\n")
    assert read(tail) == ["two"]


@pytest.mark.parametrize("written", ["two\n", "a longer line than the one before it\n"])
def test_a_file_that_was_truncated_is_read_from_its_beginning(tail: FileTail, log: Path, written: str) -> None:
    read(tail)
    os.truncate(log, 0)
    log.write_text(written)
    assert read(tail) == written.splitlines()


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("latin-1", "Zähler\n"), ("utf-16", "Zähler €\n"), ("utf-16-be", "Zähler\n"), ("utf-8", "\ufeffZähler\n")],
)
def test_encodings(log: Path, encoding: str, text: str) -> None:
    log.write_bytes((text * 3).encode(encoding))
    tail = FileTail(log, encoding=encoding)
    assert [line.removeprefix("\ufeff") for line in read(tail)] == [text.strip().removeprefix("\ufeff")] * 3
    tail.close()


def test_bytes_that_are_no_text_and_lines_without_an_end_do_no_harm(log: Path) -> None:
    log.write_bytes(b"\xff\x00bad\n" + b"x" * 3_000_000 + b"\nlast\n")
    tail = FileTail(log)
    bad, long, last = read(tail)
    assert (bad, len(long), last) == ("\ufffd\x00bad", 64 * 1024, "last")
    tail.close()


def test_of_a_large_file_only_the_wanted_time_is_read_in_little_memory(log: Path) -> None:
    with log.open("w") as file:
        for number in range(200_000):
            file.write(f"{number:08d} some words to make the line as long as lines are, mostly\n")
    tail, seen = FileTail(log), 0

    def is_older(line: str) -> bool:
        return int(line[:8]) < 199_000

    tracemalloc.start()
    lines = [line for line in tail.lines(is_older) if not is_older(line)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    seen = tail.skipped
    assert (len(lines), seen) == (1000, 0)
    assert peak < 4_000_000
    tail.close()


def test_what_is_more_than_allowed_is_skipped_and_said(log: Path) -> None:
    log.write_text("".join(f"line {number}\n" for number in range(50_000)))
    tail = FileTail(log, most_bytes=65_536)
    lines = read(tail)
    assert lines[-1] == "line 49999"
    assert tail.skipped == log.stat().st_size - 65_536 - log.stat().st_size % 4 or tail.skipped > 0
    assert sum(len(line) + 1 for line in lines) <= 65_540
    tail.close()


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path / "none"):
        with pytest.raises(FileTailError):
            read(FileTail(path))


def entry(at: float, level: str, message: str) -> str:
    return json.dumps({"ts": at, "level": level, "msg": message}) + "\n"


@pytest.fixture
def logs(tmp_path: Path) -> Callable[..., FileLogs]:
    def made(*paths: str, **more: object) -> FileLogs:
        settings = FileErrors("app", paths or ("*.log",), folder=tmp_path, **more)  # type: ignore[arg-type]
        return FileLogs(settings, 86_400.0, clock=lambda: NOW)

    return made


async def test_errors_of_files_are_counted_by_kind(logs: Callable[..., FileLogs], tmp_path: Path) -> None:
    lines = [entry(NOW - 60_000 + minute * 60, "error", f"meter {minute} failed") for minute in range(1000)]
    (tmp_path / "api.log").write_text(
        entry(NOW - 150_000, "info", "ok") + entry(NOW - 90_000, "error", "meter 1 failed")
    )
    with (tmp_path / "api.log").open("a") as file:
        file.writelines(lines)
    source = logs()
    heard = await source.hear()
    (kind,) = heard.kinds
    assert (kind.source, kind.service, kind.message) == ("logs/app", "api", "meter <n> failed")
    assert (kind.count, kind.before) == (1000, None)
    assert (kind.first_at, kind.last_at) == (NOW - 90_000, NOW - 60)
    assert sum(kind.trend) == 1000
    assert kind.rate == pytest.approx(10 / 600, abs=6 / 600)
    assert [one.message for one in kind.samples][:2] == ["meter 999 failed", "meter 998 failed"]
    assert heard.covers_from_at == NOW - 150_000
    with (tmp_path / "api.log").open("a") as file:
        file.write(entry(NOW, "error", "meter 5000 failed"))
    os.utime(tmp_path / "api.log", (NOW, NOW - 10**8))
    assert (await source.hear()).kinds[0].count == 1001
    await source.close()


async def test_two_days_of_a_file_tell_what_yesterday_was(logs: Callable[..., FileLogs], tmp_path: Path) -> None:
    (tmp_path / "api.log").write_text(
        entry(NOW - 180_000, "info", "ok") + entry(NOW - 100_000, "error", "no") * 3 + entry(NOW - 10, "error", "no")
    )
    source = logs()
    heard = await source.hear()
    assert (heard.covers_from_at, heard.kinds[0].count, heard.kinds[0].before) == (NOW - 172_800, 1, 3)
    await source.close()


async def test_a_source_without_files_says_so(logs: Callable[..., FileLogs]) -> None:
    with pytest.raises(SourceError, match=r"no file matches nothing/\*\.log"):
        await logs("nothing/*.log").hear()


async def test_files_that_are_renamed_within_a_pattern_are_read_once(
    logs: Callable[..., FileLogs], tmp_path: Path
) -> None:
    def write(name: str, message: str) -> None:
        with (tmp_path / name).open("a") as file:
            file.write(entry(NOW - 5, "error", message) * 10)

    async def count() -> int:
        return sum(one.count for one in (await source.hear()).kinds)

    source = logs("api.log*", "current.log")
    write("api.log", "first")
    assert await count() == 10
    for turn in range(3):
        write("api.log", "late")
        for number in range(turn, 0, -1):
            (tmp_path / f"api.log.{number}").rename(tmp_path / f"api.log.{number + 1}")
        (tmp_path / "api.log").rename(tmp_path / "api.log.1")
        write("api.log", "next")
        write("api.log.1", "still to the old one")
        assert await count() == 10 + 30 * (turn + 1)
    (tmp_path / "current.log").symlink_to("api.log")
    assert await count() == 100
    await source.close()
