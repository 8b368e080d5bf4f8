"""Types of arguments, which say in words what was expected: argparse shows no other error's text."""

import argparse

from opsconsole.core.duration import parse_duration


def duration(text: str) -> float:
    """Seconds of `10s`, `5m`, `1h30m`.

    Raises:
        argparse.ArgumentTypeError: it is no duration.
    """
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def lasting(text: str) -> float:
    """As `duration`, of something that takes time.

    Raises:
        argparse.ArgumentTypeError: it is no duration, or 0.
    """
    seconds = duration(text)
    if seconds <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no time at all; write for example 10s, 5m")
    return seconds


def count(text: str) -> int:
    """A number from 0 on.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on")
    return int(text)
