"""The customers: requests through nginx at the rates of the catalogue, more of them while something is wrong."""

import asyncio
import random
import time

from opsconsole.demo.catalogue import ROUTES, Route
from opsconsole.demo.simulation.service import Simulation, request, run

RUSH = 5.0
"""How many times as many requests come while a service gets worse: people press reload. It also brings the
trouble into rates over the last minutes within seconds."""
RUSH_SECONDS = 20.0


async def main(simulation: Simulation) -> None:
    """Send requests until stopped."""
    port = simulation.plan["ports"]["nginx/edge-1"]
    await asyncio.gather(*(_customers(simulation, port, route) for route in ROUTES))


async def _customers(simulation: Simulation, port: int, route: Route) -> None:
    under_way: set[asyncio.Task[None]] = set()
    while True:
        rate = route.weight * (RUSH if _rushing(simulation, route.service) else 1.0)
        # Evenly spread with a little noise: bunches would make the charts of a calm day look alive.
        await asyncio.sleep(random.uniform(0.7, 1.3) / rate)
        if len(under_way) < 50:
            task = asyncio.create_task(_send(port, route))
            under_way.add(task)
            task.add_done_callback(under_way.discard)


def _rushing(simulation: Simulation, service: str) -> bool:
    since = [simulation.fault(name, service, survives_restart=True) for name in ("high-errors", "slow-api")]
    return any(moment is not None and time.time() - moment < RUSH_SECONDS for moment in since)


async def _send(port: int, route: Route) -> None:
    try:
        await request(port, route.method, route.path)
    except OSError:
        await asyncio.sleep(0.5)  # nginx is away


if __name__ == "__main__":
    run(main)
