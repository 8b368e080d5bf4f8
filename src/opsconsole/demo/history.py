"""Thirty days that the platform has behind it, as OpenMetrics text for `promtool tsdb create-blocks-from`.

The same names and labels as the live metrics, so that trends and `offset 1d` have something to show. Counters
grow with a daily and weekly rhythm; a few past incidents make the SLAs of the month interesting.
"""

import math
import os
import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

from opsconsole.demo.catalogue import BUCKETS, LATENCY_SPREAD, ROUTES, TABLES, Instance, instances
from opsconsole.demo.dags import DAGS, interval, length
from opsconsole.demo.host_counters import cpu_seconds, leading_to, network_bytes
from opsconsole.demo.quickening import labels_of

DAY = 86400.0
RECENT = 26 * 3600.0
"""At least so many seconds back from now there is a sample each `FINE`: rates over 5 minutes work there, also a
day ago."""
ANCHORED = 6 * 3600.0
FINE = 60.0
COARSE = 270.0
"""Less than the 5 minutes that Prometheus looks back for a sample."""
COUNTER_STRIDE = 2
"""Of a counter's old samples every second will do: nobody looks at its value, only at how much it grew."""
COUNTERS = ("_total", "_count", "_sum", "_bucket", "_heartbeat", "_commit", "_blks_hit", "_blks_read")
LENGTH = 30 * DAY

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PastIncident:
    """Something that went wrong in the history, `begin` seconds before the anchor, for `length` seconds."""

    fault: str
    target: str
    begin: float
    length: float
    alert: str
    labels: tuple[tuple[str, str], ...]
    """Those of the series; its rule adds others."""


INCIDENTS = (
    PastIncident(
        "service-down",
        "profile-service/app-1",
        23.3 * DAY,
        1080,
        "ServiceDown",
        (("instance", "app-1"), ("job", "profile-service")),
    ),
    PastIncident("slow-api", "energy-service", 16.4 * DAY, 2700, "SlowApi", (("job", "energy-service"),)),
    PastIncident(
        "stale-data",
        "tariffs",
        12.1 * DAY,
        6 * 3600,
        "DataStale",
        (("instance", "etl-1"), ("job", "ingestion"), ("table", "tariffs")),
    ),
    PastIncident("high-errors", "energy-service", 9.6 * DAY, 1500, "HighErrorRate", (("job", "energy-service"),)),
    PastIncident(
        "service-down",
        "energy-service/app-2",
        5.2 * DAY,
        660,
        "ServiceDown",
        (("instance", "app-2"), ("job", "energy-service")),
    ),
    PastIncident("slow-api", "energy-service", 3.1 * DAY, 1500, "SlowApi", (("job", "energy-service"),)),
    PastIncident(
        "dag-failure",
        "ingest_meter_readings",
        2.4 * DAY,
        1900,
        "AirflowDagFailed",
        (("dag_id", "ingest_meter_readings"),),
    ),
)


def anchor(now: float) -> float:
    """Where the old part of the history ends and the recent begins. It moves every six hours, so that the old
    part can be kept for the next start."""
    return (now - RECENT) // ANCHORED * ANCHORED


def moments(now: float) -> tuple[list[float], list[float], list[float]]:
    """The sample times, unix seconds, ending before `now`: the older half of the old part, its newer half, and
    the recent part."""
    middle = anchor(now)
    past = [middle - COARSE * step for step in range(math.ceil((LENGTH - RECENT) / COARSE), 0, -1)]
    recent = [middle + FINE * step for step in range(int((now - 1 - middle) / FINE) + 1)]
    half = len(past) // 2
    return past[:half], past[half:], recent


def text(middle: float, times: Sequence[float], present: frozenset[str], *, seed: int = 7) -> Iterator[str]:
    """The history at `times`, in pieces of one series each. `middle` is the `anchor`; `present` names the services
    that the live platform has: what will not go on has no past either. The same arguments give the same text,
    but for the counters of the host in the recent part, which lead up to what the machine counts now."""
    stamps = [f" {moment:.0f}\n" for moment in times]
    history = _History(middle, times, random.Random(seed))
    for name, labels, values in history.series(present):
        prefix = name + "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "} "
        stride = 1 if history.detailed or not name.endswith(COUNTERS) else COUNTER_STRIDE
        pairs = zip(values[::stride], stamps[::stride], strict=True)
        # NaN differs from itself: no sample there.
        yield "".join([f"{prefix}{value:.10g}{stamp}" for value, stamp in pairs if value == value])
    yield "# EOF\n"


Series = tuple[str, Labels, Sequence[float]]
NAN = math.nan


class _History:
    """The series at the given times. A NaN stands for no sample."""

    def __init__(self, middle: float, times: Sequence[float], randomness: random.Random) -> None:
        self.middle = middle
        self.detailed = not times or times[0] >= middle  # of the old part, what monthly questions are about
        self.times = times
        self.random = randomness
        steps = [later - earlier for earlier, later in pairwise(times)]
        self.steps = [steps[0] if steps else FINE, *steps]
        self.load = [_busyness(moment) for moment in times]

    def series(self, present: frozenset[str]) -> Iterator[Series]:
        """All series, one after the other."""
        for instance in instances():
            if instance.service in present:
                yield "up", _at(instance), self._up(instance)
        yield from self._requests()
        yield from self._pipelines()
        yield from self._host()
        yield from self._database()
        yield from self._alerts()

    def during(self, fault: str, target: str) -> list[bool]:
        """For each moment, whether that fault was active then."""
        active = [False] * len(self.times)
        for incident in INCIDENTS:
            if incident.fault == fault and incident.target == target:
                begin = self.middle - incident.begin
                first = bisect_left(self.times, begin)
                last = bisect_right(self.times, begin + incident.length)
                active[first:last] = [True] * (last - first)
        return active

    def _up(self, instance: Instance) -> list[float]:
        return [0.0 if down else 1.0 for down in self.during("service-down", str(instance))]

    def _whole(self, rates: Sequence[float]) -> list[float]:
        """As `_counter`, of what comes one at a time."""
        return [float(int(value)) for value in self._counter(rates)]

    def _counter(self, rates: Sequence[float]) -> list[float]:
        total, values = 0.0, []
        for rate, step in zip(rates, self.steps, strict=True):
            total += rate * step
            values.append(total)
        return values

    def _gauge(self, level: float, noise: float, follows_load: float = 0.0) -> list[float]:
        draw = self.random.gauss
        return [max(0.0, level * (1 + follows_load * (load - 0.6)) * (1 + draw(0, noise))) for load in self.load]

    def _requests(self) -> Iterator[Series]:
        by_service: dict[str, list[tuple[list[float], list[float], list[bool]]]] = {}
        for route in ROUTES:
            mine = [one for one in instances() if one.service == route.service]
            failing = self.during("high-errors", route.service)
            slow = self.during("slow-api", route.service)
            rates = [route.weight / len(mine) * load for load in self.load]
            errors = [rate * (0.35 if bad else 0.0005) for rate, bad in zip(rates, failing, strict=True)]
            by_service.setdefault(route.service, []).extend([(rates, errors, slow)] * len(mine))
            for instance in mine:
                down = self.during("service-down", str(instance))
                labels = {**_at(instance), "service": route.service, "method": route.method, "route": route.path}
                served = [0.0 if gone else rate for rate, gone in zip(rates, down, strict=True)]
                yield from self._http(labels, served, errors, slow, route.latency, down)
        edge = Instance("nginx", "edge-1")
        for service, parts in by_service.items():
            rates = [sum(column) for column in zip(*(part[0] for part in parts), strict=True)]
            errors = [sum(column) for column in zip(*(part[1] for part in parts), strict=True)]
            latency = max(route.latency for route in ROUTES if route.service == service)
            if not self.detailed:
                continue
            labels = {**_at(edge), "service": "nginx", "method": "ANY", "route": f"/{service}"}
            yield from self._http(labels, rates, errors, parts[0][2], latency, [False] * len(rates))
        yield from self._recorded(by_service)

    def _http(
        self,
        labels: Labels,
        rates: Sequence[float],
        errors: Sequence[float],
        slow: Sequence[bool],
        latency: float,
        down: Sequence[bool],
    ) -> Iterator[Series]:
        """The counters and the histogram of one route of one instance."""
        total = self._counter(rates)
        failed = self._counter(errors)
        gone = self._counter([0.004 * rate for rate in rates])

        def shown(values: Sequence[float]) -> list[float]:
            return [NAN if away else float(int(value)) for value, away in zip(values, down, strict=True)]

        fine = [all_ - bad - missing for all_, bad, missing in zip(total, failed, gone, strict=True)]
        for status, values in (("200", fine), ("404", gone), ("500", failed)):
            yield "http_requests_total", {**labels, "status": status}, shown(values)
        tardy = self._counter([rate if late else 0.0 for rate, late in zip(rates, slow, strict=True)])
        for bound in (*BUCKETS, math.inf):
            quick, late = _share_below(bound, latency), _share_below(bound - 1.0, latency)
            values = [(all_ - some) * quick + some * late for all_, some in zip(total, tardy, strict=True)]
            le = "+Inf" if bound == math.inf else f"{bound:g}"
            yield "http_request_duration_seconds_bucket", {**labels, "le": le}, shown(values)
        yield "http_request_duration_seconds_count", labels, shown(total)
        mean = latency * math.exp(LATENCY_SPREAD**2 / 2)
        seconds = [all_ * mean + some for all_, some in zip(total, tardy, strict=True)]
        yield "http_request_duration_seconds_sum", labels, shown(seconds)

    def _recorded(
        self, by_service: Mapping[str, list[tuple[list[float], list[float], list[bool]]]]
    ) -> Iterator[Series]:
        """What the recording rules would have recorded."""
        for service, parts in by_service.items():
            rates = [sum(column) for column in zip(*(part[0] for part in parts), strict=True)]
            errors = [sum(column) for column in zip(*(part[1] for part in parts), strict=True)]
            ratio = [bad / rate for bad, rate in zip(errors, rates, strict=True)]
            slowest = max(route.latency for route in ROUTES if route.service == service) * 1.7
            draw = self.random.gauss
            p95 = [
                (1.2 if late else 0.0) + slowest * (0.85 + 0.25 * load) * (1 + draw(0, 0.03))
                for late, load in zip(parts[0][2], self.load, strict=True)
            ]
            yield "job:http_requests:rate1m", {"job": service}, rates
            yield "job:http_errors:ratio1m", {"job": service}, ratio
            yield "job:http_latency:p95_1m", {"job": service}, p95

    def _pipelines(self) -> Iterator[Series]:
        ingestion, scheduler = _at(Instance("ingestion", "etl-1")), _at(Instance("airflow-scheduler", "airflow-1"))
        for table, every in TABLES.items():
            stale = self.during("stale-data", table)
            ages, since = [], 0.0
            for late, moment, step in zip(stale, self.times, self.steps, strict=True):
                since = since + step if late else 0.0
                ages.append(86400 + since if late else moment % every + self.random.random())
            yield "data_freshness_age_seconds", {**ingestion, "table": table}, ages
        yield "ingest_queue_rows", ingestion, [float(int(value)) for value in self._gauge(12, 0.3)]
        yield "airflow_scheduler_heartbeat", scheduler, self._counter([0.5] * len(self.times))
        for dag in DAGS:
            labels = {**scheduler, "dag_id": dag.dag_id}
            broken = self.during("dag-failure", dag.dag_id)
            rate = 0.0 if dag.paused else 1 / interval(dag)
            good = [0.0 if bad else rate for bad in broken]
            failed = [rate if bad else 0.0 for bad in broken]
            took = length(dag)
            yield "airflow_dagrun_duration_count", labels, self._whole(good)
            yield "airflow_dagrun_duration_sum", labels, self._counter([took * one for one in good])
            yield "airflow_dagrun_failed_count", labels, self._whole(failed)
            yield "airflow_dag_last_run_failed", labels, [float(bad) for bad in broken]
        running = [float(self.random.choice((1, 2, 2, 3, 4))) for _ in self.times]
        yield "airflow_dag_runs", {**scheduler, "state": "running"}, running
        yield "airflow_executor_running_tasks", scheduler, running

    def _host(self) -> Iterator[Series]:
        host = _at(Instance("node", "host-1"))
        real = cpu_seconds() if self.detailed else {}
        for cpu in range(min(os.cpu_count() or 1, MOST_CPUS)):
            busy = self._gauge(0.22, 0.15, 1.0)
            rates = {mode: [share * value for value in busy] for mode, share in _BUSY_SHARES}
            rates["idle"] = [max(0.0, 1 - value) for value in busy]
            for mode, values in rates.items():
                labels = {**host, "cpu": str(cpu), "mode": mode}
                yield "node_cpu_seconds_total", labels, leading_to(real.get((str(cpu), mode)), self._counter(values))
        total = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
        yield "node_memory_MemTotal_bytes", host, [total] * len(self.times)
        yield "node_memory_MemAvailable_bytes", host, self._gauge(total * 0.6, 0.02, -0.1)
        if self.detailed:
            for minutes in (1, 5, 15):
                yield f"node_load{minutes}", host, self._gauge(0.6, 0.2 / minutes, 1.0)
            for name, rate, counted in zip(("receive", "transmit"), (180e3, 220e3), network_bytes("lo"), strict=True):
                past = leading_to(counted, self._counter(self._gauge(rate, 0.1, 1.0)))
                yield f"node_network_{name}_bytes_total", {**host, "device": "lo"}, past
        volume = {**host, "device": "/dev/mapper/data", "fstype": "ext4", "mountpoint": "/data"}
        used = [0.55 + 0.06 * (1 - (self.middle - moment) / LENGTH) for moment in self.times]
        for name, values in (
            ("size", [VOLUME_BYTES] * len(self.times)),
            ("avail", [VOLUME_BYTES * (1 - part) for part in used]),
            ("free", [VOLUME_BYTES * (1 - part) for part in used]),
        ):
            yield f"node_filesystem_{name}_bytes", volume, values

    def _database(self) -> Iterator[Series]:
        server = _at(Instance("postgres", "db-1"))
        yield "pg_up", server, [1.0] * len(self.times)
        yield "pg_settings_max_connections", server, [100.0] * len(self.times)
        for datname, tps, backends, size in (("app", 7.0, 6.0, 21e6), ("airflow", 22.0, 5.0, 13e6)):
            labels = {**server, "datname": datname}
            commits = self._gauge(tps, 0.05, 0.5)
            for name, factor in _PER_COMMIT if self.detailed else _PER_COMMIT[:3]:
                yield f"pg_stat_database_{name}", labels, self._counter([factor * value for value in commits])
            yield "pg_stat_database_numbackends", labels, [round(value) for value in self._gauge(backends, 0.1)]
            yield "pg_database_size_bytes", labels, [size] * len(self.times)
            longest = [4.0 if _nightly(moment) else 0.02 for moment in self.times]
            yield "pg_stat_activity_max_tx_duration", {**labels, "state": "active"}, longest
            if self.detailed:
                yield "pg_stat_activity_count", {**labels, "state": "active"}, [1.0] * len(self.times)
                yield "pg_stat_activity_count", {**labels, "state": "idle"}, [backends - 1] * len(self.times)
                yield "pg_lock_waits_sessions", labels, [0.0] * len(self.times)

    def _alerts(self) -> Iterator[Series]:
        """The alerts that fired in past incidents, for the history of episodes and the mean time to repair."""
        for incident in INCIDENTS:
            begin = self.middle - incident.begin
            values = [1.0 if begin <= moment <= begin + incident.length else NAN for moment in self.times]
            if not any(value == value for value in values):
                continue
            labels = {"alertname": incident.alert, **dict(incident.labels), **labels_of(incident.alert)}
            yield "ALERTS", {**labels, "alertstate": "firing"}, values
            yield "ALERTS_FOR_STATE", labels, [value * math.floor(begin) for value in values]


_BUSY_SHARES = (("user", 0.7), ("system", 0.25), ("iowait", 0.05))
MOST_CPUS = 4
"""A machine with many more would have a history of little else."""
_PER_COMMIT = (
    ("xact_commit", 1.0),
    ("blks_hit", 180.0),
    ("blks_read", 0.9),
    ("xact_rollback", 0.002),
    ("tup_fetched", 60.0),
    ("tup_inserted", 4.0),
    ("deadlocks", 0.0),
    ("temp_bytes", 0.0),
)
VOLUME_BYTES = 500e9
"""Size of the simulated volume /data."""


def _at(instance: Instance) -> dict[str, str]:
    return {"job": instance.service, "instance": instance.name}


def _busyness(moment: float) -> float:
    """How busy the platform was, 0.25 to 1: quiet nights, calmer weekends. UTC."""
    hour = moment % DAY / 3600
    weekend = (moment // DAY + 4) % 7 in (0, 6)  # day 0 was a Thursday
    return (0.62 - 0.38 * math.cos((hour - 2) / 24 * 2 * math.pi)) * (0.8 if weekend else 1.0)


def _nightly(moment: float) -> bool:
    """Whether the report of the night is being computed, whose queries take seconds. UTC."""
    return 9000 <= moment % DAY < 9600


def _share_below(bound: float, median: float) -> float:
    """The part of a log-normal distribution below `bound`."""
    if bound <= 0:
        return 0.0
    return 1.0 if bound == math.inf else NormalDist().cdf(math.log(bound / median) / LATENCY_SPREAD)
