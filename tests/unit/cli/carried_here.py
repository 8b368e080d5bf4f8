"""A run that the test's own process carries, behind the same line as a supervisor's: a process of its own for each
takes half a second, and loads nothing else than the test has loaded. What only a process of its own can show is asked
of one: `test_an_unattended_run`, and `tests/terminal/test_supervised_run.py`.
"""

from opsconsole.runbooks.client import RunClient
from opsconsole.runbooks.model import Runbook
from opsconsole.runbooks.order import Order
from opsconsole.runbooks.starting import Supervision, carried_here


class CarriedHere(Supervision):
    """Stands in for a `Supervision`."""

    def __init__(self) -> None:
        """Nothing is started."""

    @classmethod
    def prepare(cls) -> "CarriedHere":
        """One that waits for its order."""
        return cls()

    @property
    def usable(self) -> bool:
        """Always: there is no process that could have ended."""
        return True

    async def begin(self, order: Order, runbook: Runbook) -> RunClient:
        """Carry the run here."""
        return await carried_here(order)

    def dismiss(self) -> None:
        """Nothing was started."""
