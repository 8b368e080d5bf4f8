"""When the collector goes through everything."""

import gc
import subprocess
import sys
import weakref

from opsconsole.ui.garbage import EVERY, IDLE, LATEST, GarbageRounds


class _Knot:
    """Refers to itself, so that only a round finds it."""

    def __init__(self) -> None:
        self.itself = self


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_round_comes_when_it_is_time_and_nobody_types() -> None:
    clock = _Clock()
    rounds = GarbageRounds(clock)
    gc.disable()
    try:
        knot = weakref.ref(_Knot())
        clock.now = EVERY - 1
        assert not rounds.tick()
        rounds.typed()
        clock.now = EVERY
        assert not rounds.tick()
        assert knot() is not None
        clock.now = EVERY - 1 + IDLE
        assert rounds.tick()
        assert knot() is None
        assert not rounds.tick()
    finally:
        gc.enable()


def test_keys_without_end_do_not_put_it_off_for_ever() -> None:
    clock = _Clock()
    rounds = GarbageRounds(clock)
    for now in range(0, int(LATEST), 2):
        clock.now = float(now)
        rounds.typed()
        assert not rounds.tick()
    clock.now = LATEST
    rounds.typed()
    assert rounds.tick()


def test_no_round_through_everything_comes_by_itself() -> None:
    program = """
import gc
from opsconsole.ui.garbage import GarbageRounds
GarbageRounds().begin()
seen = []
gc.callbacks.append(lambda phase, info: seen.append(info["generation"]))
kept = [[number] for number in range(400_000)]
print(sorted(set(seen)))
"""
    said = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert said.stdout.strip() == "[0, 1]"
