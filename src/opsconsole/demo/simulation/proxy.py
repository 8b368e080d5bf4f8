"""A stand-in for nginx: passes requests on, round robin, to the next instance where one does not answer."""

import itertools
import time

from opsconsole.demo.catalogue import ROUTES
from opsconsole.demo.simulation.service import Answer, Request, Simulation, request, run


async def main(simulation: Simulation) -> None:
    """Proxy until stopped."""
    owners = {route.path: route.service for route in ROUTES}
    ports: dict[str, list[int]] = {}
    for unit, port in simulation.plan["ports"].items():
        service = unit.rpartition("/")[0]
        if service in owners.values():
            ports.setdefault(service, []).append(port)
    turns = {service: itertools.count() for service in ports}
    for service in ports:
        for status in ("200", "404", "500", "502"):
            _count(simulation, service, status, 0.0)
        _observe(simulation, service, -1.0)

    async def handle(asked: Request) -> Answer:
        service = owners.get(asked.path)
        if service is None:
            return Answer(404, "no such route\n")
        began = time.monotonic()
        status = 502
        first = next(turns[service])
        for attempt in range(len(ports[service])):
            try:
                port = ports[service][(first + attempt) % len(ports[service])]
                status = await request(port, asked.method, asked.path)
                break
            except OSError:
                continue
        _count(simulation, service, str(status))
        _observe(simulation, service, time.monotonic() - began)
        return Answer(status, f'{{"status": {status}}}\n')

    await simulation.serve(handle)


def _count(simulation: Simulation, upstream: str, status: str, amount: float = 1.0) -> None:
    route = f"/{upstream}"
    simulation.metrics.add("http_requests_total", amount, service="nginx", method="ANY", route=route, status=status)


def _observe(simulation: Simulation, upstream: str, seconds: float) -> None:
    route = f"/{upstream}"
    simulation.metrics.observe("http_request_duration_seconds", seconds, service="nginx", method="ANY", route=route)


if __name__ == "__main__":
    run(main)
