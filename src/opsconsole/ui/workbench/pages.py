"""The pages of the workbench, in the order of their tabs."""

from opsconsole.ui.pages.page import PageSpec


def _spec(name: str, title: str, made_by: str) -> PageSpec:
    return PageSpec(name, title, f"opsconsole.ui.workbench.{made_by}")


PAGES = (
    _spec("sessions", "Sessions", "sessions:SessionsPage"),
    _spec("locks", "Locks", "locks:LocksPage"),
    _spec("queries", "Queries", "queries:QueriesPage"),
    _spec("tables", "Tables", "tables:TablesPage"),
    _spec("indexes", "Indexes", "indexes:IndexesPage"),
    _spec("connections", "Connections", "connections:ConnectionsPage"),
    _spec("progress", "Progress", "progress:ProgressPage"),
    _spec("replication", "Replication", "replication:ReplicationPage"),
    _spec("server", "Server", "server:ServerPage"),
    _spec("findings", "Findings", "findings:FindingsPage"),
)
