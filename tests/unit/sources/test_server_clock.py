"""A server's clock by its answers: what is a difference, and what is only a busy server."""

from email.utils import formatdate

import pytest

from opsconsole.sources.server_clock import ServerClock

NOW = 1_790_000_000.0
Seen = tuple[float, float]
"""(seconds by which the header differs from the moment at which the answer came, seconds that it took)."""


@pytest.mark.parametrize(
    ("answers", "ahead"),
    [
        ([], 0.0),
        ([(0.0, 0.1)], 0.0),
        ([(600.0, 0.1)], 600.55),
        ([(-600.0, 0.1)], -599.45),
        ([(-600.0, 15.0)], -592.0),  # slow, and off by more than that explains
        ([(-35.0, 8.0)], 0.0),  # a loop that is held up for seconds makes its header anew too rarely
        ([(-35.0, 0.1), (-1.0, 0.1)], 0.0),  # the header was old
        ([(-1.0, 0.1), (-35.0, 0.1)], 0.0),
        ([(-603.0, 0.1), (-600.0, 0.2)], -599.4),
        ([(1.0, 5.0)], 0.0),
    ],
)  # fmt: skip
def test_what_a_busy_server_explains_is_no_difference(answers: list[Seen], ahead: float) -> None:
    seen = ServerClock(clock=lambda: 0.0)
    for differs, took in answers:
        seen.see(formatdate(NOW + differs, usegmt=True), NOW - took, NOW)
    assert seen.ahead == pytest.approx(ahead)


def test_a_clock_that_is_set_right_is_believed_within_a_minute() -> None:
    now = [0.0]
    seen = ServerClock(clock=lambda: now[0])
    seen.see(formatdate(NOW + 600.0, usegmt=True), NOW, NOW)
    now[0] = 59.0
    seen.see(formatdate(NOW, usegmt=True), NOW, NOW)
    assert seen.ahead > 590.0
    now[0] = 61.0
    assert seen.ahead == 0.0


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_a_header_that_is_none_says_nothing(date: str) -> None:
    seen = ServerClock(clock=lambda: 0.0)
    seen.see(date, NOW, NOW)
    assert seen.ahead == 0.0
