"""Counters, gauges and histograms in the Prometheus text format.

The prometheus-client library would do; it would also cost each of a dozen processes 10 MB and 50 ms of start.
"""

import os
import time
from bisect import bisect_left
from collections.abc import Iterable

from opsconsole.demo.catalogue import BUCKETS

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """The metrics of one process, those of the process itself included."""

    def __init__(self) -> None:
        self._values: dict[str, dict[Labels, float]] = {}
        self._kinds: dict[str, str] = {}
        self.started = _process_start()

    def add(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Count; amount 0 makes the series exist."""
        self._kinds.setdefault(name, "counter")
        series = self._values.setdefault(name, {})
        key = tuple(labels.items())
        series[key] = series.get(key, 0.0) + amount

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._kinds.setdefault(name, "gauge")
        self._values.setdefault(name, {})[tuple(labels.items())] = value

    def replace(self, name: str, values: Iterable[tuple[dict[str, str], float]]) -> None:
        """Set all series of a gauge; those not named cease to exist."""
        self._kinds[name] = "gauge"
        self._values[name] = {tuple(labels.items()): value for labels, value in values}

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Put `value` into a histogram with the platform's latency buckets; a negative one only makes it exist."""
        counted = 0.0 if value < 0 else 1.0
        first = bisect_left(BUCKETS, value)
        for index, bound in enumerate(BUCKETS):
            self.add(f"{name}_bucket", counted if index >= first else 0.0, **labels, le=f"{bound:g}")
        self.add(f"{name}_bucket", counted, **labels, le="+Inf")
        self.add(f"{name}_sum", max(0.0, value), **labels)
        self.add(f"{name}_count", counted, **labels)

    def render(self) -> str:
        """The text that Prometheus scrapes."""
        self._process()
        lines: list[str] = []
        for name, series in self._values.items():
            lines.append(f"# TYPE {name} {self._kinds[name]}")
            lines += [f"{name}{label_text(labels)} {value!r}" for labels, value in series.items()]
        return "\n".join(lines) + "\n"

    def _process(self) -> None:
        self.set("process_start_time_seconds", self.started)
        self._kinds["process_cpu_seconds_total"] = "counter"
        self._values["process_cpu_seconds_total"] = {(): time.process_time()}
        self.set("process_resident_memory_bytes", _resident())


def label_text(labels: Labels) -> str:
    """`{a="b"}`, or nothing."""
    return "{" + ",".join(f'{key}="{_escape(value)}"' for key, value in labels) + "}" if labels else ""


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _process_start() -> float:
    """When this process started: a moment ago, as far as the demo's metrics are concerned."""
    return time.time() - time.process_time()


def _resident() -> float:
    try:
        with open("/proc/self/statm", encoding="ascii") as handle:  # noqa: PTH123 - pathlib is not imported here
            return float(int(handle.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    except OSError:
        return 0.0
