"""The demo platform as the stage on which runbooks are tried."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass

from opsconsole.config.loading import load_settings
from opsconsole.config.settings import Environment
from opsconsole.demo.catalogue import instances
from opsconsole.demo.faults import FaultError, break_, heal
from opsconsole.demo.platform import Platform
from opsconsole.demo.quickening import NO_FAULTS
from opsconsole.demo.supervision import SupervisorError
from opsconsole.runbooks.testfile import Need
from opsconsole.runbooks.testing import StageError

_WHOLE = "count(up == 1) == count(up)"
_QUIET = f'vector(1) unless on() ALERTS{{alertstate="firing", alertname!~"{NO_FAULTS}"}}'
_PATIENCE = 90.0
"""Seconds for the metrics to show what was done."""


@dataclass(frozen=True)
class DemoStage:
    """A running demo. Implements `opsconsole.runbooks.testing.Stage`."""

    platform: Platform

    @property
    def environment(self) -> Environment:
        """Its only environment."""
        return load_settings(self.platform.config).environment

    def prepare(self, need: Need) -> None:
        """Wait until it is whole, then cause faults, and wait until the metrics show them.

        Raises:
            StageError: it is broken in a way that healing does not repair, or there is no such fault.
        """
        self.restore()
        self._wait(_WHOLE)
        if need.faults:
            self._wait(_QUIET)  # what is alerted then is this fault
        try:
            for fault, target in need.faults:
                break_(self.platform, fault, target or None)
        except (FaultError, SupervisorError) as error:
            raise StageError(f"the demo cannot be broken: {error}") from error
        if need.until:
            self._wait(need.until)

    def restore(self) -> None:
        """Heal every fault, and start what was stopped."""
        heal(self.platform)
        units = self.platform.supervisor.units()
        for one in instances():
            if one.unit in units and units[one.unit].state not in ("RUNNING", "STARTING"):
                self.platform.supervisor.start(one.unit)

    def _wait(self, query: str) -> None:
        limit = time.monotonic() + _PATIENCE
        while not self._has_samples(query):
            if time.monotonic() > limit:
                raise StageError(f"the demo does not come to this within {_PATIENCE:g} s: {query}")
            time.sleep(0.1)

    def _has_samples(self, query: str) -> bool:
        form = urllib.parse.urlencode({"query": query}).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is behind no proxy
        try:
            with opener.open(f"{self.platform.prometheus}/api/v1/query", form, timeout=5) as answer:
                return bool(json.load(answer)["data"]["result"])
        except urllib.error.HTTPError as error:
            if error.code == 400:
                raise StageError(f"Prometheus refuses the query: {query}") from error
            return False
        except (OSError, ValueError):
            return False
