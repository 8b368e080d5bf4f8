"""What became of a silence since it was looked at."""

from dataclasses import replace
from typing import Any

import pytest

from opsconsole.alerts.actions.meanwhile import changed, read_seen, seen_text
from opsconsole.alerts.matching import parse_matchers
from opsconsole.alerts.model import Silence

NOW = 1_800_000_000.0
ONE = Silence(
    "5a5a5a5a-1", parse_matchers('job="a\\"b", alertname=~"Api.*"'), NOW, NOW + 3600, "alice", 'two\nlines, "quoted"',
    "active", NOW,
)  # fmt: skip


def since(**parts: Any) -> str:
    return changed(read_seen(seen_text(ONE)), replace(ONE, **parts))


def test_what_nobody_touched_is_the_same_whatever_it_holds() -> None:
    assert since() == ""
    assert since(ends_at=NOW + 3600.4, updated_at=NOW + 5, matchers=tuple(reversed(ONE.matchers))) == ""


def test_each_difference_says_what_it_is_and_what_it_was() -> None:
    said = since(ends_at=NOW + 7200, created_by="bob", comment="other", updated_at=NOW + 60)
    assert said == (
        "it was changed at 2027-01-15T08:01:00Z: by bob, was by alice; until 2027-01-15T10:00:00Z, was until "
        "2027-01-15T09:00:00Z; comment 'other', was 'two⏎lines, \"quoted\"'"
    )
    assert 'matchers job="c", were' in since(matchers=parse_matchers('job="c"'))


def test_one_that_was_ended_says_when_and_until_when_it_was_to_last() -> None:
    assert since(state="expired", ends_at=NOW + 60) == (
        "it was ended at 2027-01-15T08:01:00Z; it was to last until 2027-01-15T09:00:00Z"
    )


def test_an_acknowledgement_that_is_prolonged_is_the_same() -> None:
    kept = replace(ONE, comment="ACK! on it")
    seen = read_seen(seen_text(kept))
    assert changed(seen, replace(kept, ends_at=NOW + 9000)) == ""
    assert "until" in changed(seen, replace(kept, ends_at=NOW + 9000, comment="deployment"))


def test_what_is_no_look_is_refused() -> None:
    with pytest.raises(ValueError, match="expected until"):
        read_seen('until="x"')
