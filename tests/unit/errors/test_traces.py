"""Traces of several languages: what was thrown, and from which place of the application."""

import pytest

from opsconsole.errors.occurring import fingerprint, normal_message, occurrence
from opsconsole.errors.traces import Trace, named_error, parse_trace

PYTHON = """\
Traceback (most recent call last):
  File "/srv/app/loader.py", line 12, in load
    fetch()
  File "/srv/venv/lib/python3.11/site-packages/httpx/_client.py", line 3, in get
    raise ConnectTimeout()
httpx.ConnectTimeout: timed out"""
CHAINED = f"""\
{PYTHON}

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/main.py", line 44, in run
    load()
ValueError: no tariffs for 2026-11-21
"""
GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   File "/srv/app/all.py", line 3, in main
  |     raise ExceptionGroup("several", [ValueError("a")])
  | ExceptionGroup: several (1 sub-exception)
  +-+---------------- 1 ----------------
    | ValueError: a
    +------------------------------------"""
JAVA = """\
java.lang.IllegalStateException: cannot load
\tat com.acme.tariff.Loader.load(Loader.java:42)
\tat java.base/java.lang.Thread.run(Thread.java:829)
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.connect(Net.java:5)
\tat com.acme.http.Client$$Lambda$12/0x0001.call(Client.java:7)
\t... 12 more"""
JAVASCRIPT = """\
TypeError: Cannot read properties of undefined (reading 'id')
    at getMeter (/srv/app/meters.js:10:5)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)"""
GO = """\
panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.load(...)
\t/app/main.go:12 +0x1b"""


@pytest.mark.parametrize(
    ("text", "trace"),
    [
        (PYTHON, Trace("httpx.ConnectTimeout", "timed out", "loader.py:load")),
        (CHAINED, Trace("ValueError", "no tariffs for 2026-11-21", "main.py:run")),
        (GROUP, Trace("ExceptionGroup", "several (1 sub-exception)", "all.py:main")),
        (JAVA, Trace("java.net.ConnectException", "Connection refused", "com.acme.http.Client$$Lambda$.call")),
        (JAVASCRIPT, Trace("TypeError", "Cannot read properties of undefined (reading 'id')", "getMeter")),
        (GO, Trace("panic", "runtime error: index out of range [5] with length 3", "main.load")),
    ],
)
def test_a_trace_names_what_was_thrown_and_where(text: str, trace: Trace) -> None:
    assert parse_trace(text) == trace


@pytest.mark.parametrize("text", ["", "all is well", "look at me", "File not found, line 3", "panic: none\n"])
def test_text_without_a_trace_has_none(text: str) -> None:
    assert parse_trace(text) is None


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("psycopg.OperationalError: connection failed", "psycopg.OperationalError"),
        ("loading failed: TimeoutError: 5 s", "TimeoutError"),
        ("no such thing", ""),
        ("ErrorBudget is spent", ""),
    ],
)
def test_a_message_names_its_error(message: str, name: str) -> None:
    assert named_error(message) == name


def print_of(text: str, *, trace: str) -> str:
    one = occurrence(1.0, "api", text, trace=trace)
    return fingerprint("logs/api", one, normal_message(one))


def test_line_numbers_and_values_are_the_same_kind_and_another_place_is_another() -> None:
    moved = PYTHON.replace("line 12", "line 13").replace("/srv/app/", "/opt/release-42/app/")
    elsewhere = PYTHON.replace("in load", "in fetch_tariffs")
    assert print_of("request 17 failed", trace=PYTHON) == print_of("request 18 failed", trace=moved)
    assert print_of("request 17 failed", trace=PYTHON) != print_of("request 17 failed", trace=elsewhere)


def test_a_vague_message_is_completed_by_what_was_thrown() -> None:
    one = occurrence(1.0, "api", "request failed", trace=JAVA)
    assert (one.type, one.message) == ("java.net.ConnectException", "request failed: Connection refused")
    assert occurrence(1.0, "api", JAVASCRIPT).message == JAVASCRIPT.splitlines()[0]


def test_text_from_outside_is_made_harmless() -> None:
    one = occurrence(1.0, "a\x1b[31mpi", "bad \x1b]52;c;x\x07 thing\nmore \x1b[2J", where="/x\ny")
    assert "\x1b" not in f"{one.service}{one.message}{one.trace}{one.where}"
    assert "\n" not in one.message + one.where
