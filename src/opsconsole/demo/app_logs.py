"""The logs that the simulated services write: JSON lines of the Python ones, plain lines of the Java one.

What goes wrong now and then in any service has been going wrong for days (`write_history`); what a fault makes go wrong
is new.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

LARGEST = 5_000_000
"""Bytes of a file before it is rotated: one older one is kept."""
HISTORY = 2.5 * 86_400
"""Seconds of what is there from the beginning."""
JAVA = ("keycloak",)
SERVICES = ("energy-service", "profile-service", *JAVA)

_PYTHON_TRACE = """\
Traceback (most recent call last):
  File "/srv/{package}/api/handlers.py", line 118, in dispatch
    return await route(request)
  File "/srv/{package}/{file}", line {line}, in {function}
    {code}
  File "/srv/venv/lib/python3.12/site-packages/psycopg/connection_async.py", line 117, in connect
    raise last_ex.with_traceback(None)
{error}: {message}"""
_JAVA_TRACE = """\
org.keycloak.models.ModelException: {message}
\tat org.keycloak.models.jpa.JpaUserProvider.getUserById(JpaUserProvider.java:{line})
\tat org.keycloak.services.resources.TokenEndpoint.token(TokenEndpoint.java:212)
\tat java.base/java.lang.Thread.run(Thread.java:840)
Caused by: java.sql.SQLTransientConnectionException: connection {number} is not available after {number}ms
\tat com.zaxxer.hikari.pool.HikariPool.createTimeoutException(HikariPool.java:{line})
\t... 48 more"""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong."""

    service: str
    message: str
    """`{meter}` and `{number}` differ each time."""
    error: str = ""
    """The exception; empty: none is shown."""
    file: str = ""
    function: str = ""
    daily: float = 0.0
    """How often a day without any fault."""


USUAL = (
    Trouble("energy-service", "tariff of meter {meter} cannot be read, tried again", "psycopg.errors.QueryCanceled",
            "energy/tariffs.py", "current_tariff", daily=60),
    Trouble("energy-service", "reading of meter {meter} is older than the one before it", daily=25),
    Trouble("profile-service", "preferences of customer {number} cannot be parsed", "KeyError",
            "profile/preferences.py", "parse", daily=12),
    Trouble("keycloak", "user f:{number} could not be loaded", daily=8),
)  # fmt: skip
WHEN_FAILING = {
    "energy-service": Trouble("energy-service", "readings of meter {meter} cannot be served",
                              "psycopg.OperationalError", "energy/readings.py", "load_readings"),
    "profile-service": Trouble("profile-service", "profile {number} cannot be served", "psycopg.OperationalError",
                               "profile/profiles.py", "load_profile"),
    "keycloak": Trouble("keycloak", "token for client {number} could not be made"),
}  # fmt: skip
"""What the fault `high-errors` makes go wrong."""


class AppLog:
    """The log of one instance."""

    def __init__(self, folder: Path, service: str, instance: str) -> None:
        self.path = path(folder, service, instance)

    def write(self, trouble: Trouble, at: float | None = None) -> None:
        """Append it. A full disk is not the demo's concern."""
        text = entry(trouble, time.time() if at is None else at, random.Random())
        try:
            if self.path.exists() and self.path.stat().st_size > LARGEST:
                self.path.replace(f"{self.path}.1")
            with self.path.open("a", encoding="utf-8") as log:
                log.write(text)
        except OSError:
            pass


def path(folder: Path, service: str, instance: str) -> Path:
    """Where an instance logs to."""
    return folder / f"{service}-{instance}.log"


def entry(trouble: Trouble, at: float, chance: random.Random) -> str:
    """The lines of one trouble at that moment (unix seconds)."""
    filled = {"meter": chance.randint(10_000, 99_999), "number": chance.randint(1_000, 9_999)}
    message = trouble.message.format(**filled)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03d}"
    if trouble.service in JAVA:
        trace = _JAVA_TRACE.format(message=message, line=chance.randint(80, 90), **filled)
        head = (
            f"{moment.replace('T', ' ').replace('.', ',')} ERROR [org.keycloak.services] (executor-thread-7) {message}"
        )
        return f"{head}\n{trace}\n"
    said: dict[str, object] = {
        "timestamp": f"{moment}Z",
        "level": "error",
        "event": message,
        "service": trouble.service,
    }
    if trouble.error:
        said["exception"] = _trace(trouble, chance)
    return json.dumps(said) + "\n"


def write_history(folder: Path, instances: Iterator[tuple[str, str]], now: float) -> None:
    """What each instance logged within the last days, where it has no log yet."""
    for service, instance in instances:
        file = path(folder, service, instance)
        if service not in SERVICES or file.exists():
            continue
        chance = random.Random(f"{service} {instance}")
        moments = sorted(_moments(service, now, chance), key=lambda one: one[0])
        text = "".join(entry(trouble, at, chance) for at, trouble in moments)
        file.write_text(quiet_line(service, now - HISTORY) + text, "utf-8")


def quiet_line(service: str, at: float) -> str:
    """What a service says when it starts."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
    if service in JAVA:
        return f"{moment.replace('T', ' ')},000 INFO  [io.quarkus] (main) Keycloak started\n"
    return json.dumps({"timestamp": f"{moment}Z", "level": "info", "event": "started", "service": service}) + "\n"


def background(service: str, chance: Callable[[], float], seconds: float) -> list[Trouble]:
    """What goes wrong in a service within some seconds without any fault."""
    return [one for one in USUAL if one.service == service and chance() < one.daily * seconds / 86_400]


def _moments(service: str, now: float, chance: random.Random) -> Iterator[tuple[float, Trouble]]:
    for trouble in USUAL:
        if trouble.service == service:
            for _ in range(round(trouble.daily * HISTORY / 86_400)):
                yield now - chance.uniform(60.0, HISTORY - 60), trouble


def _trace(trouble: Trouble, chance: random.Random) -> str:
    detail = {
        "KeyError": "'language'",
        "psycopg.errors.QueryCanceled": "canceling statement due to statement timeout",
    }.get(trouble.error, f'connection to server at "10.0.4.{chance.randint(2, 9)}", port 5432 failed: too many clients')
    package, _, file = trouble.file.partition("/")
    return _PYTHON_TRACE.format(
        package=package, file=f"{package}/{file}", line=chance.randint(40, 44), function=trouble.function,
        code="row = await self.pool.fetch(query)", error=trouble.error, message=detail,
    )  # fmt: skip
