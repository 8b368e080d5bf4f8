"""The made-up past of the host leads up to what the machine counts."""

import os

import pytest

from opsconsole.demo.host_counters import cpu_seconds, leading_to, network_bytes


def test_the_increases_stay_and_the_end_is_the_real_one() -> None:
    assert leading_to(100.0, [0.0, 5.0, 7.0]) == [93.0, 98.0, 100.0]


def test_without_a_known_end_or_without_values_nothing_moves() -> None:
    assert leading_to(None, [1.0, 2.0]) == [1.0, 2.0]
    assert leading_to(5.0, []) == []


@pytest.mark.skipif(not os.path.exists("/proc/stat"), reason="no /proc here")
def test_this_machine_counts() -> None:
    counted = cpu_seconds()
    assert counted[("0", "idle")] > 0
    assert len({cpu for cpu, _ in counted}) == os.cpu_count()
    assert network_bytes("lo")[0] >= 0
    assert network_bytes("no such device") == (0.0, 0.0)
