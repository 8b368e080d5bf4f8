"""Ask every source of an environment whether it is there, and what it allows; for `check`."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsconsole.config.secrets import SecretError
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import Capabilities, SourceError

if TYPE_CHECKING:
    from opsconsole.config.settings import Environment
    from opsconsole.sources.registry import Sources

TIMEOUT = 10.0
"""Seconds for one source; they are asked all at once."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What one source said."""

    source: str
    capabilities: Capabilities | None = None
    error: str = ""
    took: float = 0.0
    """Seconds."""

    def fields(self) -> dict[str, object]:
        """As `check --format json` has it."""
        found = self.capabilities
        return {
            "source": self.source,
            "ok": found is not None,
            "product": found.product if found else None,
            "version": found.version if found else None,
            "features": sorted(found.features) if found else [],
            "notes": list(found.notes) if found else [],
            "error": self.error or None,
            "took": round(self.took, 3),
        }


def probe_all(environments: "Iterable[Environment]", *, timeout: float = TIMEOUT) -> dict[str, list[Probe]]:
    """Probe every source of every environment at once; probes by environment.

    Never raises for a source: its error is in its probe.
    """
    return asyncio.run(_probe_all(list(environments), timeout))


async def _probe_all(environments: "list[Environment]", timeout: float) -> dict[str, list[Probe]]:
    found = await asyncio.gather(*(_probe_environment(environment, timeout) for environment in environments))
    return {environment.name: probes for environment, probes in zip(environments, found, strict=True)}


async def _probe_environment(environment: "Environment", timeout: float) -> list[Probe]:
    from opsconsole.cli.wiring import open_sources

    sources = open_sources(environment)
    try:
        return list(await asyncio.gather(*(_probe(sources, name, timeout) for name in sources.names())))
    finally:
        await sources.close()


async def _probe(sources: "Sources", name: str, timeout: float) -> Probe:
    began = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            found = await sources.get(name).probe()
    except TimeoutError:
        return Probe(name, error=f"no answer within {timeout:g} s", took=time.monotonic() - began)
    except SourceError as error:
        reason = error.message + (f" ({error.hint})" if error.hint else "")
        return Probe(name, error=clean_line(reason), took=time.monotonic() - began)
    except SecretError as error:
        return Probe(name, error=clean_line(error), took=time.monotonic() - began)
    return Probe(name, found, took=time.monotonic() - began)
