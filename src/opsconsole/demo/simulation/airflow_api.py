"""A stand-in for Airflow's API server: its REST API (v2) on the metadata database, and its tokens."""

import json
import secrets
import sys
from typing import Any

from opsconsole.demo.airflow_api import shapes
from opsconsole.demo.airflow_api.call import Call, query_of
from opsconsole.demo.airflow_api.refusal import Refusal
from opsconsole.demo.airflow_api.routes import find
from opsconsole.demo.airflow_api.tokens import Signer, User
from opsconsole.demo.simulation.metadata import Database
from opsconsole.demo.simulation.service import Answer, Request, Simulation, run
from opsconsole.demo.statements import statement

JSON = "application/json"
STREAM = "application/x-ndjson"
ROLES = {"admin": "admin", "viewer": "viewer"}
"""User -> role."""


class Server:
    """Answers the requests."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.database = Database(simulation.plan["airflow_dsn"], "airflow-api-server")
        self.signer = Signer(secrets.token_bytes(32), float(simulation.plan["airflow_token_seconds"]))

    async def answer(self, request: Request) -> Answer:
        """Answer one request, whatever becomes of it."""
        path = request.path.partition("?")[0]
        try:
            if path == "/auth/token":
                return self._token(request)
            if path == "/api/v2/monitor/health":
                return await self._health()
            return await self._call(request, path)
        except Refusal as refusal:
            told = {"detail": refusal.detail} if refusal.detail else {"error": "API route not found"}
            return Answer(refusal.status, shapes.encoded(told), JSON)
        except Exception as error:  # the database may be away
            sys.stderr.write(f"{request.method} {request.path}: {type(error).__name__}: {error}\n")
            return Answer(500, "Internal Server Error", "text/plain; charset=utf-8")

    def _token(self, request: Request) -> Answer:
        """POST /auth/token."""
        if request.method != "POST":
            raise Refusal(403, "This method is only allowed if ``[core] simple_auth_manager_all_admins`` is True")
        told = _login(request.body)
        name, password = told["username"], told["password"]
        known = self.simulation.plan["airflow_passwords"]
        if name not in known or not secrets.compare_digest(known[name].encode(), password.encode()):
            raise Refusal(401, "Invalid credentials")
        token = self.signer.token(User(name, ROLES[name]))
        return Answer(201, shapes.encoded({"access_token": token}), JSON)

    async def _health(self) -> Answer:
        """GET /api/v2/monitor/health: 200 even where all is dead."""
        try:
            told = shapes.health(await self.database.records(statement("api/health")))
        except Exception:  # whatever it is, there is no database
            told = shapes.NO_DATABASE
        return Answer(200, shapes.encoded(told), JSON)

    async def _call(self, request: Request, path: str) -> Answer:
        route, names = find(request.method, path)
        user = User("", "viewer") if route.open else self.signer.user(request.headers.get("authorization"))
        if route.changes and user.role == "viewer":
            raise Refusal(403, "Forbidden")
        accept = request.headers.get("accept", "*/*")
        streams = "/logs/" in path
        if streams and not any(kind in accept for kind in (JSON, STREAM, "*/*")):
            raise Refusal(406, "Only application/json or application/x-ndjson is supported")
        logs = self.simulation.plan["task_logs"]
        call = Call(request, names, query_of(request.path), user, self.database, logs, self.signer.key)
        status, told = await route.answering(call)
        if streams and STREAM in accept:
            return _stream(told)
        return Answer(status, shapes.encoded(told), JSON)


def _login(body: bytes) -> dict[str, str]:
    """Name and password of a login.

    Raises:
        Refusal: 422, one is missing; ValueError: it is not JSON.
    """
    told: dict[str, Any] = json.loads(body)
    missing = [name for name in ("username", "password") if not isinstance(told.get(name), str)]
    if missing:
        lines = [f"{name}\n  Field required [type=missing]" for name in missing]
        raise Refusal(422, f"{len(missing)} validation error for LoginBody\n" + "\n".join(lines))
    return told


def _stream(told: dict[str, Any]) -> Answer:
    """A log as lines of JSON; where it goes on stands in a header."""
    text = "".join(json.dumps({"timestamp": None, **entry}) + "\n" for entry in told["content"])
    token = told["continuation_token"]
    return Answer(200, text, STREAM, (("Airflow-Continuation-Token", token),) if token else ())


async def main(simulation: Simulation) -> None:
    """Serve until stopped."""
    await simulation.serve(Server(simulation).answer)


if __name__ == "__main__":
    run(main)
