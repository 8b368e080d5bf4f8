"""Leaving when a signal says so, in order or without."""

import os
import signal
import threading

from opsconsole.ui.departure import Departure


def test_a_signal_starts_an_orderly_end() -> None:
    left = threading.Event()
    departure = Departure(grace=60, end=lambda _code: None)
    departure.watch()
    try:
        departure.on_leave(left.set)
        os.kill(os.getpid(), signal.SIGTERM)
        assert left.wait(5)
        assert departure.exit_code == 128 + signal.SIGTERM
    finally:
        departure.settled()


def test_what_hangs_is_not_waited_for() -> None:
    ended = threading.Event()
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        ended.set()

    departure = Departure(grace=0.01, end=end)
    departure.depart(signal.SIGHUP)
    assert ended.wait(5)
    assert codes == [128 + signal.SIGHUP]


def test_settling_in_time_leaves_the_end_to_the_program() -> None:
    ended: list[int] = []
    departure = Departure(grace=60, end=ended.append)
    departure.depart(signal.SIGTERM)
    departure.settled()
    assert ended == []


def test_a_signal_before_anybody_listens_is_not_lost() -> None:
    left = threading.Event()
    departure = Departure(grace=60, end=lambda _code: None)
    departure.depart(signal.SIGTERM)
    departure.on_leave(left.set)
    assert left.is_set()
    departure.settled()


def test_the_first_signal_counts() -> None:
    departure = Departure(grace=60, end=lambda _code: None)
    departure.depart(signal.SIGTERM)
    departure.depart(signal.SIGHUP)
    assert departure.signal == signal.SIGTERM
    departure.settled()


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    departure = Departure(grace=60, end=lambda _code: None)
    departure.watch()
    departure.settled()
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_operator_who_leaves_is_not_kept_waiting_by_what_hangs() -> None:
    ended = threading.Event()
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        ended.set()

    Departure(grace=0.01, end=end).promise(3)
    assert ended.wait(5)
    assert codes == [3]
