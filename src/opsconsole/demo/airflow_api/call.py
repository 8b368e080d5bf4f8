"""One request to the API, taken apart, and what handlers need to answer it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from opsconsole.demo.airflow_api.listing import Query
from opsconsole.demo.airflow_api.tokens import User
from opsconsole.demo.simulation.metadata import Database
from opsconsole.demo.simulation.service import Request
from opsconsole.demo.statements import statement


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked, by whom, and where the answer is."""

    request: Request
    names: Mapping[str, str]
    """What stands in the path: dag, run, task, …; `~` is any, and left out."""
    query: Query
    user: User
    database: Database
    logs: str
    """The folder of task logs."""
    key: bytes
    """What tokens are signed with."""

    def name(self, key: str) -> str | None:
        """What stands in the path, or None for any."""
        found = self.names.get(key)
        return None if found == "~" else found

    async def records(self, name: str, **binds: Any) -> list[dict[str, Any]]:
        """The rows of the statement `api/NAME`."""
        return await self.database.records(statement(f"api/{name}"), binds)

    async def execute(self, name: str, **binds: Any) -> None:
        """Run the statement `api/NAME`."""
        await self.database.rows(statement(f"api/{name}"), binds)


Result = tuple[int, Any]
"""Status, and what is said as JSON."""
Answering = Callable[[Call], Awaitable[Result]]


def query_of(path: str) -> Query:
    """The parameters of a path."""
    return parse_qs(path.partition("?")[2], keep_blank_values=True)
