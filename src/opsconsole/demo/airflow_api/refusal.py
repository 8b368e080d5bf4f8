"""What the API does not do, told as Airflow tells it."""

from collections.abc import Sequence
from typing import Any


class Refusal(Exception):  # noqa: N818 - the API did nothing wrong
    """An answer of 4xx. `detail` is a sentence, or for 422 what is wrong with each field."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail


def wrong(kind: str, place: Sequence[str | int], message: str, value: Any, **context: Any) -> dict[str, Any]:
    """One entry of a 422: its kind, where, in words, what was sent."""
    entry = {"type": kind, "loc": list(place), "msg": message, "input": value}
    return {**entry, "ctx": context} if context else entry
