"""An HTTP API with the latencies and errors of a real one: energy-service, profile-service, keycloak."""

import asyncio
import math
import random
from pathlib import Path

from opsconsole.demo.app_logs import WHEN_FAILING, AppLog, background
from opsconsole.demo.catalogue import LATENCY_SPREAD, ROUTES, Route
from opsconsole.demo.simulation.service import Answer, Request, Simulation, forever, run

SLOWNESS = 1.0
"""Seconds that `slow-api` adds to each answer."""
FAILING = 0.35
"""The part of the answers that `high-errors` turns into errors."""
NOT_FOUND = 0.004
"""The part of the requests that ask for what is not there."""
_STUMBLING = 30.0
"""Seconds between two looks at whether something goes wrong by itself."""


async def main(simulation: Simulation) -> None:
    """Serve the routes of the service until stopped."""
    log = AppLog(Path(simulation.plan["app_logs"]), simulation.service, simulation.instance)
    routes = {route.path: route for route in ROUTES if route.service == simulation.service}
    for route in routes.values():
        for status in ("200", "404", "500"):
            _count(simulation, route, status, 0.0)
        _observe(simulation, route, -1.0)

    async def handle(request: Request) -> Answer:
        route = routes.get(request.path)
        if route is None or route.method != request.method:
            return Answer(404, "no such route\n")
        seconds = random.lognormvariate(math.log(route.latency), LATENCY_SPREAD)
        if simulation.fault("slow-api"):
            seconds += random.uniform(0.8, 1.2) * SLOWNESS
        await asyncio.sleep(seconds)
        status = _status(simulation)
        _count(simulation, route, str(status))
        _observe(simulation, route, seconds)
        if status == 500:
            log.write(WHEN_FAILING[simulation.service])
        return Answer(status, f'{{"service": "{simulation.service}", "instance": "{simulation.instance}"}}\n')

    async def stumble() -> None:
        """What goes wrong now and then, and is no customer's matter."""
        for trouble in background(simulation.service, random.random, _STUMBLING):
            log.write(trouble)

    await asyncio.gather(simulation.serve(handle), forever(_STUMBLING, stumble))


def _status(simulation: Simulation) -> int:
    if simulation.fault("high-errors") and random.random() < FAILING:
        return 500
    return 404 if random.random() < NOT_FOUND else 200


def _count(simulation: Simulation, route: Route, status: str, amount: float = 1.0) -> None:
    simulation.metrics.add(
        "http_requests_total", amount, service=route.service, method=route.method, route=route.path, status=status
    )


def _observe(simulation: Simulation, route: Route, seconds: float) -> None:
    simulation.metrics.observe(
        "http_request_duration_seconds", seconds, service=route.service, method=route.method, route=route.path
    )


if __name__ == "__main__":
    run(main)
