"""Whose work a counter tells of."""

from dataclasses import replace

import pytest

from opsconsole.database.actions.maintenance import done, of_others, undone
from opsconsole.database.actions.standing import Part

SENT = 1000.0
BEFORE = Part("1", "app.p1", 5, 7, 900.0, 900.0, "77")


@pytest.mark.parametrize(
    ("sign", "after", "ours"),
    [
        ("vacuums", replace(BEFORE, vacuums=6, vacuum_at=1001.0), True),
        # Somebody else's of before, counted late; a clock that moved, and no count.
        ("vacuums", replace(BEFORE, vacuums=6, vacuum_at=999.0), False),
        ("vacuums", replace(BEFORE, vacuum_at=1001.0), False),
        ("vacuums", replace(BEFORE, vacuums=6, vacuum_at=None), False),
        ("vacuums", replace(BEFORE, analyzes=8, analyze_at=1001.0), False),
        # The counters were reset, and begin anew with ours.
        ("vacuums", replace(BEFORE, vacuums=1, vacuum_at=1001.0), True),
        ("analyzes", replace(BEFORE, analyzes=8, analyze_at=1001.0), True),
        ("analyzes", replace(BEFORE, vacuums=6, vacuum_at=1001.0), False),
        ("file", replace(BEFORE, file="78"), True),
        ("file", replace(BEFORE, vacuums=6, vacuum_at=1001.0), False),
    ],
)
def test_a_counter_has_to_have_moved_since_it_was_sent(sign: str, after: Part, ours: bool) -> None:
    assert done(sign, BEFORE, after, SENT) is ours


def test_every_partition_that_is_still_there_has_to_be_done() -> None:
    parts = [replace(BEFORE, oid=oid, title=f"app.p{oid}") for oid in ("1", "2", "3")]
    first = replace(parts[0], vacuums=6, vacuum_at=1001.0)
    new = replace(BEFORE, oid="4")
    assert undone("vacuums", parts, [first, parts[1], new], SENT) == [parts[1]]
    assert undone("vacuums", parts, [first], SENT) == []


def test_what_others_did_beside_ours_is_counted() -> None:
    assert of_others("vacuums", [BEFORE], [replace(BEFORE, vacuums=8)]) == 2
    assert of_others("vacuums", [BEFORE], [replace(BEFORE, vacuums=6)]) == 0
    assert of_others("file", [BEFORE], [replace(BEFORE, vacuums=8)]) == 0
    assert of_others("vacuums", [BEFORE], []) == 0
