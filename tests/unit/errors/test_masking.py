"""The same error has the same text, whatever differs each time; another one has another."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.errors.masking import LONGEST, normalized


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("connection to 10.2.3.4:5432 refused after 1.5s", "connection to <host> refused after <n>s"),
        ("[fe80::1:2]:8080, ::1 and fe80:0:0:1:2:3 are gone", "<host>, <host> and <host> are gone"),
        ("std::vector a::b stay", "std::vector a::b stay"),
        ("run 550e8400-e29b-41d4-a716-446655440000 failed", "run <id> failed"),
        ("at 2026-11-29T14:09:27.123Z, 29/Nov/2026:14:09:27 +0000", "at <time>, <time>"),
        ("user 'alice' has no \"meter 7\"", "user '<value>' has no \"<value>\""),
        ("can't open, it's gone", "can't open, it's gone"),
        ("cannot read /var/lib/app/readings-7.csv", "cannot read <path>"),
        ("cannot read C:\\data\\in.csv", "cannot read <path>"),
        ("GET https://u:p@api.example.com:8443/v1/x?y=1 failed", "GET https://api.example.com:<n>/<path> failed"),
        ("mail to ops+night@example.com bounced", "mail to <email> bounced"),
        ("object 0x7f00c0ffee of commit 3f9c1a2b7d", "object <address> of commit <id>"),
        ("worker-3 took node_12 for job20261129", "worker-<n> took node_<n> for job<n>"),
        ("used 5GB, 99 %, 12ms, 3.5e-7 of 1,234", "used <n>GB, <n> %, <n>ms, <n> of <n>"),
        ("a\n  b\tc", "a b c"),
    ],
)
def test_what_differs_each_time_is_taken_out(message: str, kept: str) -> None:
    assert normalized(message) == kept


@pytest.mark.parametrize(
    "message", ["HTTP 503 from upstream", "errno 111", "exit code 137", "status=500", "code: 40P01", "signal 9"]
)
def test_numbers_that_say_what_an_error_is_stay(message: str) -> None:
    assert normalized(message) == message


def test_what_postgresql_quotes_as_a_name_stays() -> None:
    message = 'duplicate key value violates unique constraint "readings_pkey" for "meter 7"'
    assert normalized(message, names=True).count("<value>") == 1
    assert '"readings_pkey"' in normalized(message, names=True)
    assert '"readings_pkey"' not in normalized(message)


@given(st.integers(0, 10**12), st.uuids(), st.floats(0, 1e6), st.text("abcdefgh XYZ", min_size=0, max_size=30))
def test_one_template_is_one_text_whatever_is_filled_in(number: int, run: object, took: float, name: str) -> None:
    message = f"meter {number}: run {run} failed after {took:.3f} s for '{name}'"
    assert normalized(message) == "meter <n>: run <id> failed after <n> s for '<value>'"


@given(st.text(max_size=400))
def test_normalizing_twice_changes_nothing_and_nothing_is_longer_than_allowed(message: str) -> None:
    once = normalized(message)
    assert len(once) <= LONGEST
    if len(once) < LONGEST:
        assert normalized(once) == once


@pytest.mark.parametrize(
    "part", ['"', "'", "a-", "/", "/a", "1", "a1", ":", "1:", "a@", "a.", "x:/", "1.", "0x", "[", "\\"]
)
def test_no_text_takes_long(part: str) -> None:
    started = time.perf_counter()
    normalized(part * 4000)
    assert time.perf_counter() - started < 0.5
