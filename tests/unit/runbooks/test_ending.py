"""What is said of how a run ended."""

import pytest

from opsconsole.runbooks.ending import ending


@pytest.mark.parametrize(
    ("state", "steps", "said"),
    [
        ("failed", ["ok", "timed-out", "pending"], "failed (timed-out)"),
        ("failed", ["timed-out", "failed", "timed-out"], "failed (2 timed-out, 1 failed)"),
        ("failed", ["failed", "failed", "ok"], "failed"),
        ("failed", ["unknown", "anything"], "failed (unknown)"),
        ("warn", ["timed-out"], "warn"),
        ("ok", ["ok"], "ok"),
    ],
)
def test_a_run_that_failed_by_more_than_failures_says_by_what(state: str, steps: list[str], said: str) -> None:
    assert ending(state, steps) == said
