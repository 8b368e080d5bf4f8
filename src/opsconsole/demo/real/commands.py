"""What the demo itself does to its real Airflow, by its API: start a run that shows a fault, clear what failed."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote


class CommandError(Exception):
    """The API refused or did not answer, in its words."""


@dataclass(frozen=True)
class Airflow:
    """A real Airflow of a running demo."""

    url: str
    password_file: Path

    def trigger(self, dag_id: str) -> None:
        """Start a run, and let the DAG run at all. It has a logical date, by which the command line clears."""
        token = self._token()
        self._ask(token, "PATCH", f"dags/{quote(dag_id)}", {"is_paused": False})
        self._ask(token, "POST", f"dags/{quote(dag_id)}/dagRuns", {"logical_date": datetime.now(UTC).isoformat()})

    def clear_failed(self, dag_id: str) -> None:
        """Clear the failed tasks of the latest runs that failed."""
        token, dag = self._token(), quote(dag_id)
        found = self._ask(token, "GET", f"dags/{dag}/dagRuns?state=failed&order_by=-run_after&limit=10")
        for run in found["dag_runs"]:
            body = {"dag_run_id": run["dag_run_id"], "dry_run": False, "only_failed": True}
            self._ask(token, "POST", f"dags/{dag}/clearTaskInstances", body)

    def _token(self) -> str:
        password = self.password_file.read_text(encoding="utf-8")
        told = self._send("POST", f"{self.url}/auth/token", {"username": "admin", "password": password}, {})
        return str(told["access_token"])

    def _ask(self, token: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._send(method, f"{self.url}/api/v2/{path}", body, {"Authorization": f"Bearer {token}"})

    def _send(self, method: str, url: str, body: dict[str, Any] | None, headers: dict[str, str]) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method)  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is behind no proxy
        try:
            with opener.open(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise CommandError(
                f"Airflow refuses: {error.code} {error.read().decode(errors='replace')[:300]}"
            ) from error
        except OSError as error:
            raise CommandError(f"Airflow does not answer: {error}") from error
