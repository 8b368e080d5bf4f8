"""Where an alert leads: the DAG, the table, the pane that it is about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsconsole.screens.checks import Check

_MOST = 5
"""Panes that are offered."""
_OF_ALERT = frozenset({"alertname", "severity", "alertstate"})
_TABLES = ("table", "relname")
_DATABASES = ("datname", "database")


@dataclass(frozen=True, slots=True)
class Lead:
    """One place to go to."""

    kind: str
    """`dag`, `database` or `pane`."""
    target: str
    """A DAG's id, a page of the workbench, or the id of a screen."""
    words: str
    about: str = ""
    """A database's name, or the pane's id."""


def leads(
    labels: Mapping[str, str], families: Iterable[str], databases: Sequence[str], checks: Iterable[Check]
) -> list[Lead]:
    """The places that an alert with `labels` is about, the nearest first.

    Args:
        families: of pages, that this environment has.
        databases: names of those that can be looked at.
        checks: of all screens.
    """
    found: list[Lead] = []
    dag = labels.get("dag_id") or labels.get("dag", "")
    if dag and "pipelines" in families:
        found.append(Lead("dag", dag, f"runs of DAG {dag}"))
    table = next((labels[name] for name in _TABLES if labels.get(name)), "")
    named = next((labels[name] for name in _DATABASES if labels.get(name)), "")
    database = named if named in databases else databases[0] if databases and (table or named) else ""
    if database:
        page = "tables" if table else "sessions"
        found.append(
            Lead("database", page, f"{page} of database {database}{f', for {table}' if table else ''}", database)
        )
    return [*found, *_panes(labels, checks)]


def _panes(labels: Mapping[str, str], checks: Iterable[Check]) -> list[Lead]:
    """Panes with a check that shares labels with the alert, and contradicts none; what is wrong first."""
    about = {name: value for name, value in labels.items() if name not in _OF_ALERT}
    scored: list[tuple[int, int, Check]] = []
    for check in checks:
        shared = [name for name, value in check.labels.items() if name in about and name != "__name__"]
        if shared and all(about[name] == check.labels[name] for name in shared):
            scored.append((-len(shared), -check.state.severity, check))
    scored.sort(key=lambda one: one[:2])
    found: dict[tuple[str, str], Lead] = {}
    for _, _, check in scored:
        words = f"{check.title}: {check.state.value}"
        found.setdefault((check.screen, check.pane), Lead("pane", check.screen, words, check.pane))
    return list(found.values())[:_MOST]
